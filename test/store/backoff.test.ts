import assert from "node:assert/strict";
import { test } from "node:test";
import { Backoff } from "../../src/store/backoff.js";

const pauses = (random: number) => ({
  sleep: () => Promise.resolve(),
  random: () => random,
});

test("Backoff doubles its times up to the longest, and begins anew after a success", () => {
  const backoff = new Backoff(pauses(0.999999999), {
    firstMilliseconds: 100,
    longestMilliseconds: 1000,
  });
  const next = () => Math.round(backoff.next());
  assert.deepEqual(
    [next(), next(), next(), next(), next(), next()],
    [100, 200, 400, 800, 1000, 1000],
  );
  backoff.reset();
  assert.equal(next(), 100);
});

test("Backoff waits at least half of its time, so that clients do not hammer", () => {
  const backoff = new Backoff(pauses(0), { firstMilliseconds: 100 });
  assert.deepEqual([backoff.next(), backoff.next()], [50, 100]);
});
