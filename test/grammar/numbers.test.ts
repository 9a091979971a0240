import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  parseDigits,
  parseLeadingWhole,
  parseWhole,
} from "../../src/grammar/numbers.js";

test("parseWhole() reads a decimal integer", () => {
  assert.equal(parseWhole("0", 0, 9), 0);
  assert.equal(parseWhole("007", 0, 9), 7);
  assert.equal(parseWhole("65535", 0, 65535), 65535);
});

test("parseWhole() accepts leading spaces and a sign", () => {
  for (const text of [" 5", "\t5", "\n5", "\v\f\r 5", "+5", "  +05"])
    assert.equal(parseWhole(text, 0, 9), 5, JSON.stringify(text));
  assert.equal(parseWhole("-5", -9, 9), -5);
});

test("parseWhole() rejects text after the number", () => {
  for (const text of ["5 ", "5x", "5.0", "5e0", "5\n", "5\0"])
    assert.equal(parseWhole(text, 0, 9), undefined, JSON.stringify(text));
});

test("parseWhole() rejects other texts", () => {
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

test("parseWhole() rejects numbers outside the limits", () => {
  assert.equal(parseWhole("1", 2, 3), undefined);
  assert.deepEqual([parseWhole("2", 2, 3), parseWhole("3", 2, 3)], [2, 3]);
  assert.equal(parseWhole("4", 2, 3), undefined);
  assert.equal(parseWhole("18446744073709551617", 0, 9), undefined);
});

test("parseLeadingWhole() ignores text after the number, like atoi(3)", () => {
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

test("parseLeadingWhole() truncates to 32 bits, and returns -1 or 0 beyond 64 bits", () => {
  assert.equal(parseLeadingWhole("4294967360"), 64);
  assert.equal(parseLeadingWhole("2147483648"), -2147483648);
  assert.equal(parseLeadingWhole("9223372036854775808"), -1);
  assert.equal(parseLeadingWhole("-9223372036854775809"), 0);
});

test("parseWhole() reads every number within the limits", () => {
  fc.assert(
    fc.property(fc.integer(), (number) => {
      assert.equal(parseWhole(String(number), -(2 ** 31), 2 ** 31), number);
      assert.equal(parseLeadingWhole(`${number} `), number);
    }),
  );
});

test("parseDigits() reads the digits from a position to the end", () => {
  assert.equal(parseDigits("10.0.0.1:8080", 9, 65535), 8080);
  assert.equal(parseDigits("007", 0, 9), 7);
  assert.equal(parseDigits("65535", 0, 65535), 65535);
  assert.equal(parseDigits("65536", 0, 65535), undefined);
  assert.equal(parseDigits("9".repeat(400), 0, 65535), undefined);
});

test("parseDigits() rejects an empty text and other characters", () => {
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
