import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { OutputClosed } from "../../../src/system/streams.js";
import { request } from "../../lab/http.js";
import { ours } from "../../lab/program.js";
import { ipvsadm } from "../../traffic/ipvsadm.js";
import { BEHIND_DIRECTOR } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";

type Stats = Readonly<Record<string, number | null>>;

interface Part {
  readonly stats?: Stats;
  readonly change?: string;
  readonly from?: Readonly<Record<string, number | string>>;
}

interface Frame {
  readonly elapsedSeconds: number;
  readonly totals: Stats;
  readonly services: readonly (Part & {
    readonly service: string;
    readonly servers: readonly (Part & {
      readonly server: string;
      readonly weight: number;
    })[];
  })[];
}

const SERVICE = "192.0.2.100:80";
const REQUESTS = 60;
const COUNTERS = [
  "connections",
  "inPackets",
  "outPackets",
  "inBytes",
  "outBytes",
];

/** More frames than a machine needs, however slow it is. */
const MOST_FRAMES = 300;
/** As many as contain two refreshes of the kernel's counters. */
const FRAMES_OF_COUNTERS = 9;

/**
 * Runs `watch`, and an action after the first frame, until the action has ended and the frames since then suffice.
 *
 * @returns the frames
 */
async function watchedWhile(
  happens: () => Promise<unknown>,
  suffice: (since: readonly Frame[]) => boolean = (since) =>
    since.length >= FRAMES_OF_COUNTERS,
): Promise<Frame[]> {
  const words = `watch -o ndjson -i 0.5 -n ${MOST_FRAMES}`;
  const frames: Frame[] = [];
  const since: Frame[] = [];
  let happening: Promise<unknown> | undefined;
  let ended = false;
  let isReading = true;
  const { stderr, status } = await ours(words.split(" "), "", {
    flush() {
      if (isReading) return undefined;
      throw new OutputClosed(); // as if its reader had ended
    },
    stdout(text) {
      const read = text
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line) as Frame);
      frames.push(...read);
      happening ??= happens().finally(() => {
        ended = true;
      });
      if (!ended) return;
      since.push(...read);
      isReading = !suffice(since);
    },
  });
  await happening;
  assert.deepEqual([stderr, status], ["", 141]);
  return frames;
}

suite("watch on a kernel", () => {
  siteOf(BEHIND_DIRECTOR, { real1: { http: [80] }, real2: { http: [80] } });

  test("rates match the traffic", async () => {
    await ipvsadm(`-A -t ${SERVICE} -s rr`);
    await ipvsadm(`-a -t ${SERVICE} -r 198.51.100.11 -m`);
    await ipvsadm(`-a -t ${SERVICE} -r 198.51.100.12 -m`);
    const requests = () =>
      request("client", `http://${SERVICE}/`, REQUESTS / 2);
    const rateOf = ({ services }: Frame) =>
      services[0]?.stats?.["connectionsPerSecond"];
    /** Makes requests. @returns counters to which the rates do not add up */
    const measured = async (): Promise<string[]> => {
      await ipvsadm("-Z");
      const frames = await watchedWhile(
        async () => {
          await requests();
          await requests();
        },
        (since) =>
          since.length >= FRAMES_OF_COUNTERS && since.map(rateOf).at(-1) === 0,
      );
      const last = frames.at(-1)?.services[0] ?? assert.fail("no service");
      assert.equal(last.service, "tcp/192.0.2.100:80");
      assert.equal(last.stats?.["connections"], REQUESTS);
      assert.deepEqual(
        last.servers.map(({ stats }) => stats?.["connections"]),
        [REQUESTS / 2, REQUESTS / 2],
      );
      assert.equal(last.stats["connectionsPerSecond"], 0, "and fall to zero");
      const sumOf = (name: string) =>
        frames.reduce(
          (sum, { elapsedSeconds, services }) =>
            sum + elapsedSeconds * (services[0]?.stats?.[name] ?? 0),
          0,
        );
      // The rates add up to the counters, except for the first and the last step of 2 seconds.
      return COUNTERS.flatMap((name) => {
        const counted = last.stats?.[name] ?? 0;
        const sum = sumOf(`${name}PerSecond`);
        assert.ok(counted > 0, name);
        return sum > 0.6 * counted && sum < 1.6 * counted
          ? []
          : `${name}: ${sum} of ${counted}`;
      });
    };
    // A machine that stops for a moment shows the rate of another moment for too long.
    let wrong = await measured();
    for (let more = 3; more > 0 && wrong.length > 0; more--)
      wrong = await measured();
    assert.deepEqual(wrong, []);
  });

  test("zeroed counters give no negative rate", async () => {
    await ipvsadm(`-A -t ${SERVICE} -s rr`);
    await ipvsadm(`-a -t ${SERVICE} -r 198.51.100.11 -m`);
    const frames = await watchedWhile(async () => {
      await request("client", `http://${SERVICE}/`, 20);
      await ipvsadm("-Z");
      await request("client", `http://${SERVICE}/`, 5);
    });
    for (const { services, totals } of frames)
      for (const stats of [
        ...services.map((service) => service.stats ?? {}),
        ...services.flatMap(({ servers }) =>
          servers.map((server) => server.stats ?? {}),
        ),
        totals,
      ])
        for (const [name, rate] of Object.entries(stats))
          assert.ok((rate ?? 0) >= 0, `${name} ${rate ?? ""}`);
  });

  test("watch reports what is added, edited and removed", async () => {
    await ipvsadm(`-A -t ${SERVICE} -s rr`);
    await ipvsadm(`-a -t ${SERVICE} -r 198.51.100.11 -m -w 7`);
    const frames = await watchedWhile(async () => {
      await ipvsadm(`-E -t ${SERVICE} -s wrr`);
      await ipvsadm(`-e -t ${SERVICE} -r 198.51.100.11 -m -w 0`);
      await ipvsadm(`-a -t ${SERVICE} -r 198.51.100.12 -m`);
      await ipvsadm("-A -u 192.0.2.100:53 -s rr");
    });
    const changes = new Set(
      frames
        .flatMap(({ services }) => [
          ...services.map((one) => [one.service, one] as const),
          ...services.flatMap(({ servers }) =>
            servers.map((one) => [one.server, one] as const),
          ),
        ])
        .flatMap(([name, { change, from }]) =>
          change === undefined
            ? []
            : `${name} ${change} ${from ? JSON.stringify(from) : ""}`.trim(),
        ),
    );
    assert.deepEqual(
      changes,
      new Set([
        'tcp/192.0.2.100:80 change {"scheduler":"rr"}',
        '198.51.100.11:80 change {"weight":7}',
        "198.51.100.12:80 add",
        "udp/192.0.2.100:53 add",
      ]),
    );
  });
});
