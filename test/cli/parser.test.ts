import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../src/cli/errors.js";
import { parseArguments } from "../../src/cli/parser.js";
import type { SubcommandSpec } from "../../src/cli/spec.js";

const ROW: SubcommandSpec = {
  name: "demo",
  summary: "",
  description: [],
  positionals: [
    {
      name: "SHELL",
      required: true,
      choices: ["bash", "zsh"],
      description: "",
    },
    { name: "REST", required: false, many: true, description: "" },
  ],
  options: [
    {
      name: "output",
      alias: "o",
      type: "text",
      choices: ["table", "json"],
      default: "table",
      description: "",
    },
    {
      name: "interval",
      alias: "i",
      type: "number",
      minimum: 0.1,
      maximum: 3600,
      description: "",
    },
    { name: "timeout", type: "duration", description: "" },
    {
      name: "columns",
      type: "list",
      choices: ["name", "weight", "rate"],
      description: "",
    },
    { name: "wide", alias: "w", type: "flag", description: "" },
    { name: "names", alias: "n", type: "flag", description: "" },
  ],
  examples: [],
};

const parse = (line: string) => parseArguments(ROW, line.split(" "));

function fault(line: string): [string, string | undefined] {
  let found: [string, string | undefined] = ["", undefined];
  assert.throws(
    () => parse(line),
    (error) => {
      assert.ok(error instanceof UsageError);
      assert.equal(error.subcommand, "demo");
      found = [error.fault, error.suggestion];
      return true;
    },
  );
  return found;
}

for (const line of [
  "bash -o json",
  "bash -ojson",
  "bash -o=json",
  "bash --output json",
  "--output=json bash",
  "bash -wno json",
  "bash -o table -o json",
])
  test(`one way to write a value: ${line}`, () => {
    const given = parse(line);
    assert.equal(given.text("output"), "json");
    assert.deepEqual(given.positionals, ["bash"]);
  });

test("what is not given is its default, or nothing", () => {
  const given = parse("bash");
  assert.equal(given.text("output"), "table");
  assert.equal(given.text("color"), "auto");
  assert.equal(given.number("interval"), undefined);
  assert.equal(given.duration("timeout"), undefined);
  assert.deepEqual(given.list("columns"), []);
  assert.equal(given.flag("wide"), false);
});

test("flags group, lists repeat and take commas, numbers are numbers", () => {
  const given = parse(
    "bash -wn --columns name,weight --columns rate -i 0.5 --timeout 1m30s",
  );
  assert.ok(given.flag("wide") && given.flag("names"));
  assert.deepEqual(given.list("columns"), ["name", "weight", "rate"]);
  assert.equal(given.number("interval"), 0.5);
  assert.equal(given.duration("timeout"), 90);
});

test("words stay what they are, and -- ends the options", () => {
  assert.deepEqual(parse("zsh 0x10 1e3 true -- -o --").positionals, [
    "zsh",
    "0x10",
    "1e3",
    "true",
    "-o",
    "--",
  ]);
});

const FAULTS: readonly (readonly [string, string, string?])[] = [
  ["bash --otput json", "unknown option --otput", "--output"],
  ["bash --zebra", "unknown option --zebra"],
  ["bash --no-color", "unknown option --no-color"],
  ["bash -x", "unknown option -x"],
  ["bash --out.put=3", "unknown option --out.put", "--output"],
  ["bash -o", "-o OUTPUT: the value is missing"],
  ["bash --output=", "--output OUTPUT: the value is missing"],
  ["bash --wide=no", "--wide takes no value"],
  ["bash -w=1", "-w takes no value"],
  ["bash -o jso", "--output jso is not one of table, json", "json"],
  [
    "bash --columns name,wieght",
    "--columns wieght is not one of name, weight, rate",
    "weight",
  ],
  ["bash -i 0", "--interval 0: a number from 0.1 to 3600 is wanted"],
  ["bash -i 1x", "--interval 1x: a number from 0.1 to 3600 is wanted"],
  [
    "bash --timeout soon",
    "--timeout soon: a duration is wanted, such as 90s, 5m or 1h30m",
  ],
  ["bash --color often", "--color often is not one of auto, always, never"],
  ["bsh", "SHELL bsh is not one of bash, zsh", "bash"],
  ["-w", "SHELL is missing"],
];
for (const [line, text, suggestion] of FAULTS)
  test(`refused: ${line}`, () => {
    assert.deepEqual(fault(line), [text, suggestion]);
  });

test("a word too many is refused where there is an end to them", () => {
  const row = { ...ROW, positionals: [] };
  assert.throws(() => parseArguments(row, ["x\x1b"]), {
    fault: "unexpected word x?",
  });
});

test("with --help no word is missing", () => {
  assert.ok(parse("--help").flag("help"));
});
