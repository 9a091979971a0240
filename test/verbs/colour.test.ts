import assert from "node:assert/strict";
import { test } from "node:test";
import { decideColour, paintFor } from "../../src/verbs/colour.js";
import { terminal } from "./fake-verb.js";

test("by itself, a terminal gets colours and nothing else does", () => {
  assert.equal(decideColour("auto", "stdout", terminal(80)), true);
  assert.equal(decideColour("auto", "stdout", terminal(undefined)), false);
});

test("NO_COLOR and a terminal without colours take them away", () => {
  const without = (variables: Record<string, string>) =>
    decideColour("auto", "stdout", terminal(80, variables));
  assert.equal(without({ NO_COLOR: "1" }), false);
  assert.equal(without({ NO_COLOR: "" }), true);
  assert.equal(without({ TERM: "dumb" }), false);
});

test("what --color says goes before all that", () => {
  assert.equal(
    decideColour("always", "stdout", terminal(undefined, { NO_COLOR: "1" })),
    true,
  );
  assert.equal(decideColour("never", "stdout", terminal(80)), false);
});

test("text is as it is without colours, and between escapes with them", () => {
  assert.equal(paintFor("never", "stdout", terminal(80)).bad("x"), "x");
  assert.equal(
    paintFor("always", "stderr", terminal(undefined)).bad("x"),
    "\x1b[31m\x1b[1mx\x1b[22m\x1b[39m",
  );
});
