import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  UnresolvedHost,
  UsageFault,
  type FaultKind,
} from "../../src/grammar/usage-errors.js";
import { parse } from "../../src/grammar/parse.js";
import { NO_NAMES } from "./lookups.js";

const TRY = "Try `ipvsadm -h' or 'ipvsadm --help' for more information.";

/** The original's output for invalid command lines; the file begins with an explanation. */
function* recorded() {
  const text = readFileSync("test/fixtures/faults.txt", "utf8");
  let line = "";
  for (const row of text.split("\n")) {
    const [, status, sentence] = /^ {2}([0-9]+) (.*)$/.exec(row) ?? [];
    if (sentence === undefined) line = row;
    else yield { line, status: Number(status), sentence };
  }
}

function faultOf(words: readonly string[]): UsageFault | undefined {
  try {
    parse(words, NO_NAMES);
  } catch (error) {
    assert.ok(error instanceof UsageFault);
    return error;
  }
  return undefined;
}

const STATUS: Record<FaultKind, number> = {
  "not-a-command": 255,
  scanner: 255,
  value: 2,
  combination: 2,
};

test("parse() has the original's message for each invalid line", () => {
  let count = 0;
  for (const { line, status, sentence } of recorded()) {
    const fault = faultOf(line.split(" "));
    assert.ok(fault, line);
    const said = fault.kind === "not-a-command" ? TRY : fault.sentence;
    assert.deepEqual([line, said], [line, sentence]);
    assert.deepEqual([line, STATUS[fault.kind]], [line, status]);
    count++;
  }
  assert.ok(count > 100, `${count} lines`);
});

test("UsageFault contains the position of the word", () => {
  const at = (line: string) => faultOf(line.split(" "))?.word;
  assert.equal(at("-A -Q"), 1);
  assert.equal(at("-A -t 10.0.0.1:80 -p 0"), 4);
  assert.equal(at("-A -t 10.0.0.1:80 -p=0"), 3);
  assert.equal(at("-A -t 10.0.0.1:80 -t 10.0.0.2:80"), 4);
  assert.equal(at("-L -n extra"), 2);
  assert.equal(at("--set 1 x 2"), 2);
  assert.equal(at("--start-daemon foo"), 1);
});

test("UsageFault has no position for an error of the whole line", () => {
  for (const line of ["foo", "-A", "-L -w 3", "--set 1 2"])
    assert.equal(faultOf(line.split(" "))?.word, undefined, line);
});

test("UsageFault has its sentence as message", () => {
  assert.equal(faultOf(["-A", "-Q"])?.message, "-Q: unknown option");
  assert.match(faultOf(["foo"])?.message ?? "", /begin with a command/);
});

test("UnresolvedHost names the host", () => {
  const error = new UnresolvedHost("web.example");
  assert.equal(error.host, "web.example");
  assert.match(error.message, /web\.example/);
});
