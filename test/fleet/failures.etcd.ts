import assert from "node:assert/strict";
import { test } from "node:test";
import { FleetKeys } from "../../src/fleet/keys.js";
import { fetchHead, fetchHistory } from "../../src/fleet/revision.js";
import { ModelKernel } from "../plan/model-kernel.js";
import { TestCluster } from "../store/etcd-cluster.js";
import { publishSurely } from "./publish-surely.js";
import { SimulatedDirector } from "./simulated-director.js";

/* Directors and publishers while the members of a real etcd are killed and frozen. */

const KEYS = new FleetKeys("/failures/");

test("every director gets each revision while members are killed, frozen and compacted", async (context) => {
  await using cluster = await TestCluster.start({ members: 3 });
  const store = cluster.store();
  const directors = Array.from(
    { length: 5 },
    (_, i) =>
      new SimulatedDirector(
        cluster.store(),
        KEYS,
        `lb${i + 1}`,
        new ModelKernel({ services: [] }),
      ),
  );
  await publishSurely(store, KEYS, ["11", "12"], "first");
  for (const director of directors) director.start();
  for (const director of directors) await director.has("11*1 12*1");
  let count = 0;
  /** Publishes another table, and waits until all directors have it. */
  const change = async (what: string) => {
    const start = Date.now();
    const weight = (++count % 9) + 1;
    await publishSurely(store, KEYS, [`11*${weight}`, "12"], what);
    for (const director of directors) await director.has(`11*${weight} 12*1`);
    context.diagnostic(
      `${what}: ${((Date.now() - start) / 1000).toFixed(1)} s`,
    );
  };
  await change("all members work");
  for (const [i, member] of cluster.members.entries()) {
    await member.kill();
    await change(`member ${i} was killed`);
    member.start();
    await cluster.ready();
  }
  for (const [i, member] of cluster.members.entries()) {
    member.freeze();
    await change(`member ${i} is frozen`);
    const { revision } = await store.get("any");
    await store.cluster.call("always", ({ kv }, options) =>
      kv.compact({ revision, physical: true }, options),
    );
    member.thaw();
    await cluster.ready();
    await change(`member ${i} works again, after a compaction`);
  }
  await Promise.all(cluster.members.map((member) => member.kill()));
  for (const director of directors)
    await director.logs(/cannot reach etcd|the answer of etcd was lost/);
  const before = directors.map(({ servers }) => servers);
  assert.equal(new Set(before).size, 1);
  for (const member of cluster.members) member.start();
  await cluster.ready();
  assert.deepEqual(
    directors.map(({ servers }) => servers),
    before,
  );
  await change("all members were killed at once");
  for (const director of directors) await director[Symbol.asyncDispose]();
});

test("two publishers at once never share a revision, and none is lost", async () => {
  await using cluster = await TestCluster.start({ members: 3 });
  const stores = [cluster.store(), cluster.store()];
  const revisions: number[] = [];
  const [, leader] = cluster.members;
  await Promise.all([
    ...stores.map(async (store, publisher) => {
      for (let i = 0; i < 15; i++)
        revisions.push(
          await publishSurely(store, KEYS, ["11", "12"], `${publisher}-${i}`),
        );
    }),
    (async () => {
      await leader?.kill();
      leader?.start();
    })(),
  ]);
  const [store] = stores;
  assert.ok(store);
  assert.equal(new Set(revisions).size, 30);
  const history = await fetchHistory(store, KEYS, "web");
  // A publisher that gave up on an answer may have published that attempt, too.
  const { newest } = await fetchHead(store, KEYS, "web");
  assert.deepEqual(
    history.map(({ revision }) => revision),
    Array.from({ length: newest }, (_, i) => i + 1),
  );
  assert.equal(new Set(history.map(({ id }) => id)).size, newest);
  for (const revision of revisions)
    assert.ok(history.some((one) => one.revision === revision));
});
