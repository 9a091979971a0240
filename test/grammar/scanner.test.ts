import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageFault } from "../../src/grammar/usage-errors.js";
import {
  Scanner,
  OptionTable,
  type OptionSyntax,
} from "../../src/grammar/scanner.js";

const OPTION_TABLE = new OptionTable<OptionSyntax>([
  { short: "Ll", long: "list" },
  { short: "n", long: "numeric" },
  { short: "w", long: "weight", value: "required" },
  { short: "p", long: "persistent", value: "optional" },
  { long: "sort" },
]);

/** The options of a line as `name` or `name=value`, then the other words. */
function scan(...words: string[]): string {
  const scanner = new Scanner(words, OPTION_TABLE);
  const found: string[] = [];
  for (let row; (row = scanner.next());) {
    const { value } = scanner;
    found.push(value === undefined ? row.long : `${row.long}=${value}`);
  }
  return [...found, ...scanner.free.map((at) => `${at}:${words[at]}`)].join(
    " ",
  );
}

function fault(...words: string[]): UsageFault {
  try {
    scan(...words);
  } catch (error) {
    assert.ok(error instanceof UsageFault);
    assert.equal(error.kind, "scanner");
    return error;
  }
  assert.fail("no fault was found");
}

test("Scanner reads letters and long names", () => {
  assert.equal(scan("-L", "--numeric", "--sort"), "list numeric sort");
});

test("Scanner accepts two letters for one option", () => {
  assert.equal(scan("-l", "-L"), "list list");
});

test("Scanner reads grouped letters", () => {
  assert.equal(scan("-Lnn"), "list numeric numeric");
});

test("Scanner accepts a value for the last letter of a group", () => {
  assert.equal(scan("-Lnw", "5"), "list numeric weight=5");
  assert.equal(scan("-Lnw5"), "list numeric weight=5");
});

test("Scanner reads a value that is attached, follows =, or is the next word", () => {
  for (const words of [
    ["-w5"],
    ["-w=5"],
    ["-w", "5"],
    ["--weight=5"],
    ["--weight", "5"],
  ])
    assert.equal(scan(...words), "weight=5", words.join(" "));
});

test("Scanner takes everything after the letter as its value", () => {
  assert.equal(scan("-wn"), "weight=n");
  assert.equal(scan("-w-n"), "weight=-n");
});

test("Scanner removes only one =", () => {
  assert.equal(scan("-w==5"), "weight==5");
  assert.equal(scan("--weight==5"), "weight==5");
});

test("Scanner accepts an empty value after =", () => {
  assert.equal(scan("-w=", "5"), "weight= 1:5");
  assert.equal(scan("--weight=", "5"), "weight= 1:5");
});

test("Scanner takes the next word as a required value, even if it begins with a dash", () => {
  assert.equal(scan("-w", "-n"), "weight=-n");
  assert.equal(scan("--weight", "--numeric"), "weight=--numeric");
  assert.equal(scan("-w", "--", "-n"), "weight=-- numeric");
  assert.equal(scan("-w", ""), "weight=");
});

test("Scanner takes the next word as an optional value", () => {
  assert.equal(scan("-p", "5", "-n"), "persistent=5 numeric");
  assert.equal(scan("--persistent", "5"), "persistent=5");
  assert.equal(scan("-p", ""), "persistent=");
});

test("Scanner does not take a word that begins with a dash as an optional value", () => {
  assert.equal(scan("-p", "-n"), "persistent numeric");
  assert.equal(scan("--persistent", "-n"), "persistent numeric");
  assert.equal(scan("-p", "-"), "persistent 1:-");
  assert.equal(scan("-p", "--", "5"), "persistent 2:5");
});

test("Scanner accepts a missing optional value at the end of the line", () => {
  assert.equal(scan("-p"), "persistent");
  assert.equal(scan("-np"), "numeric persistent");
});

test("Scanner accepts an attached optional value", () => {
  assert.equal(scan("-p5"), "persistent=5");
  assert.equal(scan("-p=-5"), "persistent=-5");
  assert.equal(scan("-pn"), "persistent=n");
  assert.equal(scan("--persistent="), "persistent=");
});

test("Scanner records the positions of other words", () => {
  assert.equal(
    scan("a", "-n", "b", "-w", "c", "d"),
    "numeric weight=c 0:a 2:b 5:d",
  );
});

test("Scanner treats a single dash and an empty word as other words", () => {
  assert.equal(scan("-", "", "-n"), "numeric 0:- 1:");
});

test("Scanner reads no options after --", () => {
  assert.equal(
    scan("-n", "--", "-L", "--", "--sort"),
    "numeric 2:-L 3:-- 4:--sort",
  );
});

test("Scanner accepts an empty line", () => {
  assert.equal(scan(), "");
});

test("Scanner names the whole word of an unknown option", () => {
  assert.equal(fault("-L", "-Q").message, "-Q: unknown option");
  assert.equal(fault("-LQn").message, "-LQn: unknown option");
  assert.equal(fault("-Ln-").message, "-Ln-: unknown option");
  assert.equal(fault("-L ").message, "-L : unknown option");
  assert.equal(fault("--foo").message, "--foo: unknown option");
  assert.equal(fault("--foo=3").message, "--foo=3: unknown option");
  assert.equal(fault("-\xff").message, "-\xff: unknown option");
});

test("Scanner adds a hint for options of other programs", () => {
  const foreign = new Map([["fullnat", "do this instead"]]);
  const table = new OptionTable<OptionSyntax>([], foreign);
  for (const word of ["--fullnat", "--fullnat=3"])
    assert.throws(
      () => new Scanner([word], table).next(),
      new UsageFault("scanner", `${word}: unknown option\ndo this instead`, 0),
    );
});

test("Scanner rejects abbreviated long names, and names after one or three dashes", () => {
  assert.equal(fault("--num").message, "--num: unknown option");
  assert.equal(fault("--L").message, "--L: unknown option");
  assert.equal(fault("---list").message, "---list: unknown option");
  assert.equal(fault("-sort").message, "-sort: unknown option");
});

test("Scanner does not find properties of objects as long names", () => {
  assert.equal(fault("--toString").message, "--toString: unknown option");
  assert.equal(fault("--__proto__").message, "--__proto__: unknown option");
});

test("Scanner rejects a missing value", () => {
  assert.equal(fault("-n", "-w").message, "-w: missing argument");
  assert.equal(fault("-nw").message, "-nw: missing argument");
  assert.equal(fault("--weight").message, "--weight: missing argument");
});

test("Scanner rejects a value for an option that takes none", () => {
  const sentence = "option does not take an argument";
  assert.equal(fault("--numeric=3").message, `--numeric=3: ${sentence}`);
  assert.equal(fault("--numeric=").message, `--numeric=: ${sentence}`);
  assert.equal(fault("-Ln=3").message, `-Ln=3: ${sentence}`);
});

test("Scanner returns the options before an error", () => {
  const scanner = new Scanner(["-n", "-Q"], OPTION_TABLE);
  assert.equal(scanner.next()?.long, "numeric");
  assert.throws(() => scanner.next(), UsageFault);
  assert.equal(fault("-n", "x", "-Q").word, 2);
});

test("word is the last option or its value", () => {
  const scanner = new Scanner(["-n", "-w", "5", "-w6"], OPTION_TABLE);
  const words: [string, number][] = [];
  while (scanner.next()) words.push([scanner.word, scanner.position]);
  assert.deepEqual(words, [
    ["-n", 0],
    ["5", 2],
    ["-w6", 3],
  ]);
});

test("load() forgets the previous line", () => {
  const scanner = new Scanner(["a", "-nL", "--", "b"], OPTION_TABLE);
  while (scanner.next());
  assert.deepEqual(scanner.free, [0, 3]);
  scanner.load(["-nL"]);
  scanner.next(); // L is still unread
  scanner.load(["-w5", "-n"]);
  assert.equal(scanner.next()?.long, "weight");
  assert.equal(scanner.value, "5");
  assert.equal(scanner.next()?.long, "numeric");
  assert.equal(scanner.value, undefined);
  assert.equal(scanner.next(), undefined);
  assert.deepEqual(scanner.free, []);
  assert.equal(scanner.optionsEnded, false);
});
