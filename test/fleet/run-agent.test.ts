import assert from "node:assert/strict";
import { test } from "node:test";
import type { StoreTrouble } from "../store/memory-store.js";
import { MemoryCluster } from "../store/memory-store.js";
import { ModelKernel } from "../plan/model-kernel.js";
import { KEYS, release, webTable } from "./rig.js";
import { SimulatedDirector } from "./simulated-director.js";

/** Waits until something is so in the store. */
async function until(what: string, condition: () => boolean): Promise<void> {
  const end = performance.now() + 60_000;
  while (!condition()) {
    assert.ok(performance.now() < end, `not in 60 seconds: ${what}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 5);
    });
  }
}

test("runAgent() writes its state again after an operator removed it, and after the store was restored", async () => {
  const cluster = new MemoryCluster();
  let trouble: StoreTrouble | undefined;
  const store = cluster.client(() => trouble);
  await release(cluster.client(), webTable("11"));
  await using director = new SimulatedDirector(
    store,
    KEYS,
    "lb1",
    new ModelKernel({ services: [] }),
    { splay: 1, interval: 20, drain: 20, report: 20 },
  );
  director.start();
  const state = () =>
    Buffer.from(cluster.get(KEYS.state("lb1"))?.value ?? []).toString();
  const isOk = () => state().includes('"condition":"ok"');
  await until("the director is ok", isOk);
  await until(
    "it is alive",
    () => cluster.get(KEYS.alive("lb1")) !== undefined,
  );
  // The director is cut off, and an operator forgets it.
  trouble = "unreachable";
  cluster.pass(60);
  assert.equal(cluster.get(KEYS.alive("lb1")), undefined);
  cluster.commit(
    [],
    [{ remove: KEYS.state("lb1") }, { remove: KEYS.load("lb1") }],
  );
  trouble = undefined;
  await until("the state is written again", isOk);
  // The store is restored: it has an older state, and the watch ends.
  const older = Buffer.from(state().replace('"ok"', '"waiting"'));
  cluster.commit([], [{ put: KEYS.state("lb1"), value: older }]);
  cluster.endWatches();
  await until("the state is written once more", isOk);
});
