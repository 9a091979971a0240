import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDuration } from "../../src/cli/duration.js";
import { shortDuration } from "../../src/cli/units.js";

for (const [text, seconds] of [
  ["0", 0],
  ["90", 90],
  ["90s", 90],
  ["5m", 300],
  ["1h30m", 5400],
  ["1h 30m", 5400],
  ["2d", 172_800],
  ["1d1s", 86_401],
  ["1d 2h 3m 4s", 93_784],
] as const)
  test(`parseDuration() reads ${text} as ${seconds} seconds`, () => {
    assert.equal(parseDuration(text), seconds);
  });

for (const text of [
  ..."|s|m5|5x|-5|5 m|1m1h|5m |1.5h|1e3|0x10|٣|5m5m|99999d".split("|"),
  "9".repeat(400),
])
  test(`parseDuration() rejects '${text.slice(0, 20)}'`, () => {
    assert.equal(parseDuration(text), undefined);
  });

test("parseDuration() reads what shortDuration() writes", () => {
  for (const seconds of [0, 1, 59, 60, 90, 3600, 5400, 86_400, 180_000])
    assert.equal(parseDuration(shortDuration(seconds)), seconds);
});
