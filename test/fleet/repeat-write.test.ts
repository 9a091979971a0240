import assert from "node:assert/strict";
import { test } from "node:test";
import { fleetLine } from "../../src/commands/fleet/explain.js";
import { ContendedKey } from "../../src/fleet/fleet-error.js";
import { readOrder } from "../../src/fleet/order.js";
import { recordBytes } from "../../src/fleet/record.js";
import { MOST_CONFLICTS, repeatWrite } from "../../src/fleet/repeat-write.js";
import { readRollout, type Rollout } from "../../src/fleet/rollout/rollout.js";
import { changeRollout } from "../../src/fleet/rollout/run-rollout.js";
import { updateOrder } from "../../src/fleet/update-order.js";
import { StoreError, type StoreFailure } from "../../src/store/store-error.js";
import { MemoryCluster, type StoreTrouble } from "../store/memory-store.js";
import { KEYS } from "./rig.js";

const ROLLOUT: Rollout = {
  table: "web",
  revision: 2,
  waves: ["all"],
  soakSeconds: 0,
  mostUnavailable: 1,
  timeoutSeconds: 1,
  state: "running",
  wave: 1,
  author: "alice",
  at: "2026-01-02T03:04:05.000Z",
};

/** A write that fails in these ways, one after the other, and then succeeds. */
function failing(...kinds: readonly StoreFailure[]) {
  const left = [...kinds];
  return () => {
    const kind = left.shift();
    return kind === undefined
      ? Promise.resolve("written")
      : Promise.reject(new StoreError(kind, kind));
  };
}

const isError = (kind: StoreFailure) => (error: unknown) =>
  error instanceof StoreError && error.kind === kind;

test("repeatWrite() repeats a write whose answer was lost, and no other", async () => {
  const lost = "outcome-unknown";
  assert.equal(await repeatWrite(failing(lost, lost, lost)), "written");
  await assert.rejects(
    repeatWrite(failing(lost, lost, lost, lost)),
    isError(lost),
  );
  await assert.rejects(
    repeatWrite(failing("unreachable")),
    isError("unreachable"),
  );
});

test("repeatWrite() says that the outcome is unknown if only a later attempt surely failed", async () => {
  await assert.rejects(
    repeatWrite(failing("outcome-unknown", "unreachable")),
    isError("outcome-unknown"),
  );
  await assert.rejects(
    repeatWrite(failing("outcome-unknown", "aborted")),
    isError("aborted"),
  );
});

/** A store in which somebody else writes a key just before each commit. */
function contended(cluster: MemoryCluster, key: string, record: object) {
  const counts = { others: 0 };
  const store = cluster.client((call) => {
    if (call !== "commit") return undefined;
    counts.others++;
    cluster.commit([], [{ put: key, value: recordBytes(record) }]);
    return undefined;
  });
  return { store, counts };
}

const gaveUp = (key: string) => (error: unknown) => {
  assert.ok(error instanceof ContendedKey, String(error));
  assert.equal(
    fleetLine(error, []),
    `others changed ${key} at the same time, 20 times: gave up, nothing was changed`,
  );
  return true;
};

test("updateOrder() gives up if others change the order each time, and changes nothing", async () => {
  const cluster = new MemoryCluster();
  const key = KEYS.order("lb1");
  const { store, counts } = contended(cluster, key, { paused: false });
  await assert.rejects(
    updateOrder(store, KEYS, "lb1", (order) => ({ ...order, paused: true })),
    gaveUp(key),
  );
  assert.equal(counts.others, MOST_CONFLICTS);
  const found = cluster.get(key);
  assert.equal(found && readOrder(found).paused, false);
});

test("changeRollout() gives up if others change the rollout each time, and changes nothing", async () => {
  const cluster = new MemoryCluster();
  const key = KEYS.rollout("web");
  cluster.commit([], [{ put: key, value: recordBytes(ROLLOUT) }]);
  const { store, counts } = contended(cluster, key, ROLLOUT);
  await assert.rejects(
    changeRollout(store, KEYS, "web", ["running"], "aborted"),
    gaveUp(key),
  );
  assert.equal(counts.others, MOST_CONFLICTS);
  const found = cluster.get(key);
  assert.equal(found && readRollout(found).state, "running");
});

test("changeRollout() succeeds if the answer to the change is lost", async () => {
  const cluster = new MemoryCluster();
  const key = KEYS.rollout("web");
  cluster.commit([], [{ put: key, value: recordBytes(ROLLOUT) }]);
  const troubles: StoreTrouble[] = ["answer lost"];
  const store = cluster.client((call) =>
    call === "commit" ? troubles.shift() : undefined,
  );
  const { state } = await changeRollout(
    store,
    KEYS,
    "web",
    ["running"],
    "aborted",
  );
  assert.equal(state, "aborted");
});
