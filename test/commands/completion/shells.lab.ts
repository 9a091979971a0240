import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, suite, test, type TestContext } from "node:test";
import { scriptFor } from "../../../src/commands/completion/shell-scripts.js";
import { SHELLS, type Shell } from "../../../src/commands/completion/shells.js";
import { eventually } from "../../lab/eventually.js";
import { bash, installPrograms } from "../../lab/installed.js";
import { Pane } from "../../lab/pane.js";
import { ours } from "../../lab/program.js";

/*
 * Runs the scripts in real shells with a table in the kernel, and presses keys in a terminal. Each shell has the prompt `$ `.
 */

const TABLE = [
  "-A -t 192.0.2.1:80 -s wrr",
  "-a -t 192.0.2.1:80 -r 10.0.0.11:8080 -m",
  "-a -t 192.0.2.1:80 -r 10.0.0.12:8080 -m -w 5",
  "-A -t 192.0.2.9:443 -s rr",
  "-a -t 192.0.2.9:443 -r 10.9.9.9:443 -m",
  "-A -u 192.0.2.1:53 -s rr",
  "-A -t [2001:db8::1]:80 -s rr",
  "-A -t [2001:db8::2]:80 -s rr",
  "-a -t [2001:db8::1]:80 -r [2001:db8::a]:8080 -m",
  "-A -f 7 -s rr",
];

const programs = installPrograms();
const folder = mkdtempSync(join(tmpdir(), "ipvsadm-completion."));

/** What is typed before the tab key, and what the terminal shows after it. */
const COMMON_CASES: readonly (readonly [string, RegExp])[] = [
  ["ipvsadm -D -t 192.0.2.9", /^\$ ipvsadm -D -t 192\.0\.2\.9:443$/],
  ["ipvsadm -D -t '[2001:db8::1", /^\$ ipvsadm -D -t '\[2001:db8::1\]:80'$/],
  ["ipvsadm -E --udp-service=", /--udp-service=192\.0\.2\.1:53$/],
  ["ipvsadm -d -t 192.0.2.9:443 -r ", /-r 10\.9\.9\.9:443$/],
  ["ipvsadm status --output=js", /--output=json$/],
  ["ipvsadm -R < ru", /-R < rules\.txt$/],
];

const CASES: Readonly<Record<Shell, typeof COMMON_CASES>> = {
  bash: [
    ...COMMON_CASES,
    ["ipvsadm -D -t 192.0.2.9:", /^\$ ipvsadm -D -t 192\.0\.2\.9:443$/],
    ["ipvsadm -D -t [2001:db8::1", /-t \[2001:db8::1\\\]:80$/],
    ["ipvsadm -d -t 192.0.2.1:80 -r ", /11:8080 +10\.0\.0\.12:8080$/m],
    ["ipvsadm -D -", /^-t +-u +--sctp-service +--fwmark-service$/m],
  ],
  zsh: [
    ...COMMON_CASES,
    ["ipvsadm -d -t 192.0.2.1:80 -r ", /12:8080 +-- weight 5, 0 active conn/m],
    ["ipvsadm -D -", /--udp-service +-u +-- virtual service over UDP/m],
    ["ipvsadm -A -f 1 -s s", /sh +-- source hashing/],
  ],
  fish: [
    ...COMMON_CASES,
    ["ipvsadm -d -t 192.0.2.1:80 -r ", /12:8080 +\(weight 5, 0 active conn/m],
    ["ipvsadm -D -", /--udp-service +\(virtual service over UDP/m],
    ["ipvsadm -A -f 1 -s s", /sh +\(source hashing/],
  ],
};

/** Each shell gets its own persistence timeout, to tell the services apart. */
const SECONDS: Readonly<Record<Shell, number>> = {
  bash: 301,
  zsh: 302,
  fish: 303,
};

/** How each shell starts with our script and without the settings of the user. */
const START: Readonly<Record<Shell, string>> = {
  bash: "bash --noprofile --rcfile start.bash -i",
  zsh: "env ZDOTDIR=. zsh -d -i",
  fish: "env HOME=. XDG_CONFIG_HOME=. XDG_DATA_HOME=. fish --no-config -C 'source start.fish'",
};

function prepare(): void {
  for (const shell of SHELLS)
    writeFileSync(join(folder, `ipvsadm.${shell}`), scriptFor(shell));
  const files = {
    "start.bash":
      "PS1='$ '; bind 'set enable-bracketed-paste off'; bind 'set bell-style none'; bind 'set show-all-if-ambiguous on'; . ./ipvsadm.bash",
    ".zshrc":
      "PROMPT='$ '; setopt no_beep no_list_ambiguous; autoload -Uz compinit; compinit -u -d ./zcompdump; . ./ipvsadm.zsh",
    "start.fish":
      "function fish_prompt; echo -n '$ '; end; function fish_greeting; end; source ipvsadm.fish",
    "rules.txt": "-C\n",
    // File names that match the pattern [2001:db8::1]:80.
    "1:80": "",
    "8:80": "",
  };
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(folder, name), `${text}\n`);
}

function has(t: TestContext, program: string): boolean {
  const { error } = spawnSync(program, ["-V"]);
  if (!error) return true;
  if (process.env["CI"]) throw error;
  t.skip(`${program} cannot be run: ${error.message}`);
  return false;
}

/** Runs a shell in a terminal during a test. */
async function inTerminal(
  t: TestContext,
  shell: Shell,
  act: (terminal: Pane) => Promise<void>,
): Promise<void> {
  if (!has(t, "tmux") || !has(t, shell)) return;
  using terminal = new Pane(
    120,
    30,
    `cd ${folder}; PATH=${programs}:$PATH exec ${START[shell]}`,
  );
  await terminal.shows(/^\$/m, 600); // zsh reads a thousand files first.
  await act(terminal);
}

suite("completion in the shells", () => {
  before(async () => {
    prepare();
    await ours(["-C"]);
    for (const line of TABLE) {
      const { status, stderr } = await ours(line.split(" "));
      assert.equal(status, 0, stderr);
    }
  });
  after(async () => {
    await ours(["-C"]);
  });

  for (const shell of SHELLS)
    test(`${shell} completes on the tab key`, (t) =>
      inTerminal(t, shell, async (terminal) => {
        for (const [line, shown] of CASES[shell]) {
          terminal.type(line);
          terminal.press("Tab");
          await terminal.shows(shown);
          terminal.press("C-c");
          await terminal.shows(/(^|\n)\$$/);
          terminal.press("C-l");
          await terminal.shows(/^\$$/);
        }
      }));

  for (const shell of SHELLS)
    test(`${shell} runs a completed command with IPv6 brackets`, (t) =>
      inTerminal(t, shell, async (terminal) => {
        terminal.type("ipvsadm -E -t \\[2001:db8::2");
        terminal.press("Tab");
        await terminal.shows(/::2\\\]:80/);
        terminal.type(` -s lc -p ${SECONDS[shell]}`);
        terminal.press("Enter");
        const { stdout } = await eventually(
          () => ours(["-Sn"]),
          ({ stdout }) => stdout.includes(`-p ${SECONDS[shell]}`),
        );
        assert.ok(
          stdout.includes(`-t [2001:db8::2]:80 -s lc -p ${SECONDS[shell]}`),
          terminal.screen,
        );
      }));

  test("fish completes a prefix", (t) => {
    if (!has(t, "fish")) return;
    const { stdout, stderr } = bash(
      programs,
      `cd ${folder}; HOME=. fish --no-config -c 'source ipvsadm.fish; complete -C "ipvsadm -D -t "'`,
    );
    assert.equal(stderr, "");
    assert.deepEqual(stdout.trimEnd().split("\n").sort(), [
      "192.0.2.1:80\tscheduler wrr",
      "192.0.2.9:443\tscheduler rr",
      "[2001:db8::1]:80\tscheduler rr",
      "[2001:db8::2]:80\tscheduler lc, persistent 303 s",
    ]);
  });

  test("completion offers services of the protocol, and servers of the service wherever it is on the line", async () => {
    for (const [words, values] of [
      [["-D", "-u", ""], ["192.0.2.1:53"]],
      [["-Z", "-f", ""], ["7"]],
      [["-A", "-t", ""], []],
      [
        ["-d", "-t", "192.0.2.1:80", "-r", ""],
        ["10.0.0.11:8080", "10.0.0.12:8080"],
      ],
      [["-d", "-t", "[2001:db8::1]:80", "-r", ""], ["[2001:db8::a]:8080"]],
      [
        ["-a", "-t", "192.0.2.1:80", "-r", ""],
        ["10.9.9.9:443", "[2001:db8::a]:8080"],
      ],
    ] as const) {
      const asked = ["complete", "zsh", String(words.length), "ipvsadm"];
      const { stdout, stderr, status } = await ours([...asked, ...words]);
      const lines = stdout.split("\n").slice(0, -1);
      assert.deepEqual([stderr, status], ["", 0]);
      assert.deepEqual(
        lines.map((line) => line.split("\t")[0]),
        values,
      );
    }
    const { stdout } = await ours(
      "complete zsh 3 ipvsadm -d -r  -t 192.0.2.9:443".split(" "),
    );
    assert.equal(stdout, "10.9.9.9:443\tweight 1, 0 active connections\n");
  });

  test("completion offers schedulers in the kernel first", async () => {
    const { stdout } = await ours([
      "complete",
      "zsh",
      "5",
      "ipvsadm",
      "-A",
      "-f",
      "1",
      "-s",
      "",
    ]);
    assert.match(stdout, /^\w+\t.* \(in the kernel\)\n/);
    assert.match(stdout, /^wrr\tweighted round robin \(in the kernel\)$/m);
  });

  test("completion without CAP_NET_ADMIN offers no values from the table, and prints no error", () => {
    const { stdout, stderr, status } = bash(
      programs,
      "exec setpriv --bounding-set=-all --inh-caps=-all --reuid 65534 --clear-groups ipvsadm complete zsh 3 ipvsadm -D -t ''",
    );
    assert.deepEqual([stdout, stderr, status], ["", "", 0]);
  });
});
