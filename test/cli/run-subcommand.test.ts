import assert from "node:assert/strict";
import { test } from "node:test";
import { isSubcommandLine, main } from "../../src/main.js";
import { OutputClosed } from "../../src/system/streams.js";
import { optionsOf } from "../../src/cli/common-options.js";
import { SPECS } from "../../src/commands/specs.js";
import { mainSubcommands } from "../../src/subcommands.js";
import { runIn } from "../classic/scripted-io.js";
import { terminal, subcommand } from "../commands/run-subcommand.js";
import { golden, goldenName, WIDTHS } from "../commands/golden.js";

test("a word begins a command line of ours, and nothing else does", () => {
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

test("a word that is near to nothing is left to the classic language", async () => {
  for (const word of ["foo", "ipvsadm", "xyzzy"]) {
    const { stdout, stderr } = await runIn({}, async (io) => {
      assert.equal(await mainSubcommands([word, "-L"], io), undefined);
      return 0;
    });
    assert.equal(stdout + stderr, "");
  }
});

test("a word that is near to a subcommand is told which, on stderr, with status 2", async () => {
  const { stdout, stderr, status } = await subcommand("stauts");
  assert.equal(stdout, "");
  assert.equal(
    stderr,
    "ipvsadm: unknown subcommand stauts: did you mean 'ipvsadm status'? 'ipvsadm help' lists the subcommands\n",
  );
  assert.equal(status, 2);
});

test("a command without its dashes is told with them", async () => {
  const { stderr, status } = await subcommand("add-service -t 192.0.2.1:80");
  assert.match(stderr, /did you mean 'ipvsadm --add-service'\?/);
  assert.equal(status, 2);
});

test("stdout that cannot be written is told, with status 1", async () => {
  const full = { io: { flush: () => "ENOSPC" } };
  const { stderr, status } = await subcommand("help", full);
  assert.equal(
    stderr,
    "ipvsadm: cannot write standard output: No space left on device\n",
  );
  assert.equal(status, 1);
  assert.equal((await subcommand("stauts", full)).status, 2);
});

test("a reader of stdout that has gone away is told by the status alone", async () => {
  const { stderr, status } = await subcommand("help", {
    io: {
      flush() {
        throw new OutputClosed();
      },
    },
  });
  assert.deepEqual([stderr, status], ["", 141]);
});

test("classic commands do not look whether stdout could be written", async () => {
  const { stderr, status } = await runIn(
    { io: { flush: () => "ENOSPC" } },
    (io) => main(["-v"], io, () => Promise.resolve(undefined)),
  );
  assert.deepEqual([stderr, status], ["", 0]);
});

test("a subcommand that is used wrong says how, in one line, with status 2", async () => {
  for (const [line, said] of [
    [
      "status --otput json",
      "unknown option --otput: did you mean --output? see 'ipvsadm status --help'",
    ],
    [
      "status everything",
      "unexpected word everything: see 'ipvsadm status --help'",
    ],
    [
      "help stauts",
      "unknown subcommand stauts: did you mean status? 'ipvsadm help' lists the subcommands",
    ],
  ] as const) {
    const { stdout, stderr, status } = await subcommand(line);
    assert.deepEqual([stdout, stderr, status], ["", `ipvsadm: ${said}\n`, 2]);
  }
});

test("what came on the command line cannot steer the terminal", async () => {
  const { stderr } = await subcommand("status --\x1b[2J");
  assert.equal(
    stderr,
    "ipvsadm: unknown option --?[2J: see 'ipvsadm status --help'\n",
  );
});

for (const { name } of SPECS) {
  for (const width of WIDTHS)
    test(`the help of ${name} at width ${width ?? "of any size"}`, async () => {
      const { stdout, stderr, status } = await subcommand(
        `${name} --help --color never`,
        { io: terminal(width) },
      );
      assert.deepEqual([stderr, status], ["", 0]);
      golden(goldenName(`help/${name}`, width), stdout);
      for (const line of stdout.split("\n"))
        assert.ok(line.length <= (width ?? 100), line);
    });

  test(`help ${name} prints the same`, async () => {
    const [one, other] = [
      await subcommand(`help ${name}`),
      await subcommand(`${name} -h`),
    ];
    assert.equal(one.stdout, other.stdout);
  });
}

for (const width of WIDTHS)
  test(`the list of subcommands at width ${width ?? "of any size"}`, async () => {
    const { stdout, status } = await subcommand("help --color never", {
      io: terminal(width),
    });
    assert.equal(status, 0);
    golden(goldenName("help/overview", width), stdout);
  });

test("help is in colors where they are wanted", async () => {
  const { stdout } = await subcommand("help --color always");
  assert.match(stdout, /^\x1b\[1m\x1b\[4mUsage:/); // eslint-disable-line no-control-regex
});

test("the table is in order", () => {
  for (const row of SPECS) {
    assert.ok(isSubcommandLine([row.name]), row.name);
    assert.ok(row.examples.length > 0, row.name);
    for (const { command } of row.examples) assert.match(command, /^ipvsadm /);
    const options = optionsOf(row);
    const spellings = options.flatMap(({ name, alias }) =>
      alias ? [name, alias] : [name],
    );
    assert.equal(new Set(spellings).size, spellings.length, row.name);
    for (const { choices, default: usual } of options)
      if (choices && usual !== undefined) assert.ok(choices.includes(usual));
  }
  assert.equal(new Set(SPECS.map(({ name }) => name)).size, SPECS.length);
});
