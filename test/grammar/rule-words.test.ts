import assert from "node:assert/strict";
import { test } from "node:test";
import { ruleWords } from "../../src/grammar/rule-words.js";

test("words stand between blanks, tabs and carriage returns", () => {
  assert.deepEqual(ruleWords("\t -A  -t\t10.0.0.1:80 \r"), [
    "-A",
    "-t",
    "10.0.0.1:80",
  ]);
});

test("other blanks are parts of words", () => {
  assert.deepEqual(ruleWords("-A\v-t\f"), ["-A\v-t\f"]);
});

test("there is no quoting", () => {
  assert.deepEqual(ruleWords(`-A "a b" 'c' d\\ e`), [
    "-A",
    '"a',
    'b"',
    "'c'",
    "d\\",
    "e",
  ]);
});

test("the program's name is dropped wherever it stands", () => {
  assert.deepEqual(ruleWords("ipvsadm -A ipvsadm -s rr ipvsadm"), [
    "-A",
    "-s",
    "rr",
  ]);
  assert.deepEqual(ruleWords("ipvsadm ipvsadm"), []);
});

test("the program's name within a word is left alone", () => {
  const line = "/sbin/ipvsadm ipvsadm2 Ipvsadm";
  assert.deepEqual(ruleWords(line), line.split(" "));
});

test("an empty line has no words", () => {
  for (const line of ["", " ", "\r", " \t\r "])
    assert.deepEqual(ruleWords(line), []);
});

test("a comment has no words", () => {
  for (const line of ["#", "# -A", "  #-A", "ipvsadm # -A"])
    assert.deepEqual(ruleWords(line), []);
});

test("behind a word, # begins no comment", () => {
  assert.deepEqual(ruleWords("-A # b"), ["-A", "#", "b"]);
});

test("a zero byte ends its word, not the line", () => {
  assert.deepEqual(ruleWords("-L\0foo -n\0bar\0 -c"), ["-L", "-n", "-c"]);
  assert.deepEqual(ruleWords("\0foo -L ipvsadm\0foo"), ["", "-L"]);
});

test("bytes beyond ASCII are parts of words", () => {
  assert.deepEqual(ruleWords("-A \xa0\x85\xff"), ["-A", "\xa0\x85\xff"]);
});
