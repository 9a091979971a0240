import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { fleetLine } from "../../src/commands/fleet/explain.js";
import { readFleet } from "../../src/fleet/fleet-report.js";
import { FleetKeys } from "../../src/fleet/keys.js";
import { publish } from "../../src/fleet/publish.js";
import { fetchHead, fetchHistory } from "../../src/fleet/revision.js";
import { updateOrder } from "../../src/fleet/update-order.js";
import { StoreError } from "../../src/store/store-error.js";
import type { Store } from "../../src/store/store.js";
import { ModelKernel } from "../plan/model-kernel.js";
import { TestCluster } from "../store/etcd-cluster.js";
import { webTable } from "./rig.js";
import { SimulatedDirector } from "./simulated-director.js";

/* A real etcd whose disk quota is used up: it refuses writes, and answers reads. */

const KEYS = new FleetKeys("/full/");

async function publishOnce(store: Store, ...servers: readonly string[]) {
  const { revision } = await publish(store, KEYS, {
    ...{ name: "web", table: webTable(...servers), author: "alice" },
    ...{ message: "test", at: "2026-01-02T03:04:05.000Z" },
    ...{ id: String(Math.random()), release: true, force: false },
    allowEmpty: false,
  });
  return revision.revision;
}

function isFull(error: unknown): true {
  assert.ok(error instanceof StoreError, String(error));
  assert.equal(error.kind, "no-space", error.message);
  assert.equal(
    fleetLine(error, []),
    "etcd refuses writes: its disk quota is used up",
  );
  return true;
}

/** Waits until an agent has done so many more rounds. */
async function rounds(director: SimulatedDirector, count: number) {
  const end = performance.now() + 60_000;
  for (const until = director.rounds + count; director.rounds < until;) {
    assert.ok(performance.now() < end, director.log.join("; "));
    await new Promise((resolve) => {
      setTimeout(resolve, 50);
    });
  }
}

test("when the disk quota of etcd is used up, a publisher gets one error, no director changes or becomes silent, and nothing is lost", async () => {
  await using cluster = await TestCluster.start({
    members: 3,
    arguments: ["--quota-backend-bytes", "4000000"],
  });
  const store = cluster.store();
  const director = (name: string) =>
    new SimulatedDirector(
      cluster.store(),
      KEYS,
      name,
      new ModelKernel({ services: [] }),
    );
  const verdicts = async () => {
    const { directors } = await readFleet(store, KEYS);
    return directors.map(({ name, verdict }) => `${name} ${verdict}`);
  };
  await publishOnce(store, "11", "12");
  await using first = director("lb1");
  first.start();
  await first.has("11*1 12*1");
  while ((await verdicts())[0] !== "lb1 ok") await rounds(first, 1);
  const fill = async () => {
    for (let i = 0; i < 100; i++)
      await store.commit(
        [],
        [{ put: `/filler/${i}`, value: randomBytes(500_000) }],
      );
  };
  await assert.rejects(fill(), isFull);
  await assert.rejects(publishOnce(store, "11", "12", "13"), isFull);
  await assert.rejects(
    updateOrder(store, KEYS, "lb1", (order) => ({ ...order, paused: true })),
    isFull,
  );
  assert.equal((await fetchHead(store, KEYS, "web")).newest, 1);
  assert.equal((await store.range(KEYS.revisions("web"))).found.length, 1);
  assert.equal(
    (await store.get(KEYS.content("web", 2))).found,
    undefined,
    "there is no half of a revision",
  );
  await first.logs(/etcd refuses writes.*the table stays as it is/);
  // Twenty rounds are 10 s; without a renewal, a director is silent after 2 s.
  await rounds(first, 20);
  assert.deepEqual(await verdicts(), ["lb1 ok"]);
  assert.equal(first.servers, "11*1 12*1");
  // A director that starts now cannot report, but reads and applies.
  await using second = director("lb2");
  second.start();
  await second.has("11*1 12*1");
  // What the advice of the error says.
  cluster.etcdctl("del", "--prefix", "/filler/");
  const { revision } = await store.get("any");
  cluster.etcdctl("compact", String(revision));
  cluster.etcdctl("defrag");
  cluster.etcdctl("alarm", "disarm");
  assert.equal(await publishOnce(store, "11", "12", "13"), 2);
  for (const one of [first, second]) await one.has("11*1 12*1 13*1");
  while ((await verdicts()).join() !== "lb1 ok,lb2 ok") await rounds(second, 1);
  const history = await fetchHistory(store, KEYS, "web");
  assert.deepEqual(
    history.map((one) => one.revision),
    [1, 2],
  );
});
