import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, suite, test } from "node:test";
import { eventually } from "../../lab/eventually.js";
import { sh } from "../../lab/namespaces.js";
import { Pane } from "../../lab/pane.js";
import { ours } from "../../lab/program.js";
import { without } from "../../traffic/needs.js";

const WATCH = "node dist/bin/ipvsadm.cjs watch --interval 0.5";
const BROKEN = "node dist/test/commands/watch/broken-program.js";
const PID_FILE = "/tmp/watched.pid";
const skip = without("tmux", "tmux");

/** Starts a command in a terminal of 80 by 24. */
async function started(command: string): Promise<Pane> {
  const pane = new Pane(80, 24);
  await pane.shows(/^ready>/);
  pane.type(`echo before; ${command}; echo "status $?"\n`);
  return pane;
}

async function watching(options = ""): Promise<Pane> {
  const pane = await started(
    `sh -c 'echo $$ >${PID_FILE}; exec ${WATCH} ${options}'`,
  );
  await pane.shows(/^q quit/m);
  assert.equal(pane.variable("alternate_on"), "1");
  assert.equal(pane.variable("cursor_flag"), "0");
  return pane;
}

/** Checks that the program ended with a status, and that the terminal is restored. */
async function restored(pane: Pane, status: number): Promise<string> {
  const text = await pane.shows(/^status \d+$/m);
  assert.match(text, new RegExp(`^status ${status}$`, "m"));
  assert.match(text, /^before$/m, "what was on the screen is there again");
  await cooked(pane);
  return text;
}

async function cooked(pane: Pane): Promise<void> {
  const cursor = () =>
    Promise.resolve(
      `${pane.variable("alternate_on")} ${pane.variable("cursor_flag")}`,
    );
  assert.equal(await eventually(cursor, (text) => text === "0 1"), "0 1");
  pane.type("clear; stty -a; echo modes\n");
  const modes = await pane.shows(/^modes$/m);
  for (const mode of ["icanon", "echo", "isig", "icrnl", "opost"])
    assert.match(modes, new RegExp(`[^-]\\b${mode}\\b`), mode);
}

function signal(name: string): void {
  process.kill(Number(readFileSync(PID_FILE, "latin1")), name);
}

suite("watch in a terminal", { skip }, () => {
  before(async () => {
    await ours(["-C"]);
    for (let i = 1; i <= 30; i++)
      await ours(`-A -t 192.0.2.1:${8000 + i} -s rr`.split(" "));
    await ours("-A -u 192.0.2.1:53 -s wlc".split(" "));
    await ours("-a -u 192.0.2.1:53 -r 192.0.2.53 -m -w 3".split(" "));
  });
  after(async () => {
    await ours(["-C"]);
  });

  test("keys sort, scroll, filter, pause and show help; q restores the terminal", async () => {
    using pane = await watching();
    await pane.shows(
      /by connections\/s, busiest first · 31 services, 1 server|by connections\/s, busiest first$/m,
    );
    await pane.shows(/^no change in the last minute$/m);
    pane.press("s");
    await pane.shows(/by packets\/s, busiest first/);
    pane.press("6", "r");
    await pane.shows(/by name, reversed/);
    pane.press("End");
    await pane.shows(/↑↓ \d+-32 of 32/);
    await pane.shows(/^> {2}192\.0\.2\.53:53|^>tcp/m);
    pane.press("Home");
    await pane.shows(/↑↓ 1-\d+ of 32/);
    pane.press("PageDown");
    await pane.shows(/↑↓ 1[0-9]-32 of 32/);
    pane.press("PageUp");
    await pane.shows(/↑↓ 1-\d+ of 32/);
    pane.press("Down", "Down", "Up");
    await pane.shows(/^> {2}192\.0\.2\.53:53 +ok +3 /m);
    pane.press("/");
    pane.type("udp 53");
    await pane.shows(/^Filter: udp 53_/m);
    await pane.shows(
      (text) =>
        /^ {3}192\.0\.2\.53:53 +ok +3 /m.test(text) && !text.includes(":8001"),
    );
    pane.press("Enter");
    await pane.shows(/Esc clear/);
    pane.press("Escape");
    await pane.shows(/of 32/);
    pane.press("v");
    await pane.shows(/of 31/);
    pane.press("p");
    await pane.shows(/PAUSED/);
    pane.press("?");
    await pane.shows(/^Keys of ipvsadm watch/);
    pane.press("x", "q");
    await restored(pane, 0);
  });

  test("watch marks changes", async () => {
    using pane = await watching("udp/192.0.2.1:53");
    await pane.shows(/^no change in the last minute$/m);
    await ours("-e -u 192.0.2.1:53 -r 192.0.2.53 -m -w 0".split(" "));
    await pane.shows(/^ {3}192\.0\.2\.53:53 +draining +0 .*was 3\b/m);
    await ours("-a -u 192.0.2.1:53 -r 192.0.2.54 -m".split(" "));
    await pane.shows(/^ {3}192\.0\.2\.54:53 +ok +1 .*new\b/m);
    await ours("-d -u 192.0.2.1:53 -r 192.0.2.54".split(" "));
    await pane.shows(/^ {3}192\.0\.2\.54:53 +1 .*gone\b/m);
    await pane.shows(/^1 gone · 1 changed · in the last minute$/m);
    await ours("-e -u 192.0.2.1:53 -r 192.0.2.53 -m -w 3".split(" "));
    pane.press("q");
    await restored(pane, 0);
  });

  test("watch drains and undrains the selected server, and prints what it did", async () => {
    using pane = await watching("udp/192.0.2.1:53");
    const weight = async () => {
      const { stdout } = await ours(["-Sn"]);
      return /-r 192\.0\.2\.53:53 -m -w (\d+)/.exec(stdout)?.[1];
    };
    pane.press("Down", "Down");
    await pane.shows(/^> {2}192\.0\.2\.53:53 +ok +3/m);
    pane.press("d");
    await pane.shows(
      /^Run 'ipvsadm drain udp\/192\.0\.2\.1:53 192\.0\.2\.53:53'\?$/m,
    );
    await pane.shows(/accepts new connections: clients/);
    pane.press("n");
    await pane.shows(/^canceled; nothing was changed$/m);
    assert.equal(await weight(), "3");
    pane.press("d");
    await pane.shows(/^y: run it/m);
    pane.press("y");
    await pane.shows(/^> {2}192\.0\.2\.53:53 +draining +0 /m);
    await pane.shows(/: weight 0 \(was 3\); 0 active/);
    assert.equal(await weight(), "0");
    pane.press("Enter");
    await pane.shows(/^192\.0\.2\.53:53 of udp\/192\.0\.2\.1:53 · draining$/m);
    await pane.shows(/^Table +0 connections, 0 templates$/m);
    pane.press("u");
    await pane.shows(/^y: run it/m);
    pane.press("y");
    await pane.shows(/: weight 3 \(was 0\)$/m);
    assert.equal(await weight(), "3");
    await pane.shows(/^192\.0\.2\.53:53 of udp\/192\.0\.2\.1:53 · ok$/m);
    pane.press("w");
    pane.type("7");
    await pane.shows(/^Weight of 192\.0\.2\.53:53: 7_/m);
    pane.press("Enter");
    await pane.shows(
      /^Run 'ipvsadm -e -u 192\.0\.2\.1:53 -r 192\.0\.2\.53:53 -m -w 7'\?$/m,
    );
    pane.press("y");
    await pane.shows(/: weight 7 \(was 3\)$/m);
    assert.equal(await weight(), "7");
    pane.press("Escape");
    await pane.shows(/^> {2}192\.0\.2\.53:53 +ok +7 /m);
    await ours("-e -u 192.0.2.1:53 -r 192.0.2.53 -m -w 3".split(" "));
    pane.press("q");
    const text = await restored(pane, 0);
    assert.match(
      text,
      /^\d\d:\d\d:\d\d ipvsadm drain udp\/192\.0\.2\.1:53 192\.0\.2\.53:53$/m,
    );
    assert.match(text, /^\d\d:\d\d:\d\d ipvsadm -e -u 192\.0\.2\.1:53 /m);
  });

  test("watch chooses columns", async () => {
    using pane = await watching("udp/192.0.2.1:53");
    pane.press("c");
    await pane.shows(/^> \[x\] State/m);
    pane.press("Space", "Escape");
    await pane.shows(/^ Service, its servers +Weight /m);
    pane.press("q");
    await restored(pane, 0);
    using other = await watching("--columns limits,state udp/192.0.2.1:53");
    await other.shows(/^ Service, its servers +Limits {2}State$/m);
    other.press("q");
    await restored(other, 0);
  });

  test("watch redraws when the size of the terminal changes", async () => {
    using pane = await watching();
    pane.resize(130, 12);
    await pane.shows(/Out pkt\/s.*Change +Last minute$/m);
    await pane.shows(/↑↓ 1-7 of 32/);
    pane.resize(30, 12);
    await pane.shows(/^This terminal has 30 columns/);
    pane.resize(60, 40);
    await pane.shows(/State +Conn\/s In B\/s Change$/m);
    pane.press("q");
    await restored(pane, 0);
  });

  test("Ctrl-C restores the terminal", async () => {
    using pane = await watching();
    pane.press("C-c");
    await restored(pane, 130);
  });

  for (const [name, status] of [
    ["SIGINT", 130],
    ["SIGTERM", 143],
    ["SIGHUP", 129],
    ["SIGQUIT", 131],
  ] as const)
    test(`${name} restores the terminal`, async () => {
      using pane = await watching();
      signal(name);
      await restored(pane, status);
    });

  for (const [how, stop] of [
    [
      "ctrl-Z",
      (pane: Pane) => {
        pane.press("C-z");
      },
    ],
    [
      "SIGTSTP",
      () => {
        signal("SIGTSTP");
      },
    ],
  ] as const)
    test(`${how} gives the terminal to the shell until watch resumes`, async () => {
      using pane = new Pane(80, 24);
      await pane.shows(/^ready>/);
      pane.type(`sh -c 'echo $$ >${PID_FILE}; exec ${WATCH}'\n`);
      await pane.shows(/^q quit/m);
      stop(pane);
      await pane.shows(/Stopped/);
      await cooked(pane);
      pane.resize(100, 20);
      pane.type("fg\n");
      await pane.shows(/^q quit.*\n*$/m);
      await pane.shows(
        (text) => text.split("\n")[19]?.startsWith("q quit") ?? false,
      );
      pane.press("s");
      await pane.shows(/by packets\/s/);
      pane.press("q");
      await pane.shows((text) => !text.includes("by packets/s"));
      await cooked(pane);
    });

  for (const [fault, status, message] of [
    ["throw", 1, /TypeError: a bug of the test/],
    ["reject", 1, /TypeError: a bug of the test/],
    ["read", 1, /TypeError: a bug of the test/],
    ["exit", 9, /^before$/m],
    ["refuse", 3, /^ipvsadm: cannot list services: Operation not permitted/m],
  ] as const)
    test(`watch restores the terminal after a fault: ${fault}`, async () => {
      using pane = await started(`${BROKEN} ${fault}`);
      await pane.shows(/^status \d+$/m);
      assert.match(pane.text(), message);
      await restored(pane, status);
    });

  test("watch ends when its terminal is closed", async () => {
    const pane = await watching();
    const pid = Number(readFileSync(PID_FILE, "latin1"));
    pane[Symbol.dispose]();
    const there = () => sh(`[ -d /proc/${pid} ] && echo yes || echo no`).trim();
    assert.equal(
      await eventually(
        () => Promise.resolve(there()),
        (yes) => yes === "no",
      ),
      "no",
    );
  });

  test("watch returns 3 and restores the terminal when the module is unloaded", async (t) => {
    if (process.env["LAB_KERNEL"] !== "uml") {
      t.skip("only a guest of our own may lose its module");
      return;
    }
    using pane = await watching();
    await ours(["-C"]);
    // The module is in use while watch reads the table.
    sh(
      "for module in $(sed -n 's/^\\(ip_vs_[a-z]*\\) .*/\\1/p' /proc/modules) ip_vs; do until modprobe -r $module; do sleep 0.1; done; done",
    );
    const text = await restored(pane, 3);
    assert.match(
      text.replaceAll("\n", ""),
      /cannot reach IPVS in the kernel: No such file or directory/,
    );
  });
});
