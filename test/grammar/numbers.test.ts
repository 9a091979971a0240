import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  parseDigits,
  parseLeadingWhole,
  parseWhole,
} from "../../src/grammar/numbers.js";

test("a whole number is decimal", () => {
  assert.equal(parseWhole("0", 0, 9), 0);
  assert.equal(parseWhole("007", 0, 9), 7);
  assert.equal(parseWhole("65535", 0, 65535), 65535);
});

test("blanks before a number and a sign pass", () => {
  for (const text of [" 5", "\t5", "\n5", "\v\f\r 5", "+5", "  +05"])
    assert.equal(parseWhole(text, 0, 9), 5, JSON.stringify(text));
  assert.equal(parseWhole("-5", -9, 9), -5);
});

test("what is behind a number does not pass", () => {
  for (const text of ["5 ", "5x", "5.0", "5e0", "5\n", "5\0"])
    assert.equal(parseWhole(text, 0, 9), undefined, JSON.stringify(text));
});

test("what is no decimal number does not pass", () => {
  for (const text of [
    "",
    " ",
    "x",
    "+",
    "-",
    "--5",
    "+ 5",
    "0x5",
    "٥",
    "Infinity",
  ])
    assert.equal(parseWhole(text, 0, 9), undefined, JSON.stringify(text));
});

test("numbers outside the limits do not pass", () => {
  assert.equal(parseWhole("1", 2, 3), undefined);
  assert.deepEqual([parseWhole("2", 2, 3), parseWhole("3", 2, 3)], [2, 3]);
  assert.equal(parseWhole("4", 2, 3), undefined);
  assert.equal(parseWhole("18446744073709551617", 0, 9), undefined);
});

test("a number before other text is read as atoi(3) does", () => {
  const numbers: [string, number][] = [
    ["64", 64],
    ["64x", 64],
    ["\v +64.9", 64],
    ["-3", -3],
    ["x", 0],
    ["", 0],
    ["- 3", 0],
    ["255.255.0.0", 255],
  ];
  for (const [text, number] of numbers)
    assert.equal(parseLeadingWhole(text), number, JSON.stringify(text));
});

test("what is too large for 32 bits is cut, and beyond 64 bits it is -1 or 0", () => {
  assert.equal(parseLeadingWhole("4294967360"), 64);
  assert.equal(parseLeadingWhole("2147483648"), -2147483648);
  assert.equal(parseLeadingWhole("9223372036854775808"), -1);
  assert.equal(parseLeadingWhole("-9223372036854775809"), 0);
});

test("every number within the limits is read from its text", () => {
  fc.assert(
    fc.property(fc.integer(), (number) => {
      assert.equal(parseWhole(String(number), -(2 ** 31), 2 ** 31), number);
      assert.equal(parseLeadingWhole(`${number} `), number);
    }),
  );
});

test("digits are read from their place to the end of the text", () => {
  assert.equal(parseDigits("10.0.0.1:8080", 9, 65535), 8080);
  assert.equal(parseDigits("007", 0, 9), 7);
  assert.equal(parseDigits("65535", 0, 65535), 65535);
  assert.equal(parseDigits("65536", 0, 65535), undefined);
  assert.equal(parseDigits("9".repeat(400), 0, 65535), undefined);
});

test("digits are digits alone, and there are some", () => {
  for (const text of [
    "",
    "+5",
    "-5",
    " 5",
    "5 ",
    "5x",
    "5.0",
    "x5",
    "5/",
    "5:",
  ])
    assert.equal(parseDigits(text, 0, 9), undefined, JSON.stringify(text));
  assert.equal(parseDigits("80", 2, 65535), undefined);
});
