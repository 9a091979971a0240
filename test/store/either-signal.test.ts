import assert from "node:assert/strict";
import { getEventListeners } from "node:events";
import { test } from "node:test";
import { EitherSignal } from "../../src/store/either-signal.js";

test("EitherSignal is triggered by each of its signals, also by one that was triggered before", () => {
  for (const which of [0, 1]) {
    const controllers = [new AbortController(), new AbortController()];
    using either = new EitherSignal(controllers.map(({ signal }) => signal));
    assert.equal(either.signal.aborted, false);
    controllers[which]?.abort();
    assert.equal(either.signal.aborted, true);
  }
  using late = new EitherSignal([AbortSignal.abort()]);
  assert.equal(late.signal.aborted, true);
});

test("EitherSignal leaves nothing at its signals when it is disposed of", () => {
  const { signal } = new AbortController();
  {
    using either = new EitherSignal([signal]);
    assert.equal(getEventListeners(signal, "abort").length, 1);
    assert.equal(either.signal.aborted, false);
  }
  assert.equal(getEventListeners(signal, "abort").length, 0);
});
