import assert from "node:assert/strict";
import { test } from "node:test";
import { decideColor, paintFor } from "../../src/cli/color.js";
import { terminal } from "../commands/run-subcommand.js";

test("decideColor() with auto gives colors to a terminal only", () => {
  assert.equal(decideColor("auto", "stdout", terminal(80)), true);
  assert.equal(decideColor("auto", "stdout", terminal(undefined)), false);
});

test("decideColor() with auto respects NO_COLOR and TERM=dumb", () => {
  const without = (variables: Record<string, string>) =>
    decideColor("auto", "stdout", terminal(80, variables));
  assert.equal(without({ NO_COLOR: "1" }), false);
  assert.equal(without({ NO_COLOR: "" }), true);
  assert.equal(without({ TERM: "dumb" }), false);
});

test("decideColor() lets always and never override the environment", () => {
  assert.equal(
    decideColor("always", "stdout", terminal(undefined, { NO_COLOR: "1" })),
    true,
  );
  assert.equal(decideColor("never", "stdout", terminal(80)), false);
});

test("paintFor() returns the text unchanged or between escape sequences", () => {
  assert.equal(paintFor("never", "stdout", terminal(80)).bad("x"), "x");
  assert.equal(
    paintFor("always", "stderr", terminal(undefined)).bad("x"),
    "\x1b[31m\x1b[1mx\x1b[22m\x1b[39m",
  );
});
