import assert from "node:assert/strict";
import { test } from "node:test";
import {
  RateHistory,
  slotAt,
} from "../../../src/commands/serve/rate-history.js";
import { SLOTS } from "../../../src/page/events.js";

/** The last values of one kind. */
function last(history: RateHistory, slot: number, count: number, kind = 0) {
  return history.values(kind, slot).slice(-count);
}

test("slotAt() has slots of 5 seconds", () => {
  assert.deepEqual([slotAt(0), slotAt(4999), slotAt(5000)], [0, 0, 1]);
});

test("RateHistory has the mean of all readings in a slot", () => {
  const history = new RateHistory();
  history.record(1000, [1, 10, 100]);
  history.record(1000, [2, 20, 200]);
  history.record(1000, [6, 60, 600]);
  history.record(1001, [5, 50, 500]);
  assert.deepEqual(last(history, 1001, 3), [NaN, 3, 5]);
  assert.deepEqual(last(history, 1001, 2, 2), [300, 500]);
});

test("RateHistory fills the slots since the reading before", () => {
  const history = new RateHistory();
  history.record(1000, [1, 0, 0]);
  history.record(1003, [4, 0, 0]);
  assert.deepEqual(last(history, 1004, 6), [NaN, 1, 4, 4, 4, NaN]);
});

test("RateHistory keeps 15 minutes", () => {
  const history = new RateHistory();
  for (let slot = 0; slot < 2 * SLOTS; slot++)
    history.record(slot, [slot, 0, 0]);
  const values = history.values(0, 2 * SLOTS - 1);
  assert.equal(values.length, 180);
  assert.deepEqual([values[0], values.at(-1)], [SLOTS, 2 * SLOTS - 1]);
});

test("RateHistory knows that an idle service was idle", () => {
  const history = new RateHistory();
  history.record(1000, undefined);
  history.record(1001, [0, 0, 0]);
  history.record(1002, [0, 0, 0]);
  assert.deepEqual(last(history, 1002, 4), [NaN, NaN, 0, 0]);
  history.record(1003, [7, 0, 0]);
  assert.deepEqual(last(history, 1003, 5), [NaN, NaN, 0, 0, 7]);
});

test("RateHistory forgets what is older than 15 minutes after a long pause", () => {
  const history = new RateHistory();
  history.record(10, [3, 0, 0]);
  history.record(10_000, [4, 0, 0]);
  assert.deepEqual(last(history, 10_000, 2), [4, 4]);
  assert.ok(history.values(0, 20_000).every((value) => Number.isNaN(value)));
});

test("RateHistory begins anew if somebody has set the clock back", () => {
  const history = new RateHistory();
  history.record(1000, [1, 2, 3]);
  history.record(1001, [1, 2, 3]);
  history.record(280, [4, 5, 6]);
  assert.deepEqual(
    history.values(0, 281).filter((value) => !Number.isNaN(value)),
    [4],
  );
  history.record(281, [6, 5, 6]);
  assert.deepEqual(history.values(0, 281).slice(-3), [NaN, 4, 6]);
});
