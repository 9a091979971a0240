import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { test } from "node:test";
import { KINDS } from "../../../src/doctor/findings.js";
import { manual } from "./manual.js";

const PAGE = "man/ipvsadm-doctor.8";

test("the manual page of the findings is as their table has it", () => {
  const page = manual();
  if (process.env["UPDATE_GOLDEN"]) writeFileSync(PAGE, page);
  assert.equal(readFileSync(PAGE, "utf8"), page);
});

test("every finding has its section in the page", () => {
  const page = readFileSync(PAGE, "utf8");
  for (const { id, severity } of KINDS) {
    const title = `\n.Ss ${id.replaceAll("-", "\\-")} (${severity})\n`;
    assert.ok(page.includes(title), id);
  }
});
