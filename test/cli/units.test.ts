import assert from "node:assert/strict";
import { test } from "node:test";
import {
  counted,
  shortByteRate,
  shortBytes,
  shortCount,
  shortDuration,
  shortRate,
} from "../../src/cli/units.js";

const COUNTS: readonly (readonly [bigint, string])[] = [
  [0n, "0"],
  [999n, "999"],
  [1000n, "1.0k"],
  [1999n, "1.9k"],
  [99_999n, "99.9k"],
  [100_000n, "100k"],
  [999_999n, "999k"],
  [1_000_000n, "1.0M"],
  [12_345_678_901n, "12.3G"],
  [2n ** 64n - 1n, "18.4E"],
];
for (const [count, text] of COUNTS)
  test(`shortCount() writes ${count} as ${text}`, () => {
    assert.equal(shortCount(count), text);
  });

test("shortBytes(), shortByteRate() and shortRate() append the unit", () => {
  assert.equal(shortBytes(1500), "1.5kB");
  assert.equal(shortByteRate(12n), "12B/s");
  assert.equal(shortRate(2_000_000), "2.0M/s");
});

const DURATIONS: readonly (readonly [number, string])[] = [
  [0, "0s"],
  [59, "59s"],
  [60, "1m"],
  [150, "2m 30s"],
  [3605, "1h"],
  [93_600, "1d 2h"],
  [2_678_400, "31d"],
];
for (const [seconds, text] of DURATIONS)
  test(`shortDuration() writes ${seconds} seconds as ${text}`, () => {
    assert.equal(shortDuration(seconds), text);
  });

test("counted() chooses singular or plural", () => {
  assert.equal(counted(1, "service"), "1 service");
  assert.equal(counted(0, "service"), "0 services");
  assert.equal(counted(2, "entry", "entries"), "2 entries");
  assert.equal(counted(12_000, "server", undefined, "12.0k"), "12.0k servers");
});
