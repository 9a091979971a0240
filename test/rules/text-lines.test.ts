import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { placeOf } from "../../src/document/parsed-document.js";
import { decodeUtf8, Lines } from "../../src/rules/text-lines.js";

test("every character has its line and column", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "\n", "\r", "é") }),
      (text) => {
        const lines = new Lines(text);
        for (let at = 0; at <= text.length; at++)
          assert.deepEqual(lines.place(at), placeOf(text, at));
      },
    ),
  );
});

test("a line is shown without its end", () => {
  const lines = new Lines("one\r\n\ntwo");
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((number) => lines.line(number)),
    ["", "one", "", "two", ""],
  );
});

test("bytes are read as UTF-8, whatever they are", () => {
  assert.equal(decodeUtf8("\xc3\xa9 \xff"), "é \ufffd");
});
