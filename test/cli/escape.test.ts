import assert from "node:assert/strict";
import { test } from "node:test";
import { escapeControls, fromBytes, toBytes } from "../../src/cli/escape.js";

test("toBytes() and fromBytes() convert between Unicode and one character per byte", () => {
  assert.equal(toBytes("→ é"), "\xe2\x86\x92 \xc3\xa9");
  assert.equal(fromBytes("\xe2\x86\x92 \xc3\xa9"), "→ é");
  assert.equal(fromBytes("\xff"), "\ufffd");
});

test("escapeControls() replaces everything that steers a terminal", () => {
  assert.equal(
    escapeControls("a\x1b[31mb\x07\x9bc\u202ed\u2028e\nf"),
    "a?[31mb??c?d?e?f",
  );
  assert.equal(escapeControls("web.example é 漢"), "web.example é 漢");
});
