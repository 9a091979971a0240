import assert from "node:assert/strict";
import { test } from "node:test";
import { ruleWords } from "../../src/grammar/rule-words.js";

test("ruleWords() splits at spaces, tabs and carriage returns", () => {
  assert.deepEqual(ruleWords("\t -A  -t\t10.0.0.1:80 \r"), [
    "-A",
    "-t",
    "10.0.0.1:80",
  ]);
});

test("ruleWords() does not split at other white space", () => {
  assert.deepEqual(ruleWords("-A\v-t\f"), ["-A\v-t\f"]);
});

test("ruleWords() has no quoting", () => {
  assert.deepEqual(ruleWords(`-A "a b" 'c' d\\ e`), [
    "-A",
    '"a',
    'b"',
    "'c'",
    "d\\",
    "e",
  ]);
});

test("ruleWords() drops the word ipvsadm at every position", () => {
  assert.deepEqual(ruleWords("ipvsadm -A ipvsadm -s rr ipvsadm"), [
    "-A",
    "-s",
    "rr",
  ]);
  assert.deepEqual(ruleWords("ipvsadm ipvsadm"), []);
});

test("ruleWords() keeps ipvsadm inside a word", () => {
  const line = "/sbin/ipvsadm ipvsadm2 Ipvsadm";
  assert.deepEqual(ruleWords(line), line.split(" "));
});

test("ruleWords() returns no words for an empty line", () => {
  for (const line of ["", " ", "\r", " \t\r "])
    assert.deepEqual(ruleWords(line), []);
});

test("ruleWords() returns no words for a comment", () => {
  for (const line of ["#", "# -A", "  #-A", "ipvsadm # -A"])
    assert.deepEqual(ruleWords(line), []);
});

test("ruleWords() treats # as a comment only at the beginning of the line", () => {
  assert.deepEqual(ruleWords("-A # b"), ["-A", "#", "b"]);
});

test("ruleWords() ends a word, but not the line, at a zero byte", () => {
  assert.deepEqual(ruleWords("-L\0foo -n\0bar\0 -c"), ["-L", "-n", "-c"]);
  assert.deepEqual(ruleWords("\0foo -L ipvsadm\0foo"), ["", "-L"]);
});

test("ruleWords() keeps bytes beyond ASCII", () => {
  assert.deepEqual(ruleWords("-A \xa0\x85\xff"), ["-A", "\xa0\x85\xff"]);
});
