import assert from "node:assert/strict";
import { test } from "node:test";
import { SPECS } from "../../src/commands/specs.js";
import { SUBCOMMAND_NAMES } from "../../src/runtime/subcommand-names.js";

test("SUBCOMMAND_NAMES are the names of the subcommands", () => {
  assert.deepEqual(
    SUBCOMMAND_NAMES,
    SPECS.map(({ name }) => name),
  );
});
