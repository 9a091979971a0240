import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { Tally } from "../../../src/commands/connections/count.js";

test("up to its capacity it counts exactly", () => {
  const tally = new Tally(3);
  for (const key of ["a", 1, "b", "a", 1, "a"]) tally.add(key);
  assert.deepEqual(tally.largest(2), [
    { key: "a", count: 3, atMost: 3 },
    { key: 1, count: 2, atMost: 2 },
  ]);
  assert.deepEqual([tally.total, tally.different], [6, 3]);
});

test("those that came as often stand in the order of their coming", () => {
  const tally = new Tally();
  for (const key of ["c", "a", "b"]) tally.add(key);
  assert.deepEqual(
    tally.largest(3).map(({ key }) => key),
    ["c", "a", "b"],
  );
});

test("there is room for however many its capacity allows", () => {
  const tally = new Tally();
  for (let round = 0; round < 2; round++)
    for (let key = 0; key < 100_000; key++) tally.add(key);
  assert.equal(tally.different, 100_000);
  assert.ok(tally.largest(100_000).every(({ count }) => count === 2));
});

test("beyond it, the true number is always between the two that it tells", () => {
  const keys = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 300 });
  const capacities = fc.integer({ min: 1, max: 12 });
  fc.assert(
    fc.property(keys, capacities, (keys, capacity) => {
      const tally = new Tally(capacity);
      for (const key of keys) tally.add(key);
      const counts = tally.largest(Infinity);
      assert.ok(counts.length <= capacity);
      assert.equal(tally.total, keys.length);
      for (const { key, count, atMost } of counts) {
        const truly = keys.filter((other) => other === key).length;
        assert.ok(count <= truly && truly <= atMost);
      }
      if (tally.different !== undefined)
        assert.equal(tally.different, new Set(keys).size);
    }),
  );
});

test("what comes often is found among however many that come once", () => {
  const tally = new Tally(100);
  for (let i = 0; i < 100_000; i++) {
    tally.add(i);
    if (i % 50 === 0) tally.add("often");
  }
  const [first] = tally.largest(1);
  assert.equal(first?.key, "often");
  assert.ok(first.count <= 2000 && first.atMost >= 2000);
  assert.equal(tally.different, undefined);
});
