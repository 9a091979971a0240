import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { catchSignals, statusOf } from "../../src/system/signals.js";

test("catchSignals() reports signals until it is undone", async () => {
  const before = process.listenerCount("SIGTERM");
  const alive = setInterval(() => undefined, 1000); // a signal handler does not keep the process alive
  const told: string[] = [];
  const release = catchSignals((signal) => {
    told.push(signal);
  });
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"] as const) {
    const arrived = once(process, signal);
    process.kill(process.pid, signal);
    await arrived;
  }
  release();
  clearInterval(alive);
  assert.deepEqual(told, ["SIGTERM", "SIGINT", "SIGHUP", "SIGQUIT"]);
  assert.equal(process.listenerCount("SIGTERM"), before);
});

test("statusOf() returns the exit status that a shell reports", () => {
  assert.equal(statusOf("SIGINT"), 130);
  assert.equal(statusOf("SIGTERM"), 143);
});
