import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { ALL_SPECS } from "./all-specs.js";
import { manual } from "./manual.js";

const PAGE = "man/ipvsadm-subcommands.8";

test("the manual page of the subcommands matches the specs (UPDATE_GOLDEN=1 writes it)", () => {
  const page = manual();
  if (process.env["UPDATE_GOLDEN"]) writeFileSync(PAGE, page);
  assert.equal(readFileSync(PAGE, "utf8"), page);
});

test("the manual page describes every subcommand and every option", () => {
  const page = readFileSync(PAGE, "utf8");
  for (const { name, options } of ALL_SPECS) {
    const section = page.split(`\n.Ss ${name}: `)[1]?.split("\n.Ss ")[0] ?? "";
    assert.notEqual(section, "", name);
    for (const option of options)
      assert.ok(section.includes(`Fl -${option.name}`), option.name);
  }
});
