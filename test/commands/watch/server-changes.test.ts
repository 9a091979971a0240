import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { TCP, TUNNELING, TUNNEL_GUE } from "../../../src/ipvs/model.js";
import type { Io } from "../../../src/runtime/io.js";
import { takeLock } from "../../../src/system/lock.js";
import { ChangingKernel } from "../../fixtures/changing-kernel.js";
import {
  addressKey,
  serverEntry,
  serviceEntry,
} from "../../fixtures/entries.js";
import { startWatch, type Running } from "./start-watch.js";

const folder = mkdtempSync(join(tmpdir(), "ipvsadm-watch-"));
const runFolder = join(folder, "run");
const procFolder = join(folder, "proc");
const connectionsFile = join(folder, "ip_vs_conn");
const SAVED = join(runFolder, "ipvsadm/drained");
beforeEach(() => {
  rmSync(runFolder, { recursive: true, force: true });
  mkdirSync(runFolder);
  rmSync(connectionsFile, { force: true });
});
after(() => {
  rmSync(folder, { recursive: true });
});

const LEAVE = "\x1b[0m\x1b[?25h\x1b[?1049l";
const KEY = addressKey(TCP, "192.0.2.1", 80);
const DOWN = "\x1b[B";

function kernel(weights: readonly number[] = [3, 1]) {
  return new ChangingKernel(
    serviceEntry(
      KEY,
      {},
      weights.map((weight, i) =>
        serverEntry(`198.51.100.${10 + i}`, 8080, {
          weight,
          ...(i === 0 && {
            forwarding: TUNNELING,
            tunnel: { type: TUNNEL_GUE, port: 6080, flags: 0 },
            upperThreshold: 40,
            lowerThreshold: 10,
          }),
        }),
      ),
    ),
  );
}

/** Starts `watch`, and selects the first real server. */
async function watching(
  it: ChangingKernel,
  more: Partial<Io> = {},
): Promise<Running> {
  let now = 0;
  // Waiting for the lock takes no time.
  const clock: Io["clock"] = {
    now: () => now,
    every: () => () => undefined,
    sleep: (milliseconds) => {
      now += milliseconds;
      return Promise.resolve();
    },
  };
  const io = { runFolder, procFolder, connectionsFile, clock, ...more };
  const running = await startWatch("--sort name", it.link, undefined, io);
  running.terminal.press(DOWN + DOWN);
  return running;
}

/** Presses keys, and waits until everything that follows has happened. */
async function pressed(running: Running, ...keys: readonly string[]) {
  for (const key of keys) {
    running.terminal.press(key);
    await running.settle();
    while (running.terminal.frame.join("\n").includes("\nrunning '"))
      await sleep(5);
  }
  return running.terminal.frame.join("\n");
}

async function quit({ terminal, outcome }: Running) {
  terminal.press("q");
  return outcome;
}

test("watch marks the selected row, also when it moves", async () => {
  const it = kernel([3, 1, 1]);
  const running = await watching(it);
  assert.match(running.terminal.frame.join("\n"), /^> {2}198\.51\.100\.10:/m);
  const sorted = await pressed(running, "r");
  assert.doesNotMatch(sorted, /^>/m, "the order is new");
  await pressed(running, DOWN, DOWN, DOWN);
  assert.match(running.terminal.frame.join("\n"), /^> {2}198\.51\.100\.11:/m);
  it.servers = it.servers.filter((_, i) => i !== 2);
  await running.next();
  await running.next();
  assert.match(running.terminal.frame.join("\n"), /^> {2}198\.51\.100\.11:/m);
  await quit(running);
});

test("watch drains the selected server after y, and saves its weight", async () => {
  const it = kernel();
  it.connect(12, 4, 0, 0);
  const running = await watching(it);
  const asked = await pressed(running, "d");
  assert.match(
    asked,
    /^Run 'ipvsadm drain tcp\/192\.0\.2\.1:80 198\.51\.100\.10:8080'\?$/m,
  );
  assert.match(asked, /^y: run it {2}any other key: cancel$/m);
  assert.deepEqual(it.changes, [], "nothing happens before the answer");
  const done = await pressed(running, "y");
  assert.deepEqual(it.changes, ["edit 198.51.100.10:8080 0"]);
  const line =
    "198.51.100.10:8080 of tcp/192.0.2.1:80: weight 0 (was 3); 12 active, 4 inactive and 0 persistent connections";
  assert.match(
    done,
    /^03:04:05 198\.51\.100\.10:8080 of tcp\/192\.0\.2\.1:80: weight 0 \(was 3\);/m,
  );
  assert.deepEqual(
    readdirSync(SAVED).map((name) => readFileSync(join(SAVED, name), "latin1")),
    ["weight 3\n"],
  );
  assert.deepEqual(readdirSync(runFolder), ["ipvsadm"], "the lock is released");
  await running.next();
  assert.match(
    running.terminal.frame.join("\n"),
    /^> {2}198\.51\.100\.10:8080 +draining/m,
  );
  const { status, stderr } = await quit(running);
  assert.equal(status, 0);
  assert.equal(
    stderr,
    `03:04:05 ipvsadm drain tcp/192.0.2.1:80 198.51.100.10:8080\n  ${line}\n`,
  );
  assert.ok(
    running.terminal.written.endsWith(LEAVE),
    "the terminal is restored before that",
  );
});

test("watch undrains the server with its saved weight, and changes nothing else", async () => {
  const it = kernel();
  const { settings } = it.servers[0] ?? assert.fail();
  const running = await watching(it);
  await pressed(running, "d", "y");
  await running.next();
  const asked = await pressed(running, "u");
  assert.match(
    asked,
    /^Run 'ipvsadm undrain tcp\/192\.0\.2\.1:80 198\.51\.100\.10:8080'\?$/m,
  );
  const done = await pressed(running, "y");
  assert.match(done, /: weight 3 \(was 0\)$/m);
  assert.deepEqual(it.servers[0]?.settings, settings);
  assert.deepEqual(readdirSync(SAVED), []);
  await quit(running);
});

test("watch sets a weight with all other settings in the command", async () => {
  const it = kernel();
  const { settings } = it.servers[0] ?? assert.fail();
  const running = await watching(it);
  const prompt = await pressed(running, "w", "1", "5");
  assert.match(prompt, /^Weight of 198\.51\.100\.10:8080: 15_ /m);
  const asked = await pressed(running, "\r");
  assert.match(
    asked.replaceAll("\n", " "),
    /Run 'ipvsadm -e -t 192\.0\.2\.1:80 -r 198\.51\.100\.10:8080 -i -w 15 --tun-type gue --tun-port 6080 --tun-nocsum -x 40 -y 10'\?/,
  );
  assert.deepEqual(it.changes, []);
  const done = await pressed(running, "y");
  assert.match(done, /: weight 15 \(was 3\)$/m);
  assert.deepEqual(it.servers[0]?.settings, { ...settings, weight: 15 });
  const { stderr } = await quit(running);
  assert.match(
    stderr,
    /ipvsadm -e -t 192\.0\.2\.1:80 -r 198\.51\.100\.10:8080 -i -w 15 --tun-type gue --tun-port 6080 --tun-nocsum -x 40 -y 10\n/,
  );
});

test("watch drains with a weight of 0, so that the old weight is saved", async () => {
  const it = kernel();
  const running = await watching(it);
  const asked = await pressed(running, "w", "0", "\r");
  assert.match(asked, /Run 'ipvsadm drain /);
  await pressed(running, "y");
  assert.equal(readdirSync(SAVED).length, 1);
  await running.next();
  const again = await pressed(running, "w", "7", "\r");
  assert.match(
    again.replaceAll("\n", " "),
    /Run 'ipvsadm undrain tcp\/192\.0\.2\.1:80 198\.51\.100\.10:8080 --weight 7'\?/,
  );
  await pressed(running, "y");
  assert.equal(it.servers[0]?.settings.weight, 7);
  assert.deepEqual(readdirSync(SAVED), [], "the saved weight is out of date");
  await quit(running);
});

test("watch warns before it drains the last server that accepts connections", async () => {
  const it = kernel([3, 0]);
  const running = await watching(it);
  assert.match(
    (await pressed(running, "d")).replaceAll("\n", " "),
    /'\? No other real server of tcp\/192\.0\.2\.1:80 accepts new connections: clients will be refused\. y: run it/,
  );
  await pressed(running, "n");
  await quit(running);
});

test("watch changes nothing unless y is pressed", async () => {
  for (const key of ["n", "\r", " ", "\x1b", "q", "d"]) {
    const it = kernel();
    const running = await watching(it);
    await pressed(running, "d");
    if (key === "\x1b") await running.escape();
    else running.terminal.press(key);
    await running.settle();
    assert.match(
      running.terminal.frame.join("\n"),
      /^canceled; nothing was changed$/m,
      JSON.stringify(key),
    );
    assert.deepEqual(it.changes, []);
    const { stderr } = await quit(running);
    assert.equal(stderr, "");
  }
});

for (const [what, keys, message, more] of [
  ["no row is selected", ["\x1b", "d"], /^select a real server first/m, {}],
  [
    "a service is selected",
    ["\x1b[A", "d"],
    /^select a real server of tcp\/192\.0\.2\.1:80 first$/m,
    {},
  ],
  [
    "the server is not drained",
    ["u"],
    /^198\.51\.100\.10:8080 is not drained: its weight is 3$/m,
    {},
  ],
  [
    "the server has the weight already",
    ["w", "3", "\r"],
    /^198\.51\.100\.10:8080 already has weight 3$/m,
    {},
  ],
  [
    "the weight is too great",
    ["w", ...Array<string>(10).fill("9"), "\r"],
    /^the greatest weight is 2147483647$/m,
    {},
  ],
  [
    "the program has no rights",
    ["d"],
    /^changing the table needs CAP_NET_ADMIN: run it as root$/m,
    { mayAdministerNetworks: () => false },
  ],
] as const)
  test(`watch says so if ${what}`, async () => {
    const it = kernel();
    const running = await watching(it, more);
    for (const key of keys)
      if (key === "\x1b") await running.escape();
      else await pressed(running, key);
    assert.match(running.terminal.frame.join("\n"), message);
    assert.deepEqual(it.changes, []);
    await pressed(running, "s");
    assert.doesNotMatch(
      running.terminal.frame.join("\n"),
      message,
      "the next key removes it",
    );
    await quit(running);
  });

test("watch shows why the kernel or the lock refused a change", async () => {
  const it = kernel();
  const running = await watching(it);
  it.refusal = 1;
  const refused = await pressed(running, "d", "y");
  assert.match(
    refused.replaceAll("\n", " "),
    / 03:04:05 cannot edit server 198\.51\.100\.10:8080 of TCP 192\.0\.2\.1:80: Operation not permitted: run it as root/,
  );
  assert.deepEqual(readdirSync(SAVED), [], "no weight is saved");
  it.refusal = undefined;
  using lock = takeLock({ runFolder, procFolder }, "apply");
  const held = await pressed(running, "d", "y");
  assert.match(
    held.replaceAll("\n", " "),
    /'ipvsadm apply' is changing the table/,
  );
  assert.deepEqual(it.changes, []);
  lock.release();
  await pressed(running, "d", "y");
  assert.deepEqual(it.changes, ["edit 198.51.100.10:8080 0"]);
  await quit(running);
});

test("watch undrains without a saved weight only with a given weight", async () => {
  const it = kernel([0, 1]);
  const running = await watching(it);
  assert.match(
    (await pressed(running, "u", "y")).replaceAll("\n", " "),
    /no saved weight for 198\.51\.100\.10:8080 of tcp/,
  );
  assert.match(
    await pressed(running, "d"),
    /^198\.51\.100\.10:8080 is already drained$/m,
  );
  assert.deepEqual(it.changes, []);
  await quit(running);
});

const TITLES =
  "Pro FromIP   FPrt ToIP     TPrt DestIP   DPrt State       Expires PEName PEData\n";
const line = (client: string, server: string, state: string) =>
  `TCP ${client} 9C40 C0000201 0050 ${server} 1F90 ${state.padEnd(11)}     899\n`;

test("watch opens a server: thresholds, history and its connections", async () => {
  writeFileSync(
    connectionsFile,
    TITLES +
      line("C6336464", "C633640A", "ESTABLISHED") +
      line("C6336464", "C633640A", "FIN_WAIT") +
      line("C6336465", "C633640A", "ESTABLISHED") +
      line("C6336466", "C633640B", "ESTABLISHED"),
  );
  const it = kernel();
  it.connect(30, 4, 2, 0);
  const running = await watching(it);
  const text = await pressed(running, "\r");
  assert.match(
    text,
    /^198\.51\.100\.10:8080 of tcp\/192\.0\.2\.1:80 · overloaded\?$/m,
  );
  assert.match(text, /^Method +tunnel gue:6080/m);
  assert.match(
    text,
    /^Thresholds +█+░+ 34 of 40, accepts connections again below 10$/m,
  );
  assert.match(text, /^Connections +30 active, 4 inactive, 2 persistent$/m);
  assert.match(text, /^conn\/s +- +-/m);
  assert.match(
    text,
    /^Table +3 connections, 0 templates, 2 ESTABLISHED, 1 FIN_WAIT$/m,
  );
  assert.match(
    text,
    /^Clients +198\.51\.100\.100 \(2\), 198\.51\.100\.101 \(1\)$/m,
  );
  assert.match(
    text,
    /^198\.51\.100\.101:40000 +tcp\/192\.0\.2\.1:80 +198\.51\.100\.10:8080 +ESTABLISHED/m,
  );
  assert.doesNotMatch(text, /198\.51\.100\.102/, "of another server");
  const back = await pressed(running, "\x7f");
  assert.match(
    back,
    /^> {2}198\.51\.100\.10:8080/m,
    "the row is still selected",
  );
  await quit(running);
});

test("watch opens a service: its servers and connections", async () => {
  writeFileSync(
    connectionsFile,
    TITLES + line("C6336466", "C633640B", "ESTABLISHED"),
  );
  const running = await watching(kernel([3, 0]));
  const text = await pressed(running, "\x1b[A", "\r");
  assert.match(text, /^tcp\/192\.0\.2\.1:80 · ok$/m);
  assert.match(text, /^Scheduler +wlc$/m);
  assert.match(text, /^Servers +2, 1 ok, 1 draining$/m);
  assert.match(text, /^198\.51\.100\.11:8080 +draining +0 /m);
  assert.match(text, /^Table +1 connection, 0 templates, 1 ESTABLISHED$/m);
  assert.match(
    await pressed(running, "d"),
    /^select a real server of tcp\/192\.0\.2\.1:80 first$/m,
  );
  await quit(running);
});

test("watch says why the connections cannot be read, and that an open server is gone", async () => {
  const it = kernel();
  const running = await watching(it);
  assert.match(
    await pressed(running, "\r"),
    /^Table +cannot open .*ip_vs_conn: No such file/m,
  );
  it.servers = it.servers.slice(1);
  await running.next();
  assert.match(
    running.terminal.frame[0] ?? "",
    /^198\.51\.100\.10:8080 of tcp\/192\.0\.2\.1:80 · not in the table any more$/,
  );
  assert.match(
    await pressed(running, "d"),
    /^198\.51\.100\.10:8080 is not in the table any more$/m,
  );
  await quit(running);
});

test("watch drains an open server, and shows the change", async () => {
  const it = kernel();
  const running = await watching(it);
  await pressed(running, "\r", "d", "y");
  await running.next();
  const text = running.terminal.frame.join("\n");
  assert.match(text, /· draining$/m);
  assert.match(text, /^Change +weight was 3, 0s ago$/m);
  assert.match(text, /^03:04:05 .*weight 0 \(was 3\)/m);
  await quit(running);
});

test("watch waits for a running command after it has restored the terminal", async () => {
  const it = kernel();
  let wake: () => void = () => undefined;
  using lock = takeLock({ runFolder, procFolder }, "apply");
  const running = await watching(it, {
    clock: {
      now: () => 0,
      every: () => () => undefined,
      sleep: () =>
        new Promise((resolve) => {
          wake = resolve;
        }),
    },
  });
  running.terminal.press("d");
  running.terminal.press("y");
  assert.match(running.terminal.frame.join("\n"), /^running 'ipvsadm drain/m);
  await running.settle();
  running.terminal.happens({ kind: "ending", signal: "SIGTERM" });
  await running.settle();
  assert.ok(running.terminal.written.endsWith(LEAVE));
  assert.deepEqual(it.changes, []);
  lock.release();
  wake();
  const { status, stderr } = await running.outcome;
  assert.equal(status, 143);
  assert.match(stderr, /ipvsadm drain .*\n.*weight 0 \(was 3\)/);
});
