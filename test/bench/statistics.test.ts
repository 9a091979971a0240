import assert from "node:assert/strict";
import { test } from "node:test";
import { median, pairedRatio, spread } from "./statistics.js";

test("median() is the middle value, or the mean of the two middle values", () => {
  assert.equal(median([3, 1, 2]), 2);
  assert.equal(median([10, 9, 100, 2]), 9.5);
  assert.equal(median([7]), 7);
  assert.ok(Number.isNaN(median([])));
});

test("median() does not change the order of the values", () => {
  const values = [3, 1, 2];
  median(values);
  assert.deepEqual(values, [3, 1, 2]);
});

test("spread() is the minimum and the maximum", () => {
  assert.deepEqual(spread([3, 1, 2]), [1, 3]);
  assert.deepEqual(spread([]), [NaN, NaN]);
});

test("pairedRatio() compares within rounds, so a slow round has no effect", () => {
  const above = new Map([
    [0, 10],
    [1, 1000],
    [2, 12],
  ]);
  const below = new Map([
    [0, 5],
    [1, 500],
    [2, 4],
  ]);
  assert.equal(pairedRatio(above, below), 2);
});

test("pairedRatio() ignores a round that one side lacks", () => {
  const above = new Map([
    [0, 10],
    [1, 90],
  ]);
  assert.equal(pairedRatio(above, new Map([[0, 5]])), 2);
  assert.equal(pairedRatio(above, new Map([[2, 5]])), undefined);
});
