import assert from "node:assert/strict";
import { test } from "node:test";
import { widthOf } from "../../src/cli/output.js";
import { terminal } from "../commands/run-subcommand.js";

test("widthOf() returns the width of the terminal", () => {
  assert.equal(widthOf(terminal(132)), 132);
  assert.equal(widthOf(terminal(undefined)), undefined);
});

test("widthOf() prefers COLUMNS, with or without a terminal", () => {
  assert.equal(widthOf(terminal(132, { COLUMNS: "60" })), 60);
  assert.equal(widthOf(terminal(undefined, { COLUMNS: "60" })), 60);
});

test("widthOf() ignores an invalid width", () => {
  for (const COLUMNS of ["", "0", "3", "-80", "80x", "1e3", "99999999999"]) {
    assert.equal(widthOf(terminal(132, { COLUMNS })), 132, COLUMNS);
    assert.equal(widthOf(terminal(undefined, { COLUMNS })), undefined, COLUMNS);
  }
  assert.equal(widthOf(terminal(1)), 80);
});

test("widthOf() returns 80 for a terminal that does not report its width", () => {
  const { environment } = terminal(80);
  const silent = { isTerminal: () => true, size: () => undefined };
  assert.equal(widthOf({ terminal: silent, environment }), 80);
});
