import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { readFleet } from "../../src/fleet/fleet-report.js";
import { FleetKeys } from "../../src/fleet/keys.js";
import { publish } from "../../src/fleet/publish.js";
import { fetchHead, fetchHistory } from "../../src/fleet/revision.js";
import { StoreError } from "../../src/store/store-error.js";
import type { Store } from "../../src/store/store.js";
import type { EtcdStore } from "../../src/store/etcd/etcd-store.js";
import { ModelKernel } from "../plan/model-kernel.js";
import type { CuttableProxy } from "../store/cuttable-proxy.js";
import { PAUSES, TestCluster } from "../store/etcd-cluster.js";
import { publishSurely } from "./publish-surely.js";
import { webTable } from "./rig.js";
import { SimulatedDirector } from "./simulated-director.js";

/* Directors and publishers of a real etcd in a network that loses every packet and tells nobody. */

const KEYS = new FleetKeys("/network/");

/** A ping after 6 s without data, 3 s for its answer, and the times between attempts; the rest is for a busy machine. */
const LONGEST_SECONDS = 40;

/** Measures how long something takes, and fails if it takes too long. */
async function within(
  context: TestContext,
  what: string,
  act: () => Promise<void>,
): Promise<void> {
  const start = performance.now();
  await act();
  const seconds = (performance.now() - start) / 1000;
  context.diagnostic(`${what}: ${seconds.toFixed(1)} s`);
  assert.ok(seconds < LONGEST_SECONDS, `${what}: ${seconds} s`);
}

async function verdictOf(store: Store, name: string) {
  const { directors } = await readFleet(store, KEYS);
  return directors.find((one) => one.name === name)?.verdict;
}

async function untilVerdict(store: Store, name: string, verdict: string) {
  const end = performance.now() + LONGEST_SECONDS * 1000;
  while ((await verdictOf(store, name)) !== verdict) {
    assert.ok(performance.now() < end, `${name} is not ${verdict}`);
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
}

function newDirector(store: EtcdStore, name: string, report?: number) {
  return new SimulatedDirector(
    store,
    KEYS,
    name,
    new ModelKernel({ services: [] }),
    report === undefined ? {} : { report, silence: 3 * report },
  );
}

async function compact(store: EtcdStore): Promise<void> {
  const { revision } = await store.get("any");
  await store.cluster.call("always", ({ kv }, options) =>
    kv.compact({ revision, physical: true }, options),
  );
}

const cutAll = (proxies: readonly CuttableProxy[]) => {
  for (const proxy of proxies) proxy.cut();
};

const joinAll = (proxies: readonly CuttableProxy[]) => {
  for (const proxy of proxies) proxy.join();
};

test("a director that is cut off silently keeps its table, says so, and catches up, also after a compaction", async (context) => {
  await using cluster = await TestCluster.start({ members: 3 });
  const store = cluster.store();
  const { proxies, endpoints } = await cluster.network();
  await using director = newDirector(cluster.store({ endpoints }), "lb1");
  await publishSurely(store, KEYS, ["11", "12"], "first");
  director.start();
  await director.has("11*1 12*1");
  await untilVerdict(store, "lb1", "ok");
  for (const [i, compacts] of [false, true].entries()) {
    cutAll(proxies);
    await within(context, "the director says so", () =>
      director.logs(/cannot reach etcd|the answer of etcd was lost/),
    );
    await within(context, "the director is silent", () =>
      untilVerdict(store, "lb1", "silent"),
    );
    const before = director.servers;
    await publishSurely(store, KEYS, [`11*${i + 2}`, "12"], "while cut off");
    if (compacts) await compact(store);
    assert.equal(director.servers, before);
    joinAll(proxies);
    await within(context, "it has the revision after the cut", () =>
      director.has(`11*${i + 2} 12*1`),
    );
    await within(context, "it is ok", () => untilVerdict(store, "lb1", "ok"));
  }
});

test("directors whose member is cut off from them silently go on at another one, by a ping alone", async (context) => {
  await using cluster = await TestCluster.start({ members: 3 });
  const store = cluster.store();
  const { proxies, endpoints } = await cluster.network();
  await publishSurely(store, KEYS, ["11", "12"], "first");
  // One at each member. Their reports are so rare that only a ping can find out.
  const directors = proxies.map((_, i) =>
    newDirector(
      cluster.store({
        endpoints,
        pauses: { ...PAUSES, random: () => i / proxies.length },
      }),
      `lb${i + 1}`,
      600_000,
    ),
  );
  for (const director of directors) director.start();
  for (const director of directors) await director.has("11*1 12*1");
  for (const [i, proxy] of proxies.entries()) {
    proxy.cut();
    await within(
      context,
      `member ${i} is cut off from the directors`,
      async () => {
        await publishSurely(store, KEYS, [`11*${i + 2}`, "12"], `cut ${i}`);
        for (const director of directors)
          await director.has(`11*${i + 2} 12*1`);
      },
    );
    proxy.join();
  }
  for (const director of directors) await director[Symbol.asyncDispose]();
});

test("while a member is cut off from the others, its directors and publishers go on at another one", async (context) => {
  await using cluster = await TestCluster.start({ members: 3, proxies: true });
  const { endpoints } = cluster;
  const beginningAt = (i: number) =>
    cluster.store({
      pauses: { ...PAUSES, random: () => i / endpoints.length },
    });
  const store = cluster.store();
  await publishSurely(store, KEYS, ["11", "12"], "first");
  const directors = endpoints.map((_, i) =>
    newDirector(beginningAt(i), `lb${i + 1}`),
  );
  for (const director of directors) director.start();
  for (const director of directors) await director.has("11*1 12*1");
  // One of the members is the leader.
  for (const i of endpoints.keys()) {
    const publishers = [beginningAt(i), beginningAt(i)];
    for (const publisher of publishers) await publisher.get("any");
    cluster.isolate(i);
    await within(
      context,
      `member ${i} is cut off from the others`,
      async () => {
        await Promise.all(
          publishers.map((publisher, n) =>
            publishSurely(publisher, KEYS, [`11*${i + 2}`, "12"], `${i}-${n}`),
          ),
        );
        for (const director of directors)
          await director.has(`11*${i + 2} 12*1`);
      },
    );
    cluster.join();
    await cluster.ready();
  }
  const { newest } = await fetchHead(store, KEYS, "web");
  const history = await fetchHistory(store, KEYS, "web");
  assert.deepEqual(
    history.map(({ revision }) => revision),
    Array.from({ length: newest }, (_, i) => i + 1),
  );
  assert.equal(new Set(history.map(({ id }) => id)).size, newest);
  for (const i of endpoints.keys())
    for (const n of [0, 1])
      assert.ok(history.some(({ message }) => message === `${i}-${n}`));
  for (const director of directors) await director[Symbol.asyncDispose]();
});

test("a publisher that is cut off silently gets one error in time: nothing was published, or the outcome is unknown", async (context) => {
  await using cluster = await TestCluster.start({ members: 3 });
  const direct = cluster.store();
  await publishSurely(direct, KEYS, ["11", "12"], "first");
  const { proxies, endpoints } = await cluster.network();
  const deadlineMilliseconds = 2000;
  const once = (store: Store, message: string) =>
    publish(store, KEYS, {
      ...{ name: "web", table: webTable("11*2", "12"), author: "alice" },
      ...{ message, at: "2026-01-02T03:04:05.000Z", id: message },
      ...{ release: true, force: false, allowEmpty: false },
    });
  const fails = (kind: StoreError["kind"]) => (error: unknown) => {
    assert.ok(error instanceof StoreError, String(error));
    assert.equal(error.kind, kind, error.message);
    return true;
  };
  const store = cluster.store({ endpoints, deadlineMilliseconds });
  await store.get("any");
  cutAll(proxies);
  await within(context, "requests are lost", () =>
    assert.rejects(once(store, "never sent"), fails("unreachable")),
  );
  assert.equal((await fetchHead(direct, KEYS, "web")).newest, 1);
  joinAll(proxies);
  // The requests of the reads before it are answered; from the write on, answers are lost.
  const inner = cluster.store({ endpoints, deadlineMilliseconds });
  const cutting = {
    get: inner.get.bind(inner),
    commit: (...args: Parameters<Store["commit"]>) => {
      for (const proxy of proxies) proxy.cut({ what: "answers" });
      return inner.commit(...args);
    },
  } as unknown as Store;
  await within(context, "answers are lost", () =>
    assert.rejects(once(cutting, "answer lost"), fails("outcome-unknown")),
  );
  const history = await fetchHistory(direct, KEYS, "web");
  assert.deepEqual(
    history.map(({ message, revision }) => [message, revision]),
    [
      ["first", 1],
      ["answer lost", 2],
    ],
  );
  joinAll(proxies);
  // The same person looks, and tries again.
  const { revision } = await once(
    cluster.store({ endpoints, deadlineMilliseconds }),
    "again",
  );
  assert.equal(revision.revision, 3);
});
