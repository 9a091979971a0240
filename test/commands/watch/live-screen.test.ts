import assert from "node:assert/strict";
import { test } from "node:test";
import type { Link } from "../../../src/netlink/link.js";
import { REGISTRY } from "../../../src/commands/registry.js";
import { runSubcommand } from "../../../src/cli/run-subcommand.js";
import { runIn } from "../../classic/scripted-io.js";
import { FakeTerminal } from "./fake-terminal.js";
import { kernel, startWatch } from "./start-watch.js";

const ENTER = "\x1b[?1049h\x1b[?25l";
const LEAVE = "\x1b[0m\x1b[?25h\x1b[?1049l";

test("watch takes the screen, draws on it, and restores it", async () => {
  const { terminal, outcome } = await startWatch();
  assert.ok(terminal.written.startsWith(ENTER));
  assert.match(
    terminal.frame[0] ?? "",
    /^ipvsadm watch · 03:04:05 · every 2 s/,
  );
  assert.match(terminal.frame.join("\n"), /^ tcp\/192\.0\.2\.1:80 /m);
  assert.equal(terminal.frame.length, 24);
  terminal.press("q");
  const { status, stderr } = await outcome;
  assert.deepEqual([status, stderr], [0, ""]);
  assert.ok(terminal.written.endsWith(LEAVE));
  assert.deepEqual(terminal.log, ["raw", "cooked", "released"]);
});

test("watch reads the table at each interval, and shows rates after the second reading", async () => {
  const { link, readings } = kernel();
  const { terminal, outcome, next } = await startWatch("-i 5", link);
  assert.match(terminal.frame.join("\n"), /measuring rates/);
  await next();
  await next();
  assert.equal(readings(), 3);
  assert.doesNotMatch(terminal.frame.join("\n"), /measuring/);
  terminal.press("q");
  await outcome;
});

test("watch --count ends after this many frames", async () => {
  const { outcome, next } = await startWatch("--count 2");
  await next();
  await next();
  assert.equal((await outcome).status, 0);
});

test("watch restores the terminal after Ctrl-C and signals, and returns their status", async () => {
  for (const [event, status] of [
    [{ kind: "input", bytes: "\x03" }, 130],
    [{ kind: "input", bytes: "\x1c" }, 131],
    [{ kind: "ending", signal: "SIGINT" }, 130],
    [{ kind: "ending", signal: "SIGTERM" }, 143],
    [{ kind: "ending", signal: "SIGHUP" }, 129],
    [{ kind: "gone" }, 129],
  ] as const) {
    const { terminal, outcome } = await startWatch();
    terminal.happens(event);
    assert.equal((await outcome).status, status);
    assert.ok(terminal.written.endsWith(LEAVE));
    assert.equal(terminal.log.at(-1), "released");
  }
});

test("watch handles keys while it waits for the kernel", async () => {
  const { link } = kernel();
  let silent = false;
  const slow: Link = {
    receiveBufferBytes: link.receiveBufferBytes,
    send: (datagram) => {
      link.send(datagram);
    },
    receive: () =>
      silent ? new Promise<never>(() => undefined) : link.receive(),
    close: () => {
      link.close();
    },
  };
  const { terminal, outcome, next } = await startWatch("", slow);
  silent = true;
  await next();
  terminal.press("?");
  assert.match(terminal.frame[0] ?? "", /^Keys of ipvsadm watch/);
  terminal.press("xq");
  assert.equal((await outcome).status, 0);
});

test("watch restores the terminal before it explains a kernel error", async () => {
  for (const [errno, message] of [
    [
      2,
      /^ipvsadm: cannot reach IPVS in the kernel: No such file or directory: load its module/,
    ],
    [
      1,
      /^ipvsadm: cannot list services: Operation not permitted: run it as root/,
    ],
  ] as const) {
    const { link } = kernel((reading) => (reading > 1 ? errno : undefined));
    const { terminal, outcome, next } = await startWatch("", link);
    await next();
    const { status, stderr } = await outcome;
    assert.equal(status, 3);
    assert.match(stderr, message);
    assert.ok(terminal.written.endsWith(LEAVE));
  }
});

test("watch restores the terminal after a bug", async () => {
  const { terminal, outcome } = await startWatch();
  const before = terminal.written.length;
  terminal.endOfProcess();
  terminal.endOfProcess();
  assert.equal(terminal.written.slice(before), LEAVE, "once");
  assert.deepEqual(terminal.log, ["raw", "cooked"]);
  terminal.press("q");
  await outcome;
});

test("watch ends with the error of an unhandled rejection", async () => {
  const { terminal, outcome } = await startWatch();
  terminal.happens({ kind: "failed", error: new TypeError("a bug") });
  await assert.rejects(outcome, /^TypeError: a bug$/);
  assert.ok(terminal.written.endsWith(LEAVE));
  assert.equal(terminal.log.at(-1), "released");
});

test("watch gives the terminal to the shell on Ctrl-Z, and takes it again afterwards", async () => {
  for (const event of [
    { kind: "input", bytes: "\x1a" },
    { kind: "stopping" },
  ] as const) {
    const { terminal, outcome } = await startWatch();
    const before = terminal.written.length;
    terminal.happens(event);
    assert.deepEqual(terminal.log, [
      "raw",
      "cooked",
      "stop",
      "raw",
      "ask size",
    ]);
    assert.ok(terminal.written.slice(before).startsWith(LEAVE + ENTER));
    assert.match(terminal.frame.join("\n"), /^q quit/m);
    terminal.press("q");
    await outcome;
  }
});

test("watch takes the terminal again after it was stopped from outside", async () => {
  const { terminal, outcome } = await startWatch();
  terminal.happens({ kind: "continued" });
  assert.deepEqual(terminal.log, ["raw", "cooked", "raw", "ask size"]);
  terminal.press("q");
  await outcome;
});

test("watch draws a new frame when the size changes", async () => {
  const { terminal, outcome } = await startWatch();
  terminal.size = { columns: 50, rows: 10 };
  terminal.happens({ kind: "resized" });
  assert.equal(terminal.frame.length, 10);
  terminal.size = { columns: 10, rows: 5 };
  terminal.happens({ kind: "resized" });
  assert.match(terminal.frame.join(" "), /^This terminal has 10 columns/);
  terminal.press("q");
  await outcome;
});

test("watch reads nothing and changes nothing while paused", async () => {
  const { link, readings } = kernel();
  const { terminal, outcome, settle, next } = await startWatch("", link);
  terminal.press("p");
  assert.match(terminal.frame[0] ?? "", /PAUSED/);
  await next();
  assert.equal(readings(), 1);
  terminal.press("r");
  assert.match(terminal.frame[0] ?? "", /least busy first/, "keys work");
  terminal.press("p");
  await settle();
  assert.equal(readings(), 2);
  assert.doesNotMatch(terminal.frame[0] ?? "", /PAUSED/);
  terminal.press("q");
  await outcome;
});

test("watch filters while the user types", async () => {
  const { terminal, outcome } = await startWatch();
  terminal.press("/");
  terminal.press("ud");
  assert.match(terminal.frame.at(-1) ?? "", /^Filter: ud_/);
  assert.match(terminal.frame.join("\n"), /The filter matches no/);
  terminal.press("\x7f\x7f\r");
  assert.match(terminal.frame.join("\n"), /^ tcp\/192/m);
  terminal.press("q");
  await outcome;
});

test("watch draws a frame with one write, and clears only the ends of lines", async () => {
  const { terminal, outcome } = await startWatch();
  const before = terminal.written.length;
  terminal.press("r");
  const frame = terminal.written.slice(before);
  assert.match(frame, /^\x1b\[H[^\x1b]/); // eslint-disable-line no-control-regex
  assert.equal(frame.split("\x1b[K").length - 1, 24);
  assert.ok(frame.endsWith("\x1b[J"));
  terminal.press("q");
  await outcome;
});

test("watch respects NO_COLOR and --color", async () => {
  for (const [line, environment, colored] of [
    ["", {}, true],
    ["", { NO_COLOR: "1" }, false],
    ["--color never", {}, false],
    ["--color always", { NO_COLOR: "1" }, true],
  ] as const) {
    const { terminal, outcome } = await startWatch(
      line,
      undefined,
      environment,
    );
    assert.equal(terminal.written.includes("\x1b[1m"), colored, line);
    terminal.press("q");
    await outcome;
  }
});

test("watch prints plain frames if TERM is dumb", async () => {
  const terminal = new FakeTerminal();
  const { status } = await runIn(
    {
      io: { ...terminal.io({ TERM: "dumb" }), openLink: () => kernel().link },
    },
    async (io) =>
      (await runSubcommand(REGISTRY, ["watch", "-n", "1", "-i", "0.1"], io)) ??
      -1,
  );
  assert.equal(status, 0);
  assert.doesNotMatch(terminal.written, /\x1b/); // eslint-disable-line no-control-regex
  assert.deepEqual(terminal.log, []);
});
