import assert from "node:assert/strict";
import { test } from "node:test";
import {
  forBash,
  readBashLine,
} from "../../../src/commands/completion/bash-line.js";

const BREAKS = " \t\n\"'@><=;|&(:";

/** Splits a line with the cursor at `^`. @returns the words, and what readline keeps of the word at the cursor */
function read(line: string) {
  const [before = "", after = ""] = line.split("^");
  const { words, index, kept, quote, redirected } = readBashLine(
    before,
    after,
    BREAKS,
  );
  return { words, index, kept, quote, redirected };
}

test("readBashLine() splits words, and includes an empty word at the cursor", () => {
  for (const [line, words, index] of [
    ["ipvsadm ^", [""], 0],
    ["ipvsadm -D^", ["-D"], 0],
    ["ipvsadm  -D\t-t ^", ["-D", "-t", ""], 2],
    ["ipvsadm -d -r ^ -t 1:2", ["-d", "-r", "", "-t", "1:2"], 2],
    ["ipvsadm -d -r 1^0.1 -t 1:2", ["-d", "-r", "1", "-t", "1:2"], 2],
    ["LC_ALL=C ipvsadm -D ^", ["-D", ""], 1],
    ['ipvsadm \'a b\' "c \\" d" e\\ f ^', ["a b", 'c " d', "e f", ""], 3],
    ["ipvsadm '' ^", ["", ""], 1],
  ] as const) {
    const found = read(line);
    assert.deepEqual([found.words, found.index], [words, index], line);
  }
});

test("readBashLine() knows that readline keeps the word up to the last unquoted colon or equals sign", () => {
  for (const [line, word, kept] of [
    ["ipvsadm -D -t 192.0.2.1^", "192.0.2.1", ""],
    ["ipvsadm -D -t 192.0.2.1:^", "192.0.2.1:", "192.0.2.1:"],
    ["ipvsadm -D -t 192.0.2.1:8^", "192.0.2.1:8", "192.0.2.1:"],
    ["ipvsadm -D -t [2001:db8::1^", "[2001:db8::1", "[2001:db8::"],
    ["ipvsadm -D -t \\[2001:db8::^", "[2001:db8::", "[2001:db8::"],
    ["ipvsadm -D -t '[2001:db8::^", "[2001:db8::", ""],
    ["ipvsadm -D -t 192.0.2.1\\:8^", "192.0.2.1:8", ""],
    ["ipvsadm status --output=j^", "--output=j", "--output="],
  ] as const) {
    const found = read(line);
    assert.deepEqual([found.words.at(-1), found.kept], [word, kept], line);
  }
});

test("readBashLine() skips redirections, and recognizes their files", () => {
  assert.ok(read("ipvsadm -R < ru^").redirected);
  assert.ok(read("ipvsadm -R <^").redirected);
  assert.ok(read("ipvsadm -Sn 2> ^").redirected);
  for (const line of [
    "ipvsadm -L > file ^",
    "ipvsadm -L 2>file ^",
    "ipvsadm -L 2>&1 ^",
    "ipvsadm -L &>file ^",
  ]) {
    const { words, redirected } = read(line);
    assert.deepEqual([words, redirected], [["-L", ""], false], line);
  }
});

test("forBash() escapes brackets outside quotation marks", () => {
  const value = "[2001:db8::1]:80";
  assert.equal(forBash(value, { kept: "", quote: "" }), "\\[2001:db8::1\\]:80");
  assert.equal(forBash(value, { kept: "", quote: "'" }), value);
  assert.equal(forBash(value, { kept: "[2001:db8::", quote: "" }), "1\\]:80");
  assert.equal(forBash(value, { kept: "10.", quote: "" }), undefined);
});
