import assert from "node:assert/strict";
import { test } from "node:test";
import { isTemplate } from "../../src/ipvs/connection-states.js";

test("isTemplate() is true for client port 0, except for an expected connection", () => {
  const is = (clientPort: number, state: string) =>
    isTemplate({ clientPort, state });
  assert.deepEqual(
    [is(0, "NONE"), is(0, "ASSURED"), is(0, "UDP"), is(0, "LISTEN")],
    [true, true, true, false],
  );
  assert.ok(!is(1024, "NONE") && !is(1024, "UDP"));
});
