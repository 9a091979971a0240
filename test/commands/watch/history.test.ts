import assert from "node:assert/strict";
import { test } from "node:test";
import {
  History,
  SLOTS,
  sparkline,
} from "../../../src/commands/watch/history.js";

/** The known connections/s of a history. */
function known(history: History, now: number): number[] {
  return history
    .values("connections", now)
    .filter((value) => !Number.isNaN(value));
}

test("History keeps one minute", () => {
  const history = new History();
  for (let second = 0; second <= 120; second += 2)
    history.record(second, [second, 0, 0]);
  const values = history.values("connections", 120);
  assert.equal(values.length, SLOTS);
  assert.deepEqual([values[0], values.at(-1)], [62, 120]);
});

test("History keeps the last of several readings in 2 seconds", () => {
  const history = new History();
  for (const [i, second] of [0, 0.5, 1, 1.5, 2].entries())
    history.record(second, [i, 0, 0]);
  assert.deepEqual(known(history, 2), [3, 4]);
});

test("History fills the time since the last reading", () => {
  const history = new History();
  history.record(100, [1, 0, 0]);
  history.record(110, [5, 0, 0]);
  assert.deepEqual(known(history, 110), [1, 5, 5, 5, 5, 5]);
  history.record(1000, [7, 0, 0]);
  assert.deepEqual(known(history, 1000), Array<number>(SLOTS).fill(7));
});

test("History moves values out after a minute without readings", () => {
  const history = new History();
  history.record(10, [1, 2, 3]);
  assert.equal(history.values("packets", 10).at(-1), 2);
  assert.equal(history.values("packets", 14).at(-3), 2);
  assert.deepEqual(known(history, 68), [1]);
  assert.deepEqual(known(history, 70), []);
});

test("History of zeros behaves like any other", () => {
  const history = new History();
  history.record(0, [NaN, NaN, NaN]);
  for (const second of [2, 4, 10]) history.record(second, [0, 0, 0]);
  assert.deepEqual(known(history, 10), [0, 0, 0, 0, 0]);
  history.record(12, [3, 0, 0]);
  history.record(14, [NaN, NaN, NaN]);
  assert.deepEqual(known(history, 14), [0, 0, 0, 0, 0, 3]);
  history.record(200, [0, 0, 0]);
  assert.deepEqual(known(history, 200), Array<number>(SLOTS).fill(0));
});

test("sparkline() draws bars in proportion, and zero lowest", () => {
  assert.equal(sparkline([0, 1, 350, 700], 4), "▁▂▅█");
  assert.equal(sparkline([0, 0], 2), "▁▁");
  assert.equal(sparkline([NaN, 3], 2), " █");
});

test("sparkline() averages neighbors if there are fewer columns", () => {
  assert.equal(sparkline([0, 2, 8, 6, NaN, 7], 3), "▂██");
  const minute = Array.from({ length: SLOTS }, (_, i) => i);
  assert.equal(Array.from(sparkline(minute, 15)).length, 15);
  assert.equal(Array.from(sparkline(minute, SLOTS)).length, SLOTS);
});
