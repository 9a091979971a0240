import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { COMMANDS, OPTIONS } from "../../../src/grammar/options.js";
import type { OptionSyntax } from "../../../src/grammar/scanner.js";
import { SCHEDULERS } from "../../../src/ipvs/schedulers.js";
import type { Io } from "../../../src/runtime/io.js";
import { SHELLS } from "../../../src/commands/completion/shells.js";
import { optionsOf } from "../../../src/cli/common-options.js";
import { SPECS } from "../../../src/commands/specs.js";
import { ALL_SPECS } from "../all-specs.js";
import { mainSubcommands } from "../../../src/subcommands.js";
import { runIn } from "../../classic/scripted-io.js";
import { scriptedKernel } from "../../classic/scripted-kernel.js";
import { kernelWith } from "../../fixtures/table-kernel.js";
import { SAMPLE } from "../list/sample.js";

/** Asks for candidates as zsh does. @param line words separated by single spaces, the cursor at its end */
async function asked(
  line: string,
  io: Partial<Io> = {},
  shell = "zsh",
): Promise<string[]> {
  const words = ["ipvsadm", ...line.split(" ")];
  const { stdout, stderr, status } = await runIn({ io }, async (world) => {
    const index = String(words.length - 1);
    const status = await mainSubcommands(
      ["complete", shell, index, ...words],
      world,
    );
    return status ?? -1;
  });
  assert.deepEqual([stderr, status], ["", 0]);
  return stdout.split("\n").slice(0, -1);
}

/** The values without descriptions. */
async function offered(line: string, io?: Partial<Io>): Promise<string[]> {
  const lines = await asked(line, io);
  return lines.map((line) => line.split("\t")[0] ?? "");
}

function spelled({ short = "", long }: OptionSyntax): string[] {
  return [...Array.from(short, (letter) => `-${letter}`), `--${long}`];
}

test("completion offers every classic command with its help", async () => {
  const lines = await asked("-");
  for (const command of COMMANDS)
    for (const spelling of spelled(command))
      assert.ok(lines.includes(`${spelling}\t${command.help}`), spelling);
});

for (const command of COMMANDS) {
  const line = [
    `--${command.long}`,
    ...(command.value ? ["master"] : []),
    ...Array<string>(command.words ?? 0).fill("60"),
  ].join(" ");

  test(`completion offers exactly the options of --${command.long}`, async () => {
    const values = await offered(`${line} -`);
    for (const option of OPTIONS) {
      // -6 needs a firewall mark before it.
      if (option.long === "ipv6") continue;
      const legal =
        option.option === undefined || option.with[command.commandName];
      for (const spelling of spelled(option))
        assert.equal(values.includes(spelling), Boolean(legal), spelling);
    }
  });
}

test("completion offers required options first", async () => {
  assert.deepEqual((await offered("-a ")).slice(0, 5), [
    "-t",
    "-u",
    "--sctp-service",
    "-f",
    "-r",
  ]);
});

test("completion does not offer options that exclude those on the line", async () => {
  for (const [line, gone, left] of [
    ["-D -t 192.0.2.1:80 -", ["-u", "-f", "-t"], []],
    ["-a -m -", ["-g", "-i", "--tun-type", "--tun-csum"], ["-t", "-w"]],
    ["-a -i -", ["-g", "-m"], ["--tun-type", "--tun-port", "--tun-remcsum"]],
    ["-a --tun-type gre -", ["--tun-port", "--tun-remcsum"], ["--tun-csum"]],
    ["-a --tun-type gue -", ["--tun-type"], ["--tun-port", "--tun-remcsum"]],
    ["-a --tun-csum -", ["-m", "-g", "--tun-nocsum"], ["-i", "--tun-type"]],
    ["-L -c -", ["-t", "--timeout", "--stats", "--rate"], ["-n"]],
    ["-L --stats -", ["-c", "--timeout", "--daemon"], ["-t", "--rate", "-X"]],
    ["-Ln -", ["-n"], ["-c"]],
    ["-A -t 192.0.2.1:80 -", ["-6"], ["-s"]],
    ["-A -f 7 -", [], ["-6"]],
  ] as const) {
    const values = await offered(line);
    for (const option of gone) assert.ok(!values.includes(option), line);
    for (const option of left)
      assert.ok(values.includes(option), `${line}${option}`);
  }
});

test("completion considers options after the cursor", async () => {
  const ask = ["complete", "zsh", "2", "ipvsadm", "-A", "-", "-s", "rr"];
  const { stdout } = await runIn({}, async (io) =>
    Number(await mainSubcommands(ask, io)),
  );
  assert.match(stdout, /^-t\t/);
  assert.doesNotMatch(stdout, /^-s\t/m);
});

test("completion offers the values of an option, also attached ones", async () => {
  assert.deepEqual(await offered("--start-daemon "), ["master", "backup"]);
  assert.deepEqual(await offered("-a --tun-type "), ["ipip", "gue", "gre"]);
  assert.deepEqual(await offered("-a --tun-type="), [
    "--tun-type=ipip",
    "--tun-type=gue",
    "--tun-type=gre",
  ]);
  assert.deepEqual(await offered("-A --pe "), ["sip"]);
});

test("completion offers the flags of the scheduler, after those already given", async () => {
  assert.deepEqual(await offered("-A -s mh -b mh-port,"), [
    "mh-port,mh-fallback",
    "mh-port,flag-1",
    "mh-port,flag-2",
    "mh-port,flag-3",
  ]);
  assert.ok((await offered("-A -b ")).includes("sh-fallback"));
});

test("completion offers the schedulers that the help lists", async () => {
  const help = OPTIONS.find(({ long }) => long === "scheduler")?.help ?? "";
  const named = help.split(";")[0]?.split(" ") ?? [];
  assert.deepEqual([...SCHEDULERS.keys()].sort(), named.sort());
  assert.deepEqual((await offered("-A -s ")).sort(), named.sort());
});

test("completion offers nothing for a free value", async () => {
  for (const line of ["-a -w ", "-A -t ", "-A -M ", "-D foo", "--set ", "-w "])
    assert.deepEqual(await offered(line), [], line);
});

test("completion offers options where an optional value may be", async () => {
  assert.ok((await offered("-A -t 192.0.2.1:80 -p ")).includes("-s"));
});

test("completion completes a group of letters to itself", async () => {
  assert.deepEqual(await offered("-Ln"), ["-Ln"]);
  assert.deepEqual(await offered("-LQ"), []);
});

test("completion offers subcommands with classic commands, and alone after a letter", async () => {
  const names = SPECS.map(({ name }) => name);
  assert.deepEqual(await offered("s"), names);
  const all = await offered("");
  assert.deepEqual(all.slice(0, names.length), names);
  assert.ok(all.includes("-L"));
  assert.ok(!all.includes("complete"));
});

for (const subcommand of ALL_SPECS) {
  test(`completion offers every option of ${subcommand.name} and its values`, async () => {
    const values = await offered(`${subcommand.name} -`);
    for (const option of optionsOf(subcommand)) {
      assert.ok(values.includes(`--${option.name}`), option.name);
      if (option.alias) assert.ok(values.includes(`-${option.alias}`));
      if (option.choices)
        assert.deepEqual(
          await offered(`${subcommand.name} --${option.name} `),
          option.choices,
        );
    }
  });

  test(`completion offers the arguments of ${subcommand.name}`, async () => {
    const [first] = subcommand.positionals;
    if (first?.choices)
      assert.deepEqual(await offered(`${subcommand.name} `), first.choices);
    if (first?.completes === "file")
      assert.deepEqual(await offered(`${subcommand.name} `), [":files"]);
  });
}

test("completion offers subcommands for help, shells for completion, and no option twice", async () => {
  assert.ok((await offered("help ")).includes("status"));
  assert.deepEqual(await offered("completion "), SHELLS);
  assert.ok(!(await offered("status -o json --")).includes("--output"));
  assert.deepEqual(await offered("nosuchverb "), []);
});

/** Writes the files of a machine with some modules and interfaces. */
function machine(): Partial<Io> {
  const root = mkdtempSync(join(tmpdir(), "ipvsadm-machine."));
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write("proc/sys/kernel/osrelease", "6.1.0\n");
  write(
    "proc/modules",
    "ip_vs_sh 16384 0 - LiveValues 0x0\nip_vs 1 1 - LiveValues 0x0\n",
  );
  write("modules/6.1.0/modules.dep", "k/ip_vs_rr.ko:\nk/ip_vs_sh.ko.xz:\n");
  write("modules/6.1.0/modules.builtin", "kernel/ip_vs_wlc.ko\n");
  for (const [name, flags] of [
    ["lo", "0x9"],
    ["eth0", "0x1003"],
    ["e;reboot", "0x1003"],
    ["e\x1b[2J", "0x1003"],
    ["$(reboot)", "0x1003"],
  ] as const)
    write(`sys/class/net/${name}/flags`, `${flags}\n`);
  return {
    procFolder: join(root, "proc"),
    sysFolder: join(root, "sys"),
    modulesFolder: join(root, "modules"),
  };
}

test("completion offers schedulers in the kernel first, unavailable ones last", async () => {
  const lines = await asked("-A -s ", machine());
  assert.deepEqual(lines.slice(0, 4), [
    "wlc\tweighted least connections, the default (in the kernel)",
    "sh\tsource hashing (in the kernel)",
    "rr\tround robin",
    "wrr\tweighted round robin (not available in this kernel)",
  ]);
});

test("completion offers multicast interfaces whose names are safe in a shell", async () => {
  const line = "--start-daemon master --mcast-interface ";
  assert.deepEqual(await offered(line, machine()), ["eth0"]);
});

test("completion offers no services without IPVS, and loads no module", async () => {
  const link = scriptedKernel(undefined, () => false);
  const { stdout, stderr, status, log } = await runIn({ link }, async (io) =>
    Number(
      await mainSubcommands(
        ["complete", "fish", "3", "ipvsadm", "-D", "-t", ""],
        io,
      ),
    ),
  );
  assert.deepEqual([stdout, stderr, status], ["", "", 0]);
  assert.ok(log.includes("open"));
  assert.ok(!log.includes("load"));
});

test("completion prints no errors", async () => {
  const io: Partial<Io> = {
    names: {
      hostAddress: () => Promise.resolve(undefined),
      hostName: () => Promise.resolve(undefined),
      servicePort: () => {
        throw new Error("no such table");
      },
      serviceName: () => undefined,
    },
  };
  const { stdout, stderr, status } = await runIn({ io }, async (world) =>
    Number(
      await mainSubcommands(
        ["complete", "zsh", "5", "ipvsadm", "-A", "-t", "192.0.2.1:http", "-"],
        world,
      ),
    ),
  );
  assert.deepEqual([stdout, stderr], ["", ""]);
  assert.notEqual(status, 2);
});

test("completion offers the real servers of the service for drain", async () => {
  const io = { openLink: () => kernelWith(SAMPLE) };
  assert.deepEqual(await offered("drain fwm/7 ", io), [
    "10.0.0.71:0",
    "10.0.0.72:0",
  ]);
});

test("'ipvsadm complete' of a user is an unknown subcommand", async () => {
  for (const words of [["complete"], ["complete", "zsh"], ["complete", "-L"]])
    await runIn({}, async (io) => {
      assert.equal(await mainSubcommands(words, io), undefined);
      return 0;
    });
});

test("completion ignores variables and the name before the arguments", async () => {
  for (const words of [
    ["4", "LC_ALL=C", "X=1", "/usr/sbin/ipvsadm", "--start-daemon", ""],
    ["2", "ipvsadm", "--start-daemon", ""],
  ]) {
    const { stdout } = await runIn({}, async (io) =>
      Number(await mainSubcommands(["complete", "fish", ...words], io)),
    );
    assert.equal(stdout, "master\t\nbackup\t\n");
  }
});

test("completion loads no packages", () => {
  const files = new Set(["src/commands/completion/answer.ts"]);
  for (const file of files) {
    const code = readFileSync(file, "utf8");
    for (const [, target = ""] of code.matchAll(
      /^(?:import|export)(?! type)[^;]*?from "([^"]+)"/gm,
    )) {
      if (target.startsWith("."))
        files.add(join(dirname(file), target).replace(/\.js$/, ".ts"));
      else assert.match(target, /^node:/, file);
    }
  }
  assert.ok(files.size > 20);
});
