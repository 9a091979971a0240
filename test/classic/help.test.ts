import assert from "node:assert/strict";
import { test } from "node:test";
import { helpText, VERSION_TEXT } from "../../src/classic/help.js";
import { SPECS } from "../../src/commands/specs.js";
import { COMMANDS, OPTIONS } from "../../src/grammar/options.js";

test("VERSION_TEXT begins as scripts expect", () => {
  assert.match(VERSION_TEXT, /^ipvsadm v1\.31 .*\n$/);
});

test("helpText() begins with the version and has a line for each command and option", () => {
  const text = helpText();
  assert.ok(text.startsWith(VERSION_TEXT) && text.endsWith("\n"));
  for (const row of [...COMMANDS, ...OPTIONS]) {
    assert.ok(text.includes(`--${row.long}`), row.long);
    assert.ok(text.includes(row.help), row.long);
    for (const letter of row.short ?? "")
      assert.match(
        text,
        new RegExp(`^  (-., )*-${letter}, .*--${row.long}`, "m"),
      );
  }
});

test("helpText() shows a value, and an optional one in brackets", () => {
  assert.match(helpText(), /^ {2}-w, --weight WEIGHT +\S/m);
  assert.match(helpText(), /^ {2}-p, --persistent \[SECONDS\] +\S/m);
});

test("helpText() ends with one line that names the subcommands", () => {
  const [last = ""] = helpText().trimEnd().split("\n").slice(-1);
  const names = SPECS.map(({ name }) => name);
  assert.equal(last, `Subcommands (see 'ipvsadm help'): ${names.join(" ")}`);
});
