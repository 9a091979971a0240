import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fleetLine } from "../../../src/commands/fleet/explain.js";
import { FleetSite } from "../../../src/commands/serve/fleet/fleet-site.js";
import { FleetView } from "../../../src/commands/serve/fleet/fleet-view.js";
import { readFleet } from "../../../src/fleet/fleet-report.js";
import { recordBytes } from "../../../src/fleet/record.js";
import type { Answer } from "../../../src/http/body.js";
import { invalidities } from "../../document/schema.js";
import { kernelWith } from "../../fixtures/table-kernel.js";
import { reportDirector } from "../../fleet/made-up-reports.js";
import { KEYS, release, webTable } from "../../fleet/rig.js";
import {
  prometheusProgram,
  skipPrometheus,
} from "../../packaging/prometheus-programs.js";
import { MemoryCluster, type StoreTrouble } from "../../store/memory-store.js";
import { SAMPLE } from "../list/sample.js";
import { subcommand } from "../run-subcommand.js";
import { serving } from "./run-serve.js";

const folder = mkdtempSync(join(tmpdir(), "ipvsadm-fleet-site-"));
after(() => {
  rmSync(folder, { recursive: true });
});

/** A fleet of some directors, and time that the test lets pass. */
class Rig {
  readonly cluster = new MemoryCluster();
  readonly #ticks: (() => void)[] = [];
  trouble: StoreTrouble | undefined;
  milliseconds = 0;
  reads = 0;
  closed = false;
  readonly site: FleetSite;

  constructor() {
    const store = this.cluster.client(() => this.trouble);
    const view = new FleetView(
      () => {
        this.reads++;
        return readFleet(store, KEYS);
      },
      (error) => fleetLine(error, ["https://etcd:2379"]),
      {
        now: () => this.milliseconds,
        every: (_, act) => {
          this.#ticks.push(act);
          return () => this.#ticks.splice(this.#ticks.indexOf(act), 1);
        },
        sleep: () => Promise.resolve(),
      },
    );
    this.site = new FleetSite(view, () => {
      this.closed = true;
    });
  }

  static async start(): Promise<Rig> {
    const rig = new Rig();
    const store = rig.cluster.client();
    await release(store, webTable("11"));
    await release(store, webTable("11", "12"));
    reportDirector(rig.cluster, "lb1", { applied: 2, wanted: 2 });
    reportDirector(rig.cluster, "lb2", {});
    reportDirector(rig.cluster, "lb3", { applied: 2 }, { alive: false });
    reportDirector(rig.cluster, "lb4", {
      applied: 2,
      condition: "drifting",
      drift: { add: 1, change: 2, remove: 3 },
    });
    return rig;
  }

  get ticks(): readonly (() => void)[] {
    return this.#ticks;
  }

  /** Time passes until a reading is not used again. */
  pass(): void {
    this.milliseconds += 5000;
  }

  async document() {
    const answer = await this.site.answer();
    assert.equal(answer.status, 200, await textOf(answer));
    const document = JSON.parse(await textOf(answer)) as {
      readonly time: string;
      readonly ageSeconds: number;
      readonly fault: string | null;
      readonly directors: readonly { name: string; state: string }[];
    };
    assert.deepEqual(invalidities(document, "", "ipvsadm/fleet-status/1"), []);
    return document;
  }
}

async function textOf({ body }: Answer): Promise<string> {
  return Promise.resolve(body.plain.toString());
}

const statesIn = (document: Awaited<ReturnType<Rig["document"]>>) =>
  document.directors.map(({ name, state }) => `${name} ${state}`).join(", ");

const STATES = "lb1 ok, lb2 behind, lb3 silent, lb4 drifting";

test("/api/v1/fleet is the document of fleet status, and says when etcd was read", async () => {
  const rig = await Rig.start();
  const document = await rig.document();
  assert.equal(statesIn(document), STATES);
  assert.equal(document.fault, null);
  assert.equal(document.ageSeconds, 0);
  assert.ok(Math.abs(Date.parse(document.time) - Date.now()) < 60_000);
});

test("the fleet is read once for all who ask within 5 seconds, and regularly if nobody does", async () => {
  const rig = await Rig.start();
  await Promise.all([rig.document(), rig.site.metrics(), rig.document()]);
  assert.equal(rig.reads, 1);
  rig.pass();
  await rig.document();
  assert.equal(rig.reads, 2);
  rig.pass();
  rig.ticks.forEach((act) => {
    act();
  });
  await rig.document();
  assert.equal(rig.reads, 3);
  rig.site[Symbol.dispose]();
  assert.deepEqual([rig.ticks.length, rig.closed], [0, true]);
});

test("if the store is lost, /api/v1/fleet keeps the last state and says why it is old", async () => {
  const rig = await Rig.start();
  const first = await rig.document();
  rig.trouble = "unreachable";
  reportDirector(rig.cluster, "lb2", { applied: 2 });
  rig.pass();
  const lost = await rig.document();
  assert.equal(statesIn(lost), STATES);
  assert.equal(lost.time, first.time);
  assert.equal(lost.ageSeconds, 5);
  assert.match(lost.fault ?? "", /^cannot reach etcd at https:\/\/etcd:2379/);
  assert.match(await rig.site.metrics(), /^ipvs_fleet_up 0$/m);
  rig.trouble = undefined;
  rig.pass();
  const again = await rig.document();
  assert.equal(again.fault, null);
  assert.match(statesIn(again), /lb2 ok/);
});

test("/api/v1/fleet answers 503 with the reason if the store never answered", async () => {
  const rig = new Rig();
  rig.trouble = "unreachable";
  const answer = await rig.site.answer();
  assert.equal(answer.status, 503);
  const document = JSON.parse(await textOf(answer)) as { error: string };
  assert.deepEqual(invalidities(document, "", "ipvsadm/error/1"), []);
  assert.match(document.error, /^cannot reach etcd/);
});

/** Lines without comments. */
const seriesIn = (text: string) =>
  text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

test("the metrics of the fleet have each director, each table and the sums", async () => {
  const rig = await Rig.start();
  const lines = seriesIn(await rig.site.metrics());
  for (const line of [
    "ipvs_fleet_up 1",
    'ipvs_fleet_directors{state="silent"} 1',
    'ipvs_fleet_directors{state="failed"} 0',
    'ipvs_fleet_director_state{director="lb4",table="web",state="drifting"} 1',
    'ipvs_fleet_director_wanted_revision{director="lb2",table="web"} 2',
    'ipvs_fleet_director_applied_revision{director="lb2",table="web"} 1',
    'ipvs_fleet_director_drift{director="lb4",table="web"} 6',
    'ipvs_fleet_director_last_seen_timestamp_seconds{director="lb1",table="web"} 1767323045',
    'ipvs_fleet_released_revision{table="web"} 2',
    'ipvs_fleet_newest_revision{table="web"} 2',
    "ipvs_fleet_drains 0",
    // The silent director is not in the sums.
    "ipvs_fleet_connections_active 15",
    "ipvs_fleet_incoming_bytes_per_second 3000",
  ])
    assert.ok(lines.includes(line), `${line}\n${lines.join("\n")}`);
});

test("without the store, old values of the fleet are not reported as new ones", async () => {
  const rig = await Rig.start();
  await rig.document();
  rig.trouble = "unreachable";
  rig.pass();
  const lines = seriesIn(await rig.site.metrics());
  assert.equal(lines[0], "ipvs_fleet_up 0");
  assert.match(
    lines[1] ?? "",
    /^ipvs_fleet_last_read_timestamp_seconds [0-9.]+$/,
  );
  assert.equal(lines.length, 2);
});

const EVIL = '"\\\n\x1b[2J\u202e';

test("names from the store stay data in the metrics and in the document", async () => {
  const rig = await Rig.start();
  reportDirector(rig.cluster, `lb${EVIL}`, { table: EVIL });
  const value = recordBytes({ ...ROLLOUT, table: EVIL });
  rig.cluster.commit([], [{ put: KEYS.rollout("x"), value }]);
  const text = await rig.site.metrics();
  assert.doesNotMatch(text, /[\x1b\u202e]/); // eslint-disable-line no-control-regex
  for (const line of seriesIn(text))
    assert.match(
      line,
      /^ipvs_fleet_\w+(\{(\w+="([^"\\]|\\.)*",?)+\})? [0-9.e+-]+$/,
    );
  assert.doesNotMatch(
    await textOf(await rig.site.answer()),
    /[\x1b\u202e]/, // eslint-disable-line no-control-regex
  );
  await rig.document();
});

const ROLLOUT = {
  table: "web",
  revision: 2,
  waves: ["1", "all"],
  soakSeconds: 1,
  mostUnavailable: 1,
  timeoutSeconds: 1,
  state: "failed",
  wave: 1,
  author: "alice",
  at: "2026-01-02T03:04:05.000Z",
};

test(
  "promtool accepts the metrics of the fleet",
  { skip: skipPrometheus },
  async () => {
    const rig = await Rig.start();
    const value = recordBytes(ROLLOUT);
    rig.cluster.commit([], [{ put: KEYS.rollout("web"), value }]);
    const input = await rig.site.metrics();
    assert.match(
      input,
      /ipvs_fleet_rollout_state\{table="web",state="failed"\} 1/,
    );
    const { stdout, stderr, status } = spawnSync(
      prometheusProgram("promtool"),
      ["check", "metrics"],
      { input, encoding: "utf8" },
    );
    assert.deepEqual([stdout, stderr, status], ["", "", 0]);
  },
);

/** A configuration of a fleet whose store does not answer. */
function configuration(text: string): string {
  const file = join(folder, "fleet.yaml");
  writeFileSync(file, text);
  return file;
}

test("serve --fleet serves the table also if the store does not answer", async () => {
  const file = configuration("endpoints: ['http://127.0.0.1:1']\n");
  await serving(
    kernelWith(SAMPLE),
    async (url) => {
      const fleet = await fetch(`${url}/api/v1/fleet`);
      assert.equal(fleet.status, 503);
      assert.match(await fleet.text(), /cannot reach etcd/);
      const metrics = await (await fetch(`${url}/metrics`)).text();
      assert.match(metrics, /^ipvs_up 1$/m);
      assert.match(metrics, /^ipvs_fleet_up 0$/m);
      assert.equal((await fetch(`${url}/api/v1/table`)).status, 200);
      assert.equal(await firstEvent(url), true);
    },
    `serve --fleet ${file}`,
  );
});

test("serve without --fleet has no fleet", () =>
  serving(kernelWith(SAMPLE), async (url) => {
    assert.equal((await fetch(`${url}/api/v1/fleet`)).status, 404);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    assert.doesNotMatch(metrics, /fleet/);
    assert.equal(await firstEvent(url), undefined);
  }));

/** Whether the first event says that there is a fleet. */
async function firstEvent(url: string): Promise<unknown> {
  const response = await fetch(`${url}/api/v1/events`);
  assert.ok(response.body);
  let received = "";
  for await (const chunk of response.body.pipeThrough(
    new TextDecoderStream(),
  )) {
    received += chunk;
    const [, data] = /^event: table\ndata: (.*)\n\n/.exec(received) ?? [];
    if (data === undefined) continue;
    const event = JSON.parse(data) as { fleet?: unknown };
    assert.deepEqual(invalidities(event, "", "ipvsadm/events/1"), []);
    return event.fleet;
  }
  return assert.fail("no event");
}

test("serve --fleet refuses a file that is missing or has errors", async () => {
  const link = kernelWith(SAMPLE);
  const missing = await subcommand("serve --listen 0 --fleet /no/such/file", {
    link,
  });
  assert.equal(missing.status, 1);
  assert.match(missing.stderr, /cannot read \/no\/such\/file: No such file/);
  const file = configuration("endpoint: x\n");
  const wrong = await subcommand(`serve --listen 0 --fleet ${file}`, { link });
  assert.equal(wrong.status, 1);
  assert.match(wrong.stderr, /:1:1: .*endpoint/);
});
