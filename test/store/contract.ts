import assert from "node:assert/strict";
import { test } from "node:test";
import { StoreError } from "../../src/store/store-error.js";
import type { Store, WatchBatch } from "../../src/store/store.js";

/** A store under test. */
export interface StoreUnderTest {
  readonly store: Store;
  /** Forgets all history up to now */
  readonly compact: () => Promise<void>;
  /** Lets a lease of this time end */
  readonly leaseEnds: (seconds: number) => Promise<void>;
}

const bytes = (text: string) => Buffer.from(text);
const text = (value: Uint8Array | undefined) =>
  value && Buffer.from(value).toString();

/** Tests what every Store must do. The model and etcd pass the same tests. @param open each test gets keys of its own */
export function testStore(name: string, open: () => StoreUnderTest): void {
  let count = 0;
  const prefix = () => `/contract/${++count}/`;

  test(`${name}: get() finds nothing where nothing was written`, async () => {
    const { store } = open();
    const { found, revision } = await store.get(`${prefix()}a`);
    assert.equal(found, undefined);
    assert.ok(revision > 0n);
  });

  test(`${name}: commit() writes and removes several keys at one revision`, async () => {
    const { store } = open();
    const at = prefix();
    const first = await store.commit(
      [],
      [
        { put: `${at}a`, value: bytes("1") },
        { put: `${at}b`, value: bytes("2") },
      ],
    );
    assert.ok(first.succeeded);
    const { found } = await store.range(at);
    assert.deepEqual(
      found.map(({ key, value, revision, lease }) => [
        key,
        text(value),
        revision,
        lease,
      ]),
      [
        [`${at}a`, "1", first.revision, 0n],
        [`${at}b`, "2", first.revision, 0n],
      ],
    );
    await store.commit([], [{ remove: `${at}a` }]);
    assert.deepEqual(
      (await store.range(at)).found.map(({ key }) => key),
      [`${at}b`],
    );
  });

  test(`${name}: range() does not return keys that only begin like the prefix without its slash`, async () => {
    const { store } = open();
    const at = prefix();
    await store.commit(
      [],
      [
        { put: `${at}web/1`, value: bytes("") },
        { put: `${at}web2/1`, value: bytes("") },
      ],
    );
    const { found } = await store.range(`${at}web/`);
    assert.deepEqual(
      found.map(({ key }) => key),
      [`${at}web/1`],
    );
  });

  test(`${name}: commit() changes nothing if a condition is not met`, async () => {
    const { store } = open();
    const key = `${prefix()}a`;
    const created = await store.commit(
      [{ key, revision: 0n }],
      [{ put: key, value: bytes("1") }],
    );
    assert.ok(created.succeeded);
    const again = await store.commit(
      [{ key, revision: 0n }],
      [{ put: key, value: bytes("2") }],
    );
    assert.equal(again.succeeded, false);
    const changed = await store.commit(
      [{ key, revision: created.revision }],
      [{ put: key, value: bytes("3") }],
    );
    assert.ok(changed.succeeded);
    const stale = await store.commit(
      [{ key, revision: created.revision }],
      [{ put: key, value: bytes("4") }],
    );
    assert.equal(stale.succeeded, false);
    assert.equal(text((await store.get(key)).found?.value), "3");
  });

  test(`${name}: two writers with the same condition: one of them succeeds`, async () => {
    const { store } = open();
    const key = `${prefix()}a`;
    const results = await Promise.all(
      ["x", "y", "z"].map((value) =>
        store.commit(
          [{ key, revision: 0n }],
          [{ put: key, value: bytes(value) }],
        ),
      ),
    );
    assert.equal(results.filter(({ succeeded }) => succeeded).length, 1);
  });

  test(`${name}: a key with a lease ends with it`, async () => {
    const { store, leaseEnds } = open();
    const key = `${prefix()}a`;
    const lease = await store.grantLease(2);
    await store.commit([], [{ put: key, value: bytes("1"), lease }]);
    assert.equal(await store.keepLeaseAlive(lease), true);
    assert.equal((await store.get(key)).found?.lease, lease);
    await leaseEnds(2);
    assert.equal((await store.get(key)).found, undefined);
    assert.equal(await store.keepLeaseAlive(lease), false);
    await assert.rejects(
      store.commit([], [{ put: key, value: bytes("1"), lease }]),
      (error) => error instanceof StoreError && error.kind === "no-lease",
    );
  });

  test(`${name}: revokeLease() removes the keys at once, and a second time does nothing`, async () => {
    const { store } = open();
    const key = `${prefix()}a`;
    const lease = await store.grantLease(60);
    await store.commit([], [{ put: key, value: bytes("1"), lease }]);
    await store.revokeLease(lease);
    await store.revokeLease(lease);
    assert.equal((await store.get(key)).found, undefined);
  });

  test(`${name}: watch() reports changes of keys and prefixes from a revision on, in order`, async () => {
    const { store } = open();
    const at = prefix();
    const { revision } = await store.commit(
      [],
      [{ put: `${at}one`, value: bytes("before") }],
    );
    await store.commit([], [{ put: `${at}one`, value: bytes("1") }]);
    await store.commit([], [{ put: `${at}other`, value: bytes("x") }]);
    await store.commit([], [{ put: `${at}many/a`, value: bytes("2") }]);
    const watch = watching(
      store,
      [{ key: `${at}one` }, { prefix: `${at}many/` }],
      revision + 1n,
    );
    await watch.until(2);
    await store.commit([], [{ remove: `${at}one` }]);
    await watch.until(3);
    await store.commit([], [{ put: `${at}many/b`, value: bytes("4") }]);
    await watch.until(4);
    watch.stop();
    const seen = watch.events.map(({ key, value }) => [
      key.slice(at.length),
      text(value?.value),
    ]);
    // The order of different targets is not defined: etcd reports each by itself.
    assert.deepEqual(
      seen.filter(([key]) => key === "one"),
      [
        ["one", "1"],
        ["one", undefined],
      ],
    );
    assert.deepEqual(
      seen.filter(([key]) => key !== "one"),
      [
        ["many/a", "2"],
        ["many/b", "4"],
      ],
    );
  });

  test(`${name}: watch() ends when its signal is triggered`, async () => {
    const { store } = open();
    const at = prefix();
    const { revision } = await store.get(at);
    const watch = watching(store, [{ prefix: at }], revision + 1n);
    watch.stop();
    await watch.ended;
    assert.deepEqual(watch.events, []);
  });

  test(`${name}: watch() from a revision that was compacted fails as compacted`, async () => {
    const { store, compact } = open();
    const at = prefix();
    const { revision } = await store.commit(
      [],
      [{ put: `${at}a`, value: bytes("1") }],
    );
    await store.commit([], [{ put: `${at}a`, value: bytes("2") }]);
    await compact();
    const watch = watching(store, [{ key: `${at}a` }], revision);
    await assert.rejects(
      watch.ended,
      (error) => error instanceof StoreError && error.kind === "compacted",
    );
  });

  test(`${name}: a call whose signal is triggered fails as aborted`, async () => {
    const { store } = open();
    await assert.rejects(
      store.get("/contract/a", { signal: AbortSignal.abort() }),
      (error) => error instanceof StoreError && error.kind === "aborted",
    );
  });
}

/** Collects what a watch reports. */
export function watching(
  store: Store,
  targets: Parameters<Store["watch"]>[0],
  from: bigint,
) {
  const events: WatchBatch["events"][number][] = [];
  const stop = new AbortController();
  let wake: () => void = () => undefined;
  const ended = (async () => {
    for await (const batch of store.watch(targets, from, stop.signal)) {
      events.push(...batch.events);
      wake();
    }
  })();
  ended.catch(() => {
    wake();
  });
  return {
    events,
    ended,
    stop: () => {
      stop.abort();
    },
    /** Waits until so many events were reported. */
    async until(count: number): Promise<void> {
      while (events.length < count)
        await Promise.race([
          new Promise<void>((resolve) => {
            wake = resolve;
          }),
          ended.then(() => {
            throw new Error("the watch ended");
          }),
        ]);
    },
  };
}
