import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageFault } from "../../src/grammar/usage-errors.js";
import {
  Scanner,
  Spellings,
  type Spelling,
} from "../../src/grammar/scanner.js";

const SPELLINGS = new Spellings<Spelling>([
  { short: "Ll", long: "list" },
  { short: "n", long: "numeric" },
  { short: "w", long: "weight", value: "required" },
  { short: "p", long: "persistent", value: "optional" },
  { long: "sort" },
]);

/** The options of a line as `name` or `name=value`, and behind a blank the words that are none. */
function scan(...words: string[]): string {
  const scanner = new Scanner(words, SPELLINGS);
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

test("options are letters or long names", () => {
  assert.equal(scan("-L", "--numeric", "--sort"), "list numeric sort");
});

test("an option may have two letters", () => {
  assert.equal(scan("-l", "-L"), "list list");
});

test("letters group", () => {
  assert.equal(scan("-Lnn"), "list numeric numeric");
});

test("the last letter of a group may take a value", () => {
  assert.equal(scan("-Lnw", "5"), "list numeric weight=5");
  assert.equal(scan("-Lnw5"), "list numeric weight=5");
});

test("a value is attached, follows an equals sign, or is the next word", () => {
  for (const words of [
    ["-w5"],
    ["-w=5"],
    ["-w", "5"],
    ["--weight=5"],
    ["--weight", "5"],
  ])
    assert.equal(scan(...words), "weight=5", words.join(" "));
});

test("what is attached to a letter is its value, whatever it looks like", () => {
  assert.equal(scan("-wn"), "weight=n");
  assert.equal(scan("-w-n"), "weight=-n");
});

test("one equals sign is taken off, not two", () => {
  assert.equal(scan("-w==5"), "weight==5");
  assert.equal(scan("--weight==5"), "weight==5");
});

test("a value behind an equals sign may be empty", () => {
  assert.equal(scan("-w=", "5"), "weight= 1:5");
  assert.equal(scan("--weight=", "5"), "weight= 1:5");
});

test("the next word is the value, whatever it looks like", () => {
  assert.equal(scan("-w", "-n"), "weight=-n");
  assert.equal(scan("--weight", "--numeric"), "weight=--numeric");
  assert.equal(scan("-w", "--", "-n"), "weight=-- numeric");
  assert.equal(scan("-w", ""), "weight=");
});

test("an optional value is the next word", () => {
  assert.equal(scan("-p", "5", "-n"), "persistent=5 numeric");
  assert.equal(scan("--persistent", "5"), "persistent=5");
  assert.equal(scan("-p", ""), "persistent=");
});

test("an optional value is not the next word if that begins with a dash", () => {
  assert.equal(scan("-p", "-n"), "persistent numeric");
  assert.equal(scan("--persistent", "-n"), "persistent numeric");
  assert.equal(scan("-p", "-"), "persistent 1:-");
  assert.equal(scan("-p", "--", "5"), "persistent 2:5");
});

test("an optional value may be absent at the end of the line", () => {
  assert.equal(scan("-p"), "persistent");
  assert.equal(scan("-np"), "numeric persistent");
});

test("an optional value may be attached", () => {
  assert.equal(scan("-p5"), "persistent=5");
  assert.equal(scan("-p=-5"), "persistent=-5");
  assert.equal(scan("-pn"), "persistent=n");
  assert.equal(scan("--persistent="), "persistent=");
});

test("words that are no options are told by their places", () => {
  assert.equal(
    scan("a", "-n", "b", "-w", "c", "d"),
    "numeric weight=c 0:a 2:b 5:d",
  );
});

test("a lone dash and the empty word are no options", () => {
  assert.equal(scan("-", "", "-n"), "numeric 0:- 1:");
});

test("two dashes end the options", () => {
  assert.equal(
    scan("-n", "--", "-L", "--", "--sort"),
    "numeric 2:-L 3:-- 4:--sort",
  );
});

test("a line may be empty", () => {
  assert.equal(scan(), "");
});

test("an unknown option is named with the whole word in which it stands", () => {
  assert.equal(fault("-L", "-Q").message, "-Q: unknown option");
  assert.equal(fault("-LQn").message, "-LQn: unknown option");
  assert.equal(fault("-Ln-").message, "-Ln-: unknown option");
  assert.equal(fault("-L ").message, "-L : unknown option");
  assert.equal(fault("--foo").message, "--foo: unknown option");
  assert.equal(fault("--foo=3").message, "--foo=3: unknown option");
  assert.equal(fault("-\xff").message, "-\xff: unknown option");
});

test("of an unknown option that people know from elsewhere more is said", () => {
  const foreign = new Map([["fullnat", "do this instead"]]);
  const spellings = new Spellings<Spelling>([], foreign);
  for (const word of ["--fullnat", "--fullnat=3"])
    assert.throws(
      () => new Scanner([word], spellings).next(),
      new UsageFault("scanner", `${word}: unknown option\ndo this instead`, 0),
    );
});

test("long names are not abbreviated, nor written with one dash or three", () => {
  assert.equal(fault("--num").message, "--num: unknown option");
  assert.equal(fault("--L").message, "--L: unknown option");
  assert.equal(fault("---list").message, "---list: unknown option");
  assert.equal(fault("-sort").message, "-sort: unknown option");
});

test("a long name is no property of an object", () => {
  assert.equal(fault("--toString").message, "--toString: unknown option");
  assert.equal(fault("--__proto__").message, "--__proto__: unknown option");
});

test("a value that is missing is a fault", () => {
  assert.equal(fault("-n", "-w").message, "-w: missing argument");
  assert.equal(fault("-nw").message, "-nw: missing argument");
  assert.equal(fault("--weight").message, "--weight: missing argument");
});

test("a value that is one too many is a fault", () => {
  const sentence = "option does not take an argument";
  assert.equal(fault("--numeric=3").message, `--numeric=3: ${sentence}`);
  assert.equal(fault("--numeric=").message, `--numeric=: ${sentence}`);
  assert.equal(fault("-Ln=3").message, `-Ln=3: ${sentence}`);
});

test("a fault is found where it stands: what comes before it is taken", () => {
  const scanner = new Scanner(["-n", "-Q"], SPELLINGS);
  assert.equal(scanner.next()?.long, "numeric");
  assert.throws(() => scanner.next(), UsageFault);
  assert.equal(fault("-n", "x", "-Q").word, 2);
});

test("the word that was read last is an option, or its value", () => {
  const scanner = new Scanner(["-n", "-w", "5", "-w6"], SPELLINGS);
  const words: [string, number][] = [];
  while (scanner.next()) words.push([scanner.word, scanner.position]);
  assert.deepEqual(words, [
    ["-n", 0],
    ["5", 2],
    ["-w6", 3],
  ]);
});

test("a scanner that begins with another line knows nothing of the one before", () => {
  const scanner = new Scanner(["a", "-nL", "--", "b"], SPELLINGS);
  while (scanner.next());
  assert.deepEqual(scanner.free, [0, 3]);
  scanner.load(["-nL"]);
  scanner.next(); // and L is still to come
  scanner.load(["-w5", "-n"]);
  assert.equal(scanner.next()?.long, "weight");
  assert.equal(scanner.value, "5");
  assert.equal(scanner.next()?.long, "numeric");
  assert.equal(scanner.value, undefined);
  assert.equal(scanner.next(), undefined);
  assert.deepEqual(scanner.free, []);
  assert.equal(scanner.optionsEnded, false);
});
