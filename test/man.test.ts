import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { COMMANDS, OPTIONS } from "../src/grammar/options.js";
import { parse } from "../src/grammar/parse.js";
import { NO_NAMES } from "./grammar/lookups.js";

const PAGES = [
  "man/ipvsadm.8",
  "man/ipvsadm-save.8",
  "man/ipvsadm-restore.8",
  "man/ipvsadm-subcommands.8",
  "man/ipvsadm-doctor.8",
] as const;
const PAGE = readFileSync(PAGES[0], "utf8");

/** Options of other programs that the page mentions. */
const FOREIGN = ["--fullnat"];

/** The spec of a command or an option. */
type Row = (typeof COMMANDS)[number] | (typeof OPTIONS)[number];

/** `-L`, `-l`, `--list` */
function spellings({ short = "", long }: Row): string[] {
  return [...Array.from(short, (letter) => `-${letter}`), `--${long}`];
}

/** The options in a line of mdoc: `.Fl L` and `Fl g | i | m`. */
function flagsOf(line: string): string[] {
  const found = line.matchAll(/(?:^\.| )Fl (\S+(?: \| \S+)*)/g);
  return Array.from(found, ([, words = ""]) => words.split(" | "))
    .flat()
    .map((word) => `-${word}`);
}

function section(title: string): string {
  const [, text] = PAGE.split(`\n.Sh ${title}\n`);
  assert.ok(text, `the page has no section ${title}`);
  return text.split("\n.Sh ")[0] ?? "";
}

/** An entry of a list in a section: its head, and the first line of its text. */
interface Entry {
  readonly head: string;
  readonly text: string;
}

function entriesOf(title: string): Entry[] {
  return section(title)
    .split("\n.It ")
    .slice(1)
    .map((entry) => {
      const [head = "", text = ""] = entry.split("\n");
      return { head: ` ${head}`, text };
    });
}

/** The entry whose head names exactly this option, perhaps followed by required options. */
function entryFor(row: Row, title: string): Entry {
  const head = ` ${spellings(row)
    .map((spelling) => `Fl ${spelling.slice(1)}`)
    .join(" , ")}`;
  const entry = entriesOf(title).find(
    (one) => one.head === head || one.head.startsWith(`${head} `),
  );
  assert.ok(entry, `no entry begins with${head}`);
  return entry;
}

for (const command of COMMANDS)
  test(`ipvsadm.8 describes the command --${command.long}`, () => {
    entryFor(command, "COMMANDS");
  });

for (const option of OPTIONS) {
  test(`ipvsadm.8 describes the option --${option.long}`, () => {
    const { head } = entryFor(option, "OPTIONS");
    const optional = head.includes(" Op Ar ") ? "optional" : "required";
    assert.equal(head.includes(" Ar ") ? optional : undefined, option.value);
  });

  test(`ipvsadm.8 lists the commands that accept --${option.long}`, () => {
    const { text } = entryFor(option, "OPTIONS");
    const commands = COMMANDS.filter(
      ({ commandName }) => option.with[commandName],
    );
    if (option.option === undefined) assert.equal(text, ".Pq any command");
    else
      assert.deepEqual(
        flagsOf(text).sort(),
        commands.map((command) => spellings(command)[0]).sort(),
      );
  });
}

test("ipvsadm.8 describes no option that does not exist", () => {
  const known = new Set([...COMMANDS, ...OPTIONS].flatMap(spellings));
  const named = PAGE.split("\n").flatMap(flagsOf);
  assert.ok(named.length >= known.size);
  assert.deepEqual(
    named.filter((flag) => !known.has(flag) && !FOREIGN.includes(flag)),
    [],
  );
});

test("ipvsadm.8 describes nothing twice", () => {
  const heads = [...entriesOf("COMMANDS"), ...entriesOf("OPTIONS")];
  assert.equal(heads.length, COMMANDS.length + OPTIONS.length);
});

/** The command lines of the examples, after shell quoting. */
function examples(): string[] {
  return section("EXAMPLES")
    .replaceAll("\\e\n", "")
    .replaceAll("\\(aq", "")
    .replaceAll("\\-", "-")
    .split("\n")
    .filter((line) => line.startsWith("ipvsadm "));
}

test("ipvsadm.8 has examples", () => {
  assert.ok(examples().length > 0);
});

for (const [i, line] of examples().entries())
  test(`example ${i + 1} of ipvsadm.8 is valid: ${line}`, () => {
    parse(line.split(/ +/).slice(1), NO_NAMES);
  });

for (const page of PAGES)
  test(`mandoc reports no warning for ${page}`, (t) => {
    const words = ["-T", "lint", "-W", "warning", page];
    const { error, status, stdout } = spawnSync("mandoc", words, {
      encoding: "utf8",
    });
    if (error && !process.env["CI"]) {
      t.skip(`mandoc cannot be run: ${error.message}`);
      return;
    }
    assert.ifError(error);
    assert.equal(stdout, "");
    assert.equal(status, 0);
  });
