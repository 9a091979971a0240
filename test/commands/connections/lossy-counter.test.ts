import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { LossyCounter } from "../../../src/commands/connections/lossy-counter.js";

test("LossyCounter counts exactly up to its capacity", () => {
  const counter = new LossyCounter(3);
  for (const key of ["a", 1, "b", "a", 1, "a"]) counter.add(key);
  assert.deepEqual(counter.largest(2), [
    { key: "a", count: 3, atMost: 3 },
    { key: 1, count: 2, atMost: 2 },
  ]);
  assert.deepEqual([counter.total, counter.different], [6, 3]);
});

test("LossyCounter keeps the order of equally frequent keys", () => {
  const counter = new LossyCounter();
  for (const key of ["c", "a", "b"]) counter.add(key);
  assert.deepEqual(
    counter.largest(3).map(({ key }) => key),
    ["c", "a", "b"],
  );
});

test("LossyCounter grows up to its capacity", () => {
  const counter = new LossyCounter();
  for (let round = 0; round < 2; round++)
    for (let key = 0; key < 100_000; key++) counter.add(key);
  assert.equal(counter.different, 100_000);
  assert.ok(counter.largest(100_000).every(({ count }) => count === 2));
});

test("LossyCounter returns bounds that contain the true count", () => {
  const keys = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 300 });
  const capacities = fc.integer({ min: 1, max: 12 });
  fc.assert(
    fc.property(keys, capacities, (keys, capacity) => {
      const counter = new LossyCounter(capacity);
      for (const key of keys) counter.add(key);
      const counts = counter.largest(Infinity);
      assert.ok(counts.length <= capacity);
      assert.equal(counter.total, keys.length);
      for (const { key, count, atMost } of counts) {
        const truly = keys.filter((other) => other === key).length;
        assert.ok(count <= truly && truly <= atMost);
      }
      if (counter.different !== undefined)
        assert.equal(counter.different, new Set(keys).size);
    }),
  );
});

test("LossyCounter finds a frequent key among many rare ones", () => {
  const counter = new LossyCounter(100);
  for (let i = 0; i < 100_000; i++) {
    counter.add(i);
    if (i % 50 === 0) counter.add("often");
  }
  const [first] = counter.largest(1);
  assert.equal(first?.key, "often");
  assert.ok(first.count <= 2000 && first.atMost >= 2000);
  assert.equal(counter.different, undefined);
});
