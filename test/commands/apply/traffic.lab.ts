import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import type { EndingSignal } from "../../../src/system/signals.js";
import { eventually } from "../../lab/eventually.js";
import { isAnswer } from "../../lab/http.js";
import { ours } from "../../lab/program.js";
import {
  startCaller,
  type Caller,
  type HeldConnection,
} from "../../traffic/caller.js";
import { ipvsadm } from "../../traffic/ipvsadm.js";
import { BEHIND_DIRECTOR } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import { underLoad } from "./under-load.js";
import { done, run, state } from "./kernel-table.js";

const SERVICE = "192.0.2.100:80";
const URL = `http://${SERVICE}/`;

interface Wanted {
  readonly scheduler: string;
  /** Weights of real1, real2 …; undefined: it is not there */
  readonly weights: readonly (number | undefined)[];
  /** Whether there is another service beside */
  readonly other: boolean;
}

function rulesFor({ scheduler, weights, other }: Wanted): string {
  return [
    `-A -t ${SERVICE} -s ${scheduler}`,
    ...weights.flatMap((weight, i) =>
      weight === undefined
        ? []
        : [`-a -t ${SERVICE} -r 198.51.100.${11 + i}:80 -m -w ${weight}`],
    ),
    ...(other ? ["-A -t 192.0.2.100:81 -s rr"] : []),
    "",
  ].join("\n");
}

/** Twenty tables. Each has another scheduler than the one before, and other weights or servers. */
const TABLES: readonly Wanted[] = Array.from({ length: 20 }, (_, i) => ({
  scheduler: ["rr", "wrr", "lc", "wlc", "sed", "nq"][i % 6] ?? "rr",
  weights: [
    i % 4 === 1 ? 0 : 1 + (i % 3),
    i % 4 === 3 ? 0 : 2 + (i % 5),
    i % 3 === 0 ? undefined : 1 + (i % 2),
  ],
  other: i % 5 < 2,
}));

suite("apply under traffic", () => {
  const site = siteOf(BEHIND_DIRECTOR, {
    real1: { http: [80] },
    real2: { http: [80] },
    real3: { http: [80] },
  });
  let keeper: Caller;
  before(() => {
    keeper = startCaller("client");
  });
  after(() => keeper.stop());

  /** Holds a connection to each of these servers. */
  async function holdEach(
    servers: readonly string[],
  ): Promise<Map<string, HeldConnection>> {
    const held = new Map<string, HeldConnection>();
    while (held.size < servers.length) {
      const one = await keeper.hold(URL);
      if (!servers.includes(one.server) || held.has(one.server))
        await one.close();
      else held.set(one.server, one);
    }
    return held;
  }

  /**
   * Sends a request over every connection.
   *
   * @param removed a server that will not answer
   * @returns the servers that did not answer as before
   */
  async function lost(
    held: ReadonlyMap<string, HeldConnection>,
    removed?: string,
  ) {
    const broken: string[] = [];
    for (const [server, connection] of held) {
      const reply = await connection.ask(server === removed ? 5 : undefined);
      if (!isAnswer(reply) || reply.server !== server)
        broken.push(`${server}: ${JSON.stringify(reply)}`);
    }
    return broken;
  }

  test("no request fails and no open connection breaks during 20 runs of apply", async (t) => {
    await done(
      "apply",
      rulesFor({ scheduler: "rr", weights: [1, 1], other: false }),
    );
    const held = await holdEach(["real1", "real2"]);
    const load = await underLoad(site.client, URL, async (load) => {
      for (const table of TABLES) {
        const rules = rulesFor(table);
        await done("apply --drain", rules);
        assert.equal((await run("diff", rules)).status, 0);
        assert.deepEqual(await lost(held), []);
        // Wait for a request over the new table before the next one is applied.
        const seen = load.requests;
        await eventually(
          () => Promise.resolve(load.requests),
          (now) => now > seen || load.failures.length > 0,
        );
      }
    });
    t.diagnostic(`${load.requests} requests`);
    assert.deepEqual(load.failures, []);
    assert.ok(load.requests > TABLES.length);
    assert.deepEqual([...load.servers].sort(), ["real1", "real2", "real3"]);
    for (const one of held.values()) await one.close();
  });

  test("requests of the same client fail if the table is flushed and restored instead", async () => {
    const rules = rulesFor({
      scheduler: "rr",
      weights: [1, 1, 1],
      other: false,
    });
    await done("apply", rules);
    let reloads = 0;
    const load = await underLoad(site.client, URL, async (load) => {
      await eventually(
        async () => {
          await ipvsadm("-C");
          assert.equal((await ours(["-R"], rules)).status, 0);
          reloads++;
        },
        () => load.failures.length > 0,
      );
    });
    assert.ok(load.failures.length > 0, `none in ${reloads} reloads`);
  });

  test("apply --drain keeps a server with an open connection at weight 0; without --drain the connection breaks", async () => {
    await done(
      "apply",
      rulesFor({ scheduler: "rr", weights: [1, 1], other: false }),
    );
    const held = await holdEach(["real1", "real2"]);
    const without = rulesFor({
      scheduler: "rr",
      weights: [1],
      other: false,
    });
    const { stdout, stderr, status } = await run(
      "apply --drain --timeout 2s",
      without,
    );
    assert.equal(status, 1);
    assert.match(stdout, /^1 real server to be removed$/m);
    assert.equal(
      stderr,
      "ipvsadm: not removed because of open connections: 198.51.100.12:80 of tcp/192.0.2.100:80: the weight stays 0; to continue draining, run the same command again\n",
    );
    assert.match(await ipvsadm("-Sn"), /-r 198\.51\.100\.12:80 -m -w 0$/m);
    assert.deepEqual(await lost(held), []);

    await done("apply", without);
    const broken = await lost(held, "real2");
    assert.equal(broken.length, 1);
    assert.match(broken[0] ?? "", /^real2: /);
  });

  test("apply --drain rolls back on ctrl-C while servers drain", async () => {
    await done(
      "apply",
      rulesFor({ scheduler: "rr", weights: [1, 1], other: false }),
    );
    const held = await holdEach(["real1", "real2"]);
    const before = await state();
    const listening = new Set<(signal: EndingSignal) => void>();
    const applied = run(
      "apply --drain",
      rulesFor({ scheduler: "wrr", weights: [7, undefined, 3], other: true }),
      {
        catchSignals(listen) {
          listening.add(listen);
          return () => listening.delete(listen);
        },
      },
    );
    await eventually(
      () => ipvsadm("-Sn"),
      (rules) => rules.includes("198.51.100.12:80 -m -w 0"),
    );
    for (const listen of listening) listen("SIGINT");
    const { stderr, status } = await applied;
    assert.equal(
      stderr,
      `ipvsadm: interrupted by SIGINT
ipvsadm: 5 changes were rolled back; the table is as before
`,
    );
    assert.equal(status, 130);
    assert.equal(listening.size, 0);
    assert.deepEqual(await state(), before);
    assert.deepEqual(await lost(held), []);
    for (const one of held.values()) await one.close();
  });
});
