import assert from "node:assert/strict";
import { test } from "node:test";
import { SPECS } from "../../src/commands/specs.js";
import {
  SUBCOMMAND_ALIASES,
  SUBCOMMAND_NAMES,
} from "../../src/runtime/subcommand-names.js";

test("SUBCOMMAND_NAMES are the names of the subcommands", () => {
  assert.deepEqual(
    SUBCOMMAND_NAMES,
    SPECS.map(({ name }) => name),
  );
});

test("SUBCOMMAND_ALIASES are their other names", () => {
  assert.deepEqual(
    SUBCOMMAND_ALIASES,
    SPECS.flatMap(({ aliases = [] }) => aliases),
  );
});
