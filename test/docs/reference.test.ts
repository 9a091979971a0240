import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { findingReference, subcommandReference } from "./reference.js";
import { schemaReference } from "./schema-reference.js";

const PAGES = {
  "docs/reference/subcommands.md": subcommandReference,
  "docs/reference/findings.md": findingReference,
  "docs/reference/schemas.md": schemaReference,
};

for (const [file, make] of Object.entries(PAGES))
  test(`${file} is what the tables of the code say`, () => {
    const page = make();
    if (process.env["UPDATE_GOLDEN"]) writeFileSync(file, page);
    assert.equal(readFileSync(file, "utf8"), page);
  });
