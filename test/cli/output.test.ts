import assert from "node:assert/strict";
import { test } from "node:test";
import { widthOf } from "../../src/cli/output.js";
import { terminal } from "../commands/run-subcommand.js";

test("the width is that of the terminal", () => {
  assert.equal(widthOf(terminal(132)), 132);
  assert.equal(widthOf(terminal(undefined)), undefined);
});

test("COLUMNS goes before it, with or without a terminal", () => {
  assert.equal(widthOf(terminal(132, { COLUMNS: "60" })), 60);
  assert.equal(widthOf(terminal(undefined, { COLUMNS: "60" })), 60);
});

test("a width that nobody can mean is passed over", () => {
  for (const COLUMNS of ["", "0", "3", "-80", "80x", "1e3", "99999999999"]) {
    assert.equal(widthOf(terminal(132, { COLUMNS })), 132, COLUMNS);
    assert.equal(widthOf(terminal(undefined, { COLUMNS })), undefined, COLUMNS);
  }
  assert.equal(widthOf(terminal(1)), 80);
});

test("a terminal that does not tell its width has the usual one", () => {
  const { environment } = terminal(80);
  const silent = { isTerminal: () => true, size: () => undefined };
  assert.equal(widthOf({ terminal: silent, environment }), 80);
});
