import assert from "node:assert/strict";
import { test } from "node:test";
import { isSubcommandLine, main } from "../../src/main.js";
import { OutputClosed } from "../../src/system/streams.js";
import { optionsOf } from "../../src/cli/common-options.js";
import { ACTIONS } from "../../src/commands/fleet/actions.js";
import { FLEET_SPECS } from "../../src/commands/fleet/specs.js";
import { ALL_SPECS } from "../commands/all-specs.js";
import { mainSubcommands } from "../../src/subcommands.js";
import { runIn } from "../classic/scripted-io.js";
import { terminal, subcommand } from "../commands/run-subcommand.js";
import { golden, goldenName, WIDTHS } from "../commands/golden.js";

test("isSubcommandLine() accepts a word and nothing else", () => {
  for (const word of ["list", "stauts", "help"])
    assert.ok(isSubcommandLine([word, "-L"]));
  for (const words of [
    [],
    [""],
    ["-L"],
    ["--list"],
    ["-"],
    ["--"],
    [" status"],
    ["10.0.0.1"],
    ["\xff"],
  ])
    assert.ok(!isSubcommandLine(words), words.join());
});

test("mainSubcommands() leaves a word that is not similar to a command to the classic parser", async () => {
  for (const word of ["foo", "ipvsadm", "xyzzy"]) {
    const { stdout, stderr } = await runIn({}, async (io) => {
      assert.equal(await mainSubcommands([word, "-L"], io), undefined);
      return 0;
    });
    assert.equal(stdout + stderr, "");
  }
});

test("a misspelled subcommand gets a suggestion on stderr and status 2", async () => {
  const { stdout, stderr, status } = await subcommand("stauts");
  assert.equal(stdout, "");
  assert.equal(
    stderr,
    "ipvsadm: unknown subcommand stauts: did you mean 'ipvsadm status'? 'ipvsadm help' lists the subcommands\n",
  );
  assert.equal(status, 2);
});

test("a classic option without its dashes gets a suggestion", async () => {
  const { stderr, status } = await subcommand("add-service -t 192.0.2.1:80");
  assert.match(stderr, /did you mean 'ipvsadm --add-service'\?/);
  assert.equal(status, 2);
});

test("a subcommand that cannot write stdout says so and returns 1", async () => {
  const full = { io: { flush: () => "ENOSPC" } };
  const { stderr, status } = await subcommand("help", full);
  assert.equal(
    stderr,
    "ipvsadm: cannot write standard output: No space left on device\n",
  );
  assert.equal(status, 1);
  assert.equal((await subcommand("stauts", full)).status, 2);
});

test("a subcommand whose stdout is closed returns 141 without a message", async () => {
  const { stderr, status } = await subcommand("help", {
    io: {
      flush() {
        throw new OutputClosed();
      },
    },
  });
  assert.deepEqual([stderr, status], ["", 141]);
});

test("a classic command ignores that stdout cannot be written", async () => {
  const { stderr, status } = await runIn(
    { io: { flush: () => "ENOSPC" } },
    (io) => main(["-v"], io, () => Promise.resolve(undefined)),
  );
  assert.deepEqual([stderr, status], ["", 0]);
});

test("a usage error of a subcommand is one line with status 2", async () => {
  for (const [line, message] of [
    [
      "status --otput json",
      "unknown option --otput: did you mean --output? see 'ipvsadm status --help'",
    ],
    [
      "status everything",
      "unexpected argument everything: see 'ipvsadm status --help'",
    ],
    [
      "help stauts",
      "unknown subcommand stauts: did you mean status? 'ipvsadm help' lists the subcommands",
    ],
  ] as const) {
    const { stdout, stderr, status } = await subcommand(line);
    assert.deepEqual(
      [stdout, stderr, status],
      ["", `ipvsadm: ${message}\n`, 2],
    );
  }
});

test("an error message escapes control characters of the command line", async () => {
  const { stderr } = await subcommand("status --\x1b[2J");
  assert.equal(
    stderr,
    "ipvsadm: unknown option --?[2J: see 'ipvsadm status --help'\n",
  );
});

for (const { name } of ALL_SPECS) {
  for (const width of WIDTHS)
    test(`${name} --help at width ${width ?? "unlimited"}`, async () => {
      const { stdout, stderr, status } = await subcommand(
        `${name} --help --color never`,
        { io: terminal(width) },
      );
      assert.deepEqual([stderr, status], ["", 0]);
      golden(goldenName(`help/${name.replace(" ", "-")}`, width), stdout);
      for (const line of stdout.split("\n"))
        assert.ok(line.length <= (width ?? 100), line);
    });

  test(`help ${name} prints what ${name} -h prints`, async () => {
    const [one, other] = [
      await subcommand(`help ${name}`),
      await subcommand(`${name} -h`),
    ];
    assert.equal(one.stdout, other.stdout);
  });
}

for (const width of WIDTHS)
  test(`help at width ${width ?? "unlimited"}`, async () => {
    const { stdout, status } = await subcommand("help --color never", {
      io: terminal(width),
    });
    assert.equal(status, 0);
    golden(goldenName("help/overview", width), stdout);
  });

test("help --color always prints colors", async () => {
  const { stdout } = await subcommand("help --color always");
  assert.match(stdout, /^\x1b\[1m\x1b\[4mUsage:/); // eslint-disable-line no-control-regex
});

test("every spec has a unique name, unique options, valid defaults and examples", () => {
  for (const spec of ALL_SPECS) {
    assert.ok(isSubcommandLine(spec.name.split(" ")), spec.name);
    assert.ok(spec.examples.length > 0, spec.name);
    for (const { command } of spec.examples) assert.match(command, /^ipvsadm /);
    const options = optionsOf(spec);
    const spellings = options.flatMap(({ name, alias }) =>
      alias ? [name, alias] : [name],
    );
    assert.equal(new Set(spellings).size, spellings.length, spec.name);
    for (const { choices, default: preset } of options)
      if (choices && preset !== undefined) assert.ok(choices.includes(preset));
  }
  const names = ALL_SPECS.map(({ name }) => name);
  assert.equal(new Set(names).size, names.length);
});

test("the actions in the help of fleet are those of the specs, with the same summaries", () => {
  assert.deepEqual(
    ACTIONS,
    FLEET_SPECS.map(({ name, summary }) => [
      name.slice("fleet ".length),
      summary,
    ]),
  );
});

test("fleet without an action, or with an unknown one, is a usage error", async () => {
  const none = await subcommand("fleet");
  assert.deepEqual(
    [none.status, none.stderr],
    [2, "ipvsadm: missing argument ACTION: see 'ipvsadm fleet --help'\n"],
  );
  const unknown = await subcommand("fleet stauts");
  assert.equal(unknown.status, 2);
  assert.match(unknown.stderr, /did you mean status\?/);
  const option = await subcommand("fleet status --labels");
  assert.equal(option.status, 2);
  assert.match(
    option.stderr,
    /did you mean --label\? see 'ipvsadm fleet status --help'/,
  );
});

test("help prints the help of an action, and refuses actions of other subcommands", async () => {
  const { stdout, status } = await subcommand("help fleet publish");
  assert.equal(status, 0);
  assert.match(stdout, /^Usage: ipvsadm fleet publish NAME FILE/);
  for (const line of ["help fleet nosuch", "help list now"]) {
    const refused = await subcommand(line);
    assert.equal(refused.status, 2, line);
  }
});
