import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { catchSignals, statusOf } from "../../src/system/signals.js";

test("signals are told until they are let through again", async () => {
  const before = process.listenerCount("SIGTERM");
  const alive = setInterval(() => undefined, 1000); // a signal that is waited for keeps no process alive
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

test("the status is that which a shell shows", () => {
  assert.equal(statusOf("SIGINT"), 130);
  assert.equal(statusOf("SIGTERM"), 143);
});
