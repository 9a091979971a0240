import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { positionOf } from "../../src/document/parsed-document.js";
import { TextLines } from "../../src/rules/text-lines.js";

test("position() of TextLines returns the line and column of each character", () => {
  fc.assert(
    fc.property(
      fc.string({ unit: fc.constantFrom("a", "\n", "\r", "é") }),
      (text) => {
        const lines = new TextLines(text);
        for (let at = 0; at <= text.length; at++)
          assert.deepEqual(lines.position(at), positionOf(text, at));
      },
    ),
  );
});

test("line() of TextLines returns a line without its end", () => {
  const lines = new TextLines("one\r\n\ntwo");
  assert.deepEqual(
    [0, 1, 2, 3, 4].map((number) => lines.line(number)),
    ["", "one", "", "two", ""],
  );
});
