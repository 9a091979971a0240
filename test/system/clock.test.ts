import assert from "node:assert/strict";
import { test } from "node:test";
import { systemClock } from "../../src/system/clock.js";

test("every() calls its function until it is stopped, and now() increases", async () => {
  const began = systemClock.now();
  let times = 0;
  await new Promise<void>((resolve) => {
    // The clock does not keep the process alive, so this timer does.
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

test("sleep() returns when the time is over or the signal is aborted", async () => {
  const abort = new AbortController();
  const began = systemClock.now();
  await systemClock.sleep(4, abort.signal);
  assert.ok(systemClock.now() - began >= 3);
  const long = systemClock.sleep(1e6, abort.signal);
  abort.abort();
  await long;
  await systemClock.sleep(1e6, abort.signal);
});
