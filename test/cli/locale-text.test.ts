// cspell:ignore nämes wörld wörr
import assert from "node:assert/strict";
import { test } from "node:test";
import { asciiText, isUtf8 } from "../../src/cli/locale-text.js";
import { SPECS } from "../../src/commands/specs.js";
import { PERSISTENT } from "../../src/ipvs/model.js";
import { serviceEntry } from "../fixtures/entries.js";
import { kernelWith } from "../fixtures/table-kernel.js";
import { SAMPLE } from "../commands/list/sample.js";
import { subcommand, terminal } from "../commands/run-subcommand.js";

const bytes = (text: string) => Buffer.from(text).toString("latin1");

const ASCII = /^[\0-\x7f]*$/;

test("isUtf8() reads LC_ALL, then LC_CTYPE, then LANG", () => {
  const says = (variables: Record<string, string>) =>
    isUtf8({ environment: (name) => variables[name] });
  assert.equal(says({}), false);
  assert.equal(says({ LANG: "C" }), false);
  assert.equal(says({ LANG: "de_DE.ISO-8859-1" }), false);
  assert.equal(says({ LANG: "de_DE.UTF-8" }), true);
  assert.equal(says({ LANG: "C.utf8" }), true);
  assert.equal(says({ LANG: "C", LC_CTYPE: "C.UTF-8" }), true);
  assert.equal(says({ LANG: "C.UTF-8", LC_ALL: "C" }), false);
  assert.equal(says({ LANG: "C.UTF-8", LC_ALL: "" }), true);
});

test("asciiText() replaces each character of our own texts by one that fits, and others by a question mark", () => {
  assert.equal(
    asciiText(bytes("tcp/[2001…]:80 · 世 é")),
    "tcp/[2001~]:80 | ? ?",
  );
  assert.equal(asciiText(bytes("▁▂▃▄▅▆▇█")), "_.:-=+*#");
  assert.equal(asciiText("plain"), "plain");
});

/** A table whose names are not ASCII. */
const FOREIGN = [
  ...SAMPLE,
  serviceEntry(
    { family: 2, firewallMark: 9 },
    {
      scheduler: bytes("wörr"),
      flags: PERSISTENT,
      timeoutSeconds: 300,
      persistenceEngine: bytes("世界"),
    },
  ),
];

const C = { LC_ALL: "C", NO_COLOR: "1" };

function inC(line: string, width?: number, stdin = "") {
  return subcommand(line, {
    link: kernelWith(FOREIGN),
    io: terminal(width, C),
    stdin: [bytes(stdin).split("\n")],
  });
}

test("no help text has other characters than ASCII with LC_ALL=C", async () => {
  for (const line of ["help", ...SPECS.map(({ name }) => `${name} --help`)]) {
    const { stdout, stderr } = await inC(line);
    assert.match(stdout + stderr, ASCII, line);
  }
});

for (const line of [
  "list",
  "list --wide",
  "list -o json",
  "list -o ndjson",
  "list -o yaml",
  "status",
  "status -o json",
  "watch -n 1 -i 0.1",
  "watch -n 1 -i 0.1 -o ndjson",
  "connections",
  "check -",
  "check - -o json",
  "check - -o sarif",
  "check - -o github",
  "diff -",
  "diff - -o json",
  "doctor --list",
  "doctor --explain no-servers",
  "list wörld",
  "list --nämes",
])
  test(`${line} prints only ASCII with LC_ALL=C`, async () => {
    // watch would take the whole terminal.
    const widths = line.startsWith("watch")
      ? [undefined]
      : [undefined, 40, 100];
    for (const width of widths) {
      const rules = "-A -f 1 -s wörr # 世界\n";
      const { stdout, stderr } = await inC(line, width, rules);
      assert.match(stdout, ASCII);
      assert.match(stderr, ASCII);
      assert.ok(stdout.length + stderr.length > 0);
    }
  });

test("list -o json escapes with LC_ALL=C what it prints in UTF-8 otherwise", async () => {
  const { stdout } = await inC("list -o json");
  const utf8 = await subcommand("list -o json", { link: kernelWith(FOREIGN) });
  assert.doesNotMatch(utf8.stdout, ASCII);
  assert.deepEqual(JSON.parse(stdout), JSON.parse(utf8.stdout));
});
