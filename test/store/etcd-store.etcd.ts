import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { StoreError } from "../../src/store/store-error.js";
import { systemClock } from "../../src/system/clock.js";
import { TestCertificates } from "./certificates.js";
import { testStore, watching } from "./contract.js";
import { TestCluster } from "./etcd-cluster.js";

let single: TestCluster;

before(async () => {
  single = await TestCluster.start();
});

after(async () => {
  await single[Symbol.asyncDispose]();
});

testStore("etcd", () => {
  const store = single.store();
  return {
    store,
    async compact() {
      const { revision } = await store.get("any");
      await store.cluster.call("always", ({ kv }, options) =>
        kv.compact({ revision, physical: true }, options),
      );
    },
    async leaseEnds(seconds) {
      // etcd ends leases by its own clock, up to half a second late, and at least after its election timeout.
      await systemClock.sleep(
        seconds * 1000 + 1500,
        new AbortController().signal,
      );
    },
  };
});

const isError = (kind: StoreError["kind"]) => (error: unknown) => {
  assert.ok(error instanceof StoreError, String(error));
  assert.equal(error.kind, kind, error.message);
  return true;
};

test("EtcdStore reports unreachable members, with the reason of the system, by its deadline", async () => {
  const store = single.store({
    endpoints: ["http://127.0.0.1:1", "http://127.0.0.1:2"],
    deadlineMilliseconds: 500,
  });
  const start = Date.now();
  await assert.rejects(store.get("a"), (error) => {
    isError("unreachable")(error);
    assert.match((error as StoreError).detail, /ECONNREFUSED/);
    return true;
  });
  assert.ok(Date.now() - start < 2000);
});

test("EtcdStore makes many calls at the same time, and Node.js does not warn", async (context) => {
  const warnings: Error[] = [];
  const warned = (warning: Error) => warnings.push(warning);
  process.on("warning", warned);
  context.after(() => process.off("warning", warned));
  const store = single.store();
  await Promise.all(Array.from({ length: 50 }, () => store.get("a")));
  assert.deepEqual(warnings, []);
});

test("EtcdStore reports a value that is too large, and works afterwards", async () => {
  const store = single.store();
  await assert.rejects(
    store.commit([], [{ put: "large", value: Buffer.alloc(2_000_000) }]),
    isError("too-large"),
  );
  const { succeeded } = await store.commit(
    [],
    [{ put: "large", value: Buffer.alloc(1_400_000) }],
  );
  assert.ok(succeeded);
});

test("EtcdStore reports a member that speaks no TLS as untrusted or unreachable", async () => {
  const store = single.store({
    endpoints: single.endpoints.map((one) => one.replace("http:", "https:")),
    deadlineMilliseconds: 1000,
  });
  await assert.rejects(
    store.get("a"),
    (error) =>
      error instanceof StoreError &&
      ["untrusted", "unreachable"].includes(error.kind),
  );
});

test("EtcdStore survives the death of each member of three in turn", async () => {
  await using cluster = await TestCluster.start({ members: 3 });
  const store = cluster.store();
  const watch = watching(store, [{ prefix: "n/" }], 1n);
  for (const [i, member] of cluster.members.entries()) {
    await member.kill();
    await persist(() =>
      store.commit([], [{ put: `n/${i}`, value: Buffer.from("x") }]),
    );
    await watch.until(i + 1);
    member.start();
    await cluster.ready();
  }
  watch.stop();
  assert.deepEqual(
    [...new Set(watch.events.map(({ key }) => key))],
    ["n/0", "n/1", "n/2"],
  );
});

test("EtcdStore goes on at another member when one is frozen: reads at once, the watch after a ping", async () => {
  await using cluster = await TestCluster.start({ members: 3 });
  const writer = cluster.store();
  for (const member of cluster.members) {
    const store = cluster.store();
    const { revision } = await store.get("a");
    const watch = watching(store, [{ key: "a" }], revision + 1n);
    member.freeze();
    const start = Date.now();
    await store.get("a");
    assert.ok(Date.now() - start < 9000, `${Date.now() - start} ms`);
    await persist(() =>
      writer.commit([], [{ put: "a", value: Buffer.from("x") }]),
    );
    await watch.until(1);
    watch.stop();
    member.thaw();
    store.close();
  }
});

test("EtcdStore finds all values again after all members were killed at once", async () => {
  await using cluster = await TestCluster.start({ members: 3 });
  const store = cluster.store();
  const { revision } = await store.commit(
    [],
    [{ put: "a", value: Buffer.from("1") }],
  );
  const watch = watching(store, [{ key: "a" }], revision + 1n);
  await Promise.all(cluster.members.map((member) => member.kill()));
  const short = cluster.store({ deadlineMilliseconds: 1000 });
  await assert.rejects(short.get("a"), isError("unreachable"));
  for (const member of cluster.members) member.start();
  await cluster.ready();
  const { found } = await store.get("a");
  assert.deepEqual(Buffer.from(found?.value ?? []), Buffer.from("1"));
  await persist(() =>
    store.commit([], [{ put: "a", value: Buffer.from("2") }]),
  );
  await watch.until(1);
  watch.stop();
});

test("EtcdStore without a quorum reports that, and never says that a write was made", async () => {
  await using cluster = await TestCluster.start({ members: 3 });
  const store = cluster.store({ deadlineMilliseconds: 6000 });
  await store.get("a");
  const [first, second] = cluster.members;
  await first?.kill();
  await second?.kill();
  await assert.rejects(
    store.commit([], [{ put: "a", value: Buffer.from("x") }]),
    (error) =>
      error instanceof StoreError &&
      ["unreachable", "no-leader", "outcome-unknown"].includes(error.kind),
  );
});

test("EtcdStore with certificates: the member must be trusted, and the client must show one", async () => {
  const certificates = new TestCertificates();
  await using cluster = await TestCluster.start({ certificates });
  const store = cluster.store();
  await store.commit([], [{ put: "a", value: Buffer.from("1") }]);
  const others = new TestCertificates();
  const deadlineMilliseconds = 1000;
  const strange = cluster.store({
    deadlineMilliseconds,
    certificates: () => ({ authorities: Buffer.from("") }),
  });
  await assert.rejects(strange.get("a"), isError("untrusted"));
  const { certificate, key } = others.client("root");
  const foreign = cluster.store({
    deadlineMilliseconds,
    certificates: () => ({
      authorities: readFileSync(certificates.authority),
      certificate: readFileSync(certificate),
      key: readFileSync(key),
    }),
  });
  await assert.rejects(
    foreign.get("a"),
    (error) =>
      error instanceof StoreError &&
      ["untrusted", "unreachable"].includes(error.kind),
  );
});

test("EtcdStore fetches another token when the token of its user has expired", async () => {
  await using cluster = await TestCluster.start({
    arguments: ["--auth-token-ttl", "1"],
  });
  const admin = cluster.store();
  const call = admin.cluster.call.bind(admin.cluster);
  await call("always", ({ auth }, options) =>
    auth.roleAdd({ name: "root" }, options),
  );
  await call("always", ({ auth }, options) =>
    auth.userAdd({ name: "root", password: "secret" }, options),
  );
  await call("always", ({ auth }, options) =>
    auth.userGrantRole({ user: "root", role: "root" }, options),
  );
  await call("always", ({ auth }, options) => auth.authEnable({}, options));
  await assert.rejects(admin.get("a"), isError("unauthenticated"));
  const wrong = cluster.store({ user: { name: "root", password: "wrong" } });
  await assert.rejects(wrong.get("a"), isError("unauthenticated"));
  const store = cluster.store({ user: { name: "root", password: "secret" } });
  const { revision } = await store.commit(
    [],
    [{ put: "a", value: Buffer.from("1") }],
  );
  const watch = watching(store, [{ key: "a" }], revision + 1n);
  for (let i = 0; i < 3; i++) {
    // Longer than the lifetime of the token, which etcd checks every second.
    await systemClock.sleep(2500, new AbortController().signal);
    await store.commit([], [{ put: "a", value: Buffer.from(String(i)) }]);
    await watch.until(i + 1);
  }
  watch.stop();
});

/** Repeats a write whose answer may be lost while a leader is elected. */
async function persist(write: () => Promise<unknown>): Promise<void> {
  for (let attempt = 0; ; attempt++)
    try {
      await write();
      return;
    } catch (error) {
      const lost =
        error instanceof StoreError &&
        ["outcome-unknown", "no-leader", "unreachable"].includes(error.kind);
      if (!lost || attempt === 5) throw error;
    }
}
