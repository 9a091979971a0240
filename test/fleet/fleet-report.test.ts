import assert from "node:assert/strict";
import { test } from "node:test";
import { PLAIN } from "../../src/cli/color.js";
import {
  changeLine,
  statusLines,
} from "../../src/commands/fleet/status/status-text.js";
import { statusJson } from "../../src/commands/fleet/status/status-json.js";
import { jsonText } from "../../src/document/json-text.js";
import { readFleet } from "../../src/fleet/fleet-report.js";
import { updateOrder } from "../../src/fleet/update-order.js";
import { MemoryCluster } from "../store/memory-store.js";
import { validated } from "./fleet-schema.js";
import { reportDirector as report } from "./made-up-reports.js";
import { KEYS, release, webTable } from "./rig.js";

async function fleet(): Promise<MemoryCluster> {
  const cluster = new MemoryCluster();
  await release(cluster.client(), webTable("11"));
  await release(cluster.client(), webTable("11", "12"));
  return cluster;
}

test("readFleet() says how each director does", async () => {
  const cluster = await fleet();
  report(cluster, "lb1", { applied: 2 });
  report(cluster, "lb2", {});
  report(cluster, "lb3", { applied: 2, condition: "drifting" });
  report(cluster, "lb4", { condition: "failed", reason: "why" });
  report(cluster, "lb5", { applied: 2 }, { alive: false });
  report(cluster, "lb6", {});
  report(cluster, "lb7", { table: "other", condition: "waiting" });
  report(cluster, "lb10", { applied: 2, condition: "a newer one" });
  await updateOrder(cluster.client(), KEYS, "lb6", () => ({ paused: true }));
  await updateOrder(cluster.client(), KEYS, "lb9", () => ({ paused: false }));
  const { directors } = await readFleet(cluster.client(), KEYS);
  assert.deepEqual(
    directors.map(({ name, verdict, wanted }) => [name, verdict, wanted]),
    [
      ["lb1", "ok", 2],
      ["lb2", "behind", 2],
      ["lb3", "drifting", 2],
      ["lb4", "failed", 2],
      ["lb5", "silent", 2],
      ["lb6", "paused", 1],
      ["lb7", "waiting", undefined],
      ["lb9", "silent", undefined],
      ["lb10", "failed", 2],
    ],
  );
});

test("a malformed report is a failed director, and does not hide the others", async () => {
  const cluster = await fleet();
  report(cluster, "lb1", { applied: 2 });
  report(cluster, "lb2", { labels: "none" });
  report(cluster, "lb3", {});
  cluster.commit([], [{ put: KEYS.state("lb3"), value: Buffer.from("{") }]);
  cluster.commit([], [{ put: KEYS.drain("x"), value: Buffer.from("[]") }]);
  cluster.commit([], [{ put: KEYS.order("lb1"), value: Buffer.from("1") }]);
  const found = await readFleet(cluster.client(), KEYS);
  assert.deepEqual(
    found.directors.map(({ name, verdict, reason }) => [name, verdict, reason]),
    [
      ["lb1", "ok", undefined],
      ["lb2", "failed", "not an object"],
      ["lb3", "failed", "not JSON"],
    ],
  );
  assert.deepEqual(found.drains, []);
});

test("the texts of status contain no control characters from the store, and its JSON fits the schema", async () => {
  const cluster = await fleet();
  const evil = "\x1b[2J\u202e\n";
  report(cluster, `lb${evil}`, {
    condition: "failed",
    reason: evil,
    table: evil,
    labels: { [evil]: evil },
  });
  const found = await readFleet(cluster.client(), KEYS);
  const [director] = found.directors;
  assert.ok(director);
  const lines = [
    ...statusLines(found, { paint: PLAIN, width: undefined }),
    changeLine(director, PLAIN),
  ];
  for (const line of lines) assert.doesNotMatch(line, /[\p{Cc}\u202e]/u);
  const text = jsonText(statusJson(found));
  assert.ok(!text.includes("\x1b") && !text.includes("\u202e"));
  validated(text);
});

test("sums are over directors that are not silent", async () => {
  const cluster = await fleet();
  report(cluster, "lb1", { applied: 2 });
  report(cluster, "lb2", { applied: 2 });
  report(cluster, "lb3", { applied: 2 }, { alive: false });
  const found = await readFleet(cluster.client(), KEYS);
  const lines = statusLines(found, { paint: PLAIN, width: 200 });
  assert.equal(
    lines.at(-1),
    "3 directors: 1 silent, 2 ok; 10 active connections, 4/s, in 2.0kB/s, out 4.0kB/s",
  );
});
