import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { SPECS } from "../../src/commands/specs.js";
import { manual } from "./manual.js";

const PAGE = "man/ipvsadm-subcommands.8";

test("the manual page of the subcommands is as the table of the subcommands has it", () => {
  const page = manual();
  if (process.env["UPDATE_GOLDEN"]) writeFileSync(PAGE, page);
  assert.equal(readFileSync(PAGE, "utf8"), page);
});

test("every subcommand and every option of it is in the page", () => {
  const page = readFileSync(PAGE, "utf8");
  for (const { name, options } of SPECS) {
    const section = page.split(`\n.Ss ${name}: `)[1]?.split("\n.Ss ")[0] ?? "";
    assert.notEqual(section, "", name);
    for (const option of options)
      assert.ok(section.includes(`Fl -${option.name}`), option.name);
  }
});
