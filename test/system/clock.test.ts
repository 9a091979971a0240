import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../src/system/clock.js";

test("what is to be done again and again is, until that is ended; meanwhile time goes on", async () => {
  const began = systemClock.now();
  let times = 0;
  await new Promise<void>((resolve) => {
    // The clock keeps no process alive, so something else must.
    const alive = setInterval(() => undefined, 1000);
    const stop = systemClock.every(2, () => {
      if (++times < 3) return;
      stop();
      clearInterval(alive);
      resolve();
    });
  });
  assert.equal(times, 3);
  assert.ok(systemClock.now() - began >= 4);
});

test("sleep ends when the time is over, or when the signal is given", async () => {
  const abort = new AbortController();
  const began = systemClock.now();
  await systemClock.sleep(4, abort.signal);
  assert.ok(systemClock.now() - began >= 3);
  const long = systemClock.sleep(1e6, abort.signal);
  abort.abort();
  await long;
  await systemClock.sleep(1e6, abort.signal);
});
