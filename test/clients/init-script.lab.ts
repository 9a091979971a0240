import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { suite, test } from "node:test";
import { ours, type Outcome } from "../lab/program.js";
import { alike } from "./contenders.js";
import { unprepared } from "./machine.js";
import { bash } from "./shell.js";
import { addRules, rules } from "./table.js";

const RULES_FILE = "/etc/ipvsadm.rules";
const SETTINGS_FILE = "/etc/default/ipvsadm";

// Not the addresses of another test: a real server that returns to its service keeps its counters.
const RULES = `-A -t 198.51.100.1:80 -s wlc -p 77 -M 255.255.255.0
-a -t 198.51.100.1:80 -r 10.1.0.11:80 -m -w 3
-A -f 7 -s sh
-a -f 7 -r 10.1.0.12:0 -g -w 1
`;
const COMMENTED = RULES.replace(/^-A/gm, "# a comment\n-A");

suite("Debian's init script", { skip: unprepared() }, () => {
  test("start loads the rules and starts the sync daemons, stop clears both", async () => {
    const { start, status, rate, again, stop } = await alike(async () => {
      configure({ AUTO: "true", DAEMON: "both", IFACE: "lo", SYNCID: "7" });
      writeFileSync(RULES_FILE, COMMENTED);
      return {
        start: await script("start"),
        status: await script("status"),
        rate: await script("rate"),
        again: await script("start"),
        stop: await script("stop"),
      };
    });
    assert.equal(start.rules, RULES);
    assert.match(start.daemons, /^master .*mcast=lo, syncid=7,/m);
    assert.match(start.daemons, /^backup .*mcast=lo, syncid=7,/m);
    assert.match(start.stdout, /^Loading IPVS configuration\.\.\.done\.$/m);
    assert.match(status.stdout, /^ {2}-> 10\.1\.0\.11:80 .*Masq +3 /m);
    assert.match(rate.stdout, /^Prot .*CPS +InPPS +OutPPS/m);
    assert.match(again.stderr, /^Daemon has already run$/m);
    assert.match(again.stdout, /master backup failed!$/m);
    assert.equal(stop.rules, "");
    assert.equal(stop.daemons, "");
  });

  test("save writes the file that load reads", async () => {
    const { saved, load } = await alike(async () => {
      configure({});
      await addRules(RULES);
      const save = await script("save");
      const saved = readFileSync(RULES_FILE, "latin1");
      await addRules("-A -t 198.51.100.9:80\n");
      return { save, saved, load: await script("load") };
    });
    assert.equal(saved, `# ipvsadm.rules\n${RULES}`);
    assert.equal(load.rules, RULES);
  });

  test("restart and reload replace the rules", async () => {
    const { restart, reload } = await alike(async () => {
      configure({ AUTO: "true", DAEMON: "master", IFACE: "lo" });
      writeFileSync(RULES_FILE, RULES);
      const restart = await script("restart");
      writeFileSync(RULES_FILE, "-A -f 8 -s rr\n");
      return { restart, reload: await script("reload") };
    });
    assert.match(restart.stderr, /^No daemon is running$/m);
    assert.equal(restart.rules, RULES);
    assert.match(restart.daemons, /^master /);
    assert.equal(reload.rules, "-A -f 8 -s rr\n");
  });

  test("load stops at the first invalid rule", async () => {
    const { stdout, stderr, rules } = await alike(() => {
      configure({});
      writeFileSync(
        RULES_FILE,
        "-A -f 8 -s rr\n-A -f 8 -s rr\n-A -f 9 -s nope\n-A -f 9 -w 1\n-A -f 10\n",
      );
      return script("load");
    });
    assert.equal(
      stderr,
      "Service already exists\nScheduler or persistence engine not found\nIllegal 'weight' option with the 'add-service' command\n",
    );
    assert.match(stdout, /^Loading IPVS configuration\.\.\.failed\.$/m);
    assert.equal(rules, "-A -f 8 -s rr\n");
  });

  test("the script changes only the sync daemons unless it is configured otherwise", async () => {
    const { start, stop, unknown } = await alike(async () => {
      configure({ AUTO: "false", DAEMON: "backup", IFACE: "lo" });
      await addRules(RULES);
      return {
        start: await script("start"),
        stop: await script("stop"),
        unknown: await script("begin"),
      };
    });
    assert.match(start.daemons, /^backup /);
    assert.equal(stop.daemons, "");
    assert.equal(stop.rules, RULES);
    assert.equal(unknown.status, 1);
  });
});

function configure(settings: Readonly<Record<string, string>>): void {
  const lines = Object.entries(settings).map(
    ([name, value]) => `${name}="${value}"\n`,
  );
  writeFileSync(SETTINGS_FILE, lines.join(""));
}

/** The result of a call of the script, including the kernel's state. */
interface Aftermath extends Outcome {
  readonly rules: string;
  readonly daemons: string;
}

async function script(subcommand: string): Promise<Aftermath> {
  const outcome = bash(`/etc/init.d/ipvsadm ${subcommand}`);
  const { stdout: daemons } = await ours(["-L", "--daemon"]);
  return { ...outcome, rules: await rules(), daemons };
}
