import assert from "node:assert/strict";
import { test } from "node:test";
import { BARS, growth, judge, type Bar } from "./bars.js";
import { NOTHING_MEASURED, withCases } from "./sample-results.js";

const bar = (good: Bar["good"], value: number | undefined): Bar => ({
  what: "a thing",
  limit: 4,
  good,
  unit: "×",
  measure: () => value,
});

for (const [good, value, met] of [
  ["at least", 4, true],
  ["at least", 3.99, false],
  ["at most", 4, true],
  ["at most", 4.01, false],
  ["under", 3.99, true],
  ["under", 4, false],
  ["at least", undefined, undefined],
] as const)
  test(`${value} with the limit ${good} 4: ${met}`, () => {
    const [verdict] = judge(NOTHING_MEASURED, [bar(good, value)]);
    assert.equal(verdict?.met, met);
  });

test("a bar without a measurement is not met", () => {
  for (const { bar, met } of judge(NOTHING_MEASURED))
    assert.equal(met, undefined, bar.what);
});

test("every bar has a different name", () => {
  assert.equal(new Set(BARS.map(({ what }) => what)).size, BARS.length);
});

/** What the one bar of this name is measured at. */
function measured(
  what: string,
  results: Parameters<Bar["measure"]>[0],
): number | undefined {
  const found = BARS.filter((one) => one.what.startsWith(what));
  assert.equal(found.length, 1, what);
  return found[0]?.measure(results);
}

test("a speed bar divides the original's time by ours", () => {
  const results = withCases({
    "restore-1000": { original: [900, 1000], node: [300, 250] },
  });
  const what = "restore of 3,000 rules, Node: times as fast";
  assert.equal(measured(what, results), 3.5);
});

test("a floor bar divides our time by that of the floor on the same transport", () => {
  const results = withCases({
    "save-10000": {
      node: [300],
      "floor-node": [200],
      "floor-full": [100],
    },
  });
  const what = "save of 10,000 services, Node: times as long";
  assert.equal(measured(what, results), 1.5);
});

test("a start-up bar divides our time by that of an empty program", () => {
  const results = withCases({
    "start-version": { full: [6], "empty-full": [4] },
  });
  const what = "--version, full: times as long as an empty";
  assert.equal(measured(what, results), 1.5);
});

test("the memory bar counts MB of a million bytes", () => {
  const results = withCases({}, { "list-10000": { node: 149_000_000 } });
  assert.equal(measured("peak memory", results), 149);
});

test("cost per rule is the time above the floor, and growth compares many rules with few", () => {
  const results = withCases({
    "list-1000": { node: [330], "floor-node": [300] }, // 3,000 rules: 10 µs each
    "list-10000": { node: [1330], "floor-node": [1000] }, // 30,000 rules: 11 µs
  });
  assert.ok(Math.abs((growth(results, "list", "node") ?? 0) - 1.1) < 1e-9);
});

test("growth is undefined if our time is not above the floor", () => {
  const results = withCases({
    "list-1000": { node: [300], "floor-node": [300] },
    "list-10000": { node: [1330], "floor-node": [1000] },
  });
  assert.equal(growth(results, "list", "node"), undefined);
});
