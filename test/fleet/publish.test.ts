import assert from "node:assert/strict";
import { test } from "node:test";
import { RevisionError } from "../../src/fleet/fleet-error.js";
import {
  fetchHead,
  fetchHistory,
  fetchRevision,
} from "../../src/fleet/revision.js";
import { tableOfText, textOfTable } from "../../src/fleet/table-text.js";
import { StoreError } from "../../src/store/store-error.js";
import { MemoryCluster, type StoreTrouble } from "../store/memory-store.js";
import { EMPTY, KEYS, release, webTable } from "./rig.js";

const isError = (kind: RevisionError["kind"]) => (error: unknown) => {
  assert.ok(error instanceof RevisionError, String(error));
  assert.equal(error.kind, kind);
  return true;
};

test("publish() numbers revisions from 1, and moves the pointer", async () => {
  const store = new MemoryCluster().client();
  assert.equal(await release(store, webTable("11")), 1);
  assert.equal(await release(store, webTable("11", "12")), 2);
  assert.deepEqual(await fetchHead(store, KEYS, "web"), {
    newest: 2,
    released: 2,
  });
  const history = await fetchHistory(store, KEYS, "web");
  assert.deepEqual(
    history.map(({ revision, author, servers }) => [revision, author, servers]),
    [
      [1, "alice", 1],
      [2, "alice", 2],
    ],
  );
  const { text } = await fetchRevision(store, KEYS, "web", 1);
  assert.equal(text, textOfTable(webTable("11")));
  assert.equal(textOfTable(tableOfText(text)), text);
});

test("publish() keeps the released revision if the new one is only staged", async () => {
  const store = new MemoryCluster().client();
  await release(store, webTable("11"));
  await release(store, webTable("12", "11"), { release: false });
  assert.deepEqual(await fetchHead(store, KEYS, "web"), {
    newest: 2,
    released: 1,
  });
});

test("publish() refuses if the newest revision is not the expected one", async () => {
  const store = new MemoryCluster().client();
  await release(store, webTable("11"), { expect: 0 });
  await assert.rejects(
    release(store, webTable("11"), { expect: 0 }),
    isError("head-moved"),
  );
  await release(store, webTable("11"), { expect: 1 });
});

test("of publishers at the same time, one succeeds and the others are told", async () => {
  const cluster = new MemoryCluster();
  await release(cluster.client(), webTable("11"));
  const results = await Promise.allSettled(
    ["12", "13", "14"].map((host) =>
      release(cluster.client(), webTable("11", host)),
    ),
  );
  const [won] = results.filter(({ status }) => status === "fulfilled");
  assert.deepEqual(won, { status: "fulfilled", value: 2 });
  for (const result of results)
    if (result.status === "rejected") isError("head-moved")(result.reason);
  assert.equal(results.filter((one) => one.status === "rejected").length, 2);
});

test("publish() settles a lost answer by reading back, whether the write was made or not", async () => {
  const cluster = new MemoryCluster();
  const troubles: (StoreTrouble | undefined)[] = ["answer lost", "answer lost"];
  const store = cluster.client((call) =>
    call === "commit" ? troubles.shift() : undefined,
  );
  assert.equal(await release(store, webTable("11")), 1);
  assert.equal((await fetchHistory(store, KEYS, "web")).length, 1);
});

test("publish() says so if every answer is lost and the write was not made", async () => {
  const cluster = new MemoryCluster();
  const inner = cluster.client();
  const store = {
    ...inner,
    get: inner.get.bind(inner),
    commit: () =>
      Promise.reject(new StoreError("outcome-unknown", "the answer was lost")),
  } as unknown as typeof inner;
  await assert.rejects(
    release(store, webTable("11")),
    (error) => error instanceof StoreError && error.kind === "outcome-unknown",
  );
});

test("publish() says that the outcome is unknown if an answer is lost and nothing answers afterwards", async () => {
  // The commit is made; its answer, or that of reading back, is lost.
  for (const later of [1, 4]) {
    const cluster = new MemoryCluster();
    let commits = 0;
    const store = cluster.client((call) => {
      if (call === "commit") commits++;
      if (commits === 0) return undefined;
      return call === "commit" && commits <= later
        ? "answer lost"
        : "unreachable";
    });
    await assert.rejects(
      release(store, webTable("11")),
      (error) =>
        error instanceof StoreError && error.kind === "outcome-unknown",
    );
    const history = await fetchHistory(cluster.client(), KEYS, "web");
    assert.equal(history.length, 1);
  }
});

test("publish() refuses an empty table and large removals, unless they are allowed", async () => {
  const store = new MemoryCluster().client();
  await assert.rejects(release(store, EMPTY), isError("empty"));
  await release(store, webTable("11", "12", "13", "14"));
  await assert.rejects(release(store, EMPTY), isError("empty"));
  await assert.rejects(
    release(store, webTable("11")),
    isError("removes-too-much"),
  );
  await release(store, webTable("11", "12")); // half of them
  await release(store, webTable("13"), { force: true });
  await release(store, EMPTY, { allowEmpty: true });
});

test("publish() refuses a table that the store would not take", async () => {
  const store = new MemoryCluster().client();
  const [web] = webTable("11").services;
  const [server] = web?.servers ?? [];
  assert.ok(web && server);
  // Random addresses do not compress.
  const random = () => Math.floor(Math.random() * 256);
  const services = Array.from({ length: 25_000 }, (_, i) => ({
    ...web,
    key: { family: web.key.family, firewallMark: i + 1 },
    servers: Array.from({ length: 6 }, () => ({
      key: {
        address: Uint8Array.of(10, random(), random(), random()),
        port: random() * 256 + random(),
      },
      settings: {
        ...server.settings,
        weight: random() * 65536 + random(),
      },
    })),
  }));
  await assert.rejects(release(store, { services }), isError("too-large"));
});

test("fetchRevision() refuses content that does not match its hash", async () => {
  const cluster = new MemoryCluster();
  const store = cluster.client();
  await release(store, webTable("11"));
  await release(store, webTable("11", "12"));
  const other = await store.get(KEYS.content("web", 2));
  cluster.commit(
    [],
    [{ put: KEYS.content("web", 1), value: other.found?.value ?? Buffer.of() }],
  );
  await assert.rejects(
    fetchRevision(store, KEYS, "web", 1),
    isError("damaged"),
  );
  cluster.commit(
    [],
    [{ put: KEYS.content("web", 1), value: Buffer.from("not gzip") }],
  );
  await assert.rejects(
    fetchRevision(store, KEYS, "web", 1),
    isError("damaged"),
  );
  await assert.rejects(
    fetchRevision(store, KEYS, "web", 3),
    isError("no-revision"),
  );
  await assert.rejects(fetchHead(store, KEYS, "nosuch"), isError("no-table"));
});
