import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../src/cli/errors.js";
import { parseArguments } from "../../src/cli/parser.js";
import type { SubcommandSpec } from "../../src/cli/spec.js";

const SPEC: SubcommandSpec = {
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
    { name: "count", type: "integer", minimum: 1, description: "" },
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

const parse = (line: string) => parseArguments(SPEC, line.split(" "));

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
  test(`parseArguments() reads the value in: ${line}`, () => {
    const given = parse(line);
    assert.equal(given.text("output"), "json");
    assert.deepEqual(given.positionals, ["bash"]);
  });

test("parseArguments() uses the default of an option that is not given", () => {
  const given = parse("bash");
  assert.equal(given.text("output"), "table");
  assert.equal(given.text("color"), "auto");
  assert.equal(given.number("interval"), undefined);
  assert.equal(given.duration("timeout"), undefined);
  assert.deepEqual(given.list("columns"), []);
  assert.equal(given.flag("wide"), false);
});

test("parseArguments() reads grouped flags, repeated lists, numbers and durations", () => {
  const given = parse(
    "bash -wn --columns name,weight --columns rate -i 0.5 --timeout 1m30s --count 3",
  );
  assert.ok(given.flag("wide") && given.flag("names"));
  assert.deepEqual(given.list("columns"), ["name", "weight", "rate"]);
  assert.equal(given.number("interval"), 0.5);
  assert.equal(given.number("count"), 3);
  assert.equal(given.duration("timeout"), 90);
});

test("parseArguments() keeps positional arguments as they are, and -- ends the options", () => {
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
  ["bash -o", "-o needs a value (OUTPUT)"],
  ["bash --output=", "--output needs a value (OUTPUT)"],
  ["bash --wide=no", "--wide takes no value"],
  ["bash -w=1", "-w takes no value"],
  ["bash -o jso", "--output jso is not one of table, json", "json"],
  [
    "bash --columns name,wieght",
    "--columns wieght is not one of name, weight, rate",
    "weight",
  ],
  ["bash -i 0", "--interval 0: expected a number from 0.1 to 3600"],
  ["bash -i 1x", "--interval 1x: expected a number from 0.1 to 3600"],
  ["bash --count 1.5", "--count 1.5: expected a whole number of at least 1"],
  ["bash --count 0", "--count 0: expected a whole number of at least 1"],
  [
    "bash --timeout soon",
    "--timeout soon: expected a duration such as 90s, 5m or 1h30m",
  ],
  ["bash --color often", "--color often is not one of auto, always, never"],
  ["bsh", "SHELL bsh is not one of bash, zsh", "bash"],
  ["-w", "missing argument SHELL"],
];
for (const [line, text, suggestion] of FAULTS)
  test(`parseArguments() rejects: ${line}`, () => {
    assert.deepEqual(fault(line), [text, suggestion]);
  });

test("parseArguments() rejects a surplus argument", () => {
  const spec = { ...SPEC, positionals: [] };
  assert.throws(() => parseArguments(spec, ["x\x1b"]), {
    fault: "unexpected argument x?",
  });
});

test("parseArguments() accepts missing arguments with --help", () => {
  assert.ok(parse("--help").flag("help"));
});
