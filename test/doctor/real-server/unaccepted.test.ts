import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  readHeldListeners,
  type HeldListener,
} from "../../../src/doctor/real-server/held-listeners.js";
import { readListeningPrograms } from "../../../src/doctor/real-server/listening-programs.js";
import {
  readUnaccepted,
  unacceptedIn,
} from "../../../src/doctor/real-server/read-unaccepted.js";
import { unaccepted } from "../../../src/doctor/real-server/unaccepted.js";
import type { RealServer } from "../../../src/doctor/real-server/real-server.js";
import { TCP } from "../../../src/ipvs/model.js";
import { address } from "../../fixtures/entries.js";

/** As the kernel prints it for a program that was stopped: a listener, a connection with a request, and one that the client closed. */
const STOPPED = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0050 00000000:0000 0A 00000000:00000002 00:00000000 00000000     0        0 4711 1 00000000ae0bbf1b 100 0 0 10 0
   1: 0B00000A:0050 0A0200C0:D431 01 00000000:00000012 00:00000000 00000000     0        0 0 1 0000000018f29e0c 20 4 30 10 -1
   2: 0B00000A:0050 0A0200C0:D432 08 00000000:00000013 00:00000000 00000000     0        0 0 1 0000000018f29e0c 20 4 30 10 -1
`;
/** As it prints it for a program that works, with a connection that it has accepted. */
const WORKING = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000:0050 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 00000000ae0bbf1b 100 0 0 10 0
   1: 0B00000A:0050 0A0200C0:D431 01 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000018f29e0c 20 4 30 10 -1
   2: 0B00000A:0050 0A0200C0:D433 06 00000000:00000000 03:00001770 00000000     0        0 0 3 00000000f00dcafe
`;

test("unacceptedIn() finds connections that belong to no program", () => {
  assert.deepEqual(unacceptedIn(STOPPED), [
    {
      ends: "0B00000A:0050 0A0200C0:D431",
      address: address("10.0.0.11"),
      port: 80,
    },
    {
      ends: "0B00000A:0050 0A0200C0:D432",
      address: address("10.0.0.11"),
      port: 80,
    },
  ]);
  assert.deepEqual(unacceptedIn(WORKING), []);
});

test("readUnaccepted() keeps only those that are there each time", async () => {
  const proc = mkdtempSync(join(tmpdir(), "unaccepted-"));
  try {
    assert.equal(await readUnaccepted(proc), undefined);
    mkdirSync(join(proc, "net"));
    writeFileSync(join(proc, "net/tcp"), WORKING);
    assert.deepEqual(await readUnaccepted(proc), []);
    writeFileSync(join(proc, "net/tcp"), STOPPED);
    assert.equal((await readUnaccepted(proc, [1, 1]))?.length, 2);
    const reading = readUnaccepted(proc, [1, 1]);
    writeFileSync(join(proc, "net/tcp"), WORKING);
    assert.deepEqual(await reading, []);
  } finally {
    rmSync(proc, { recursive: true });
  }
});

test("unaccepted: only connections to the port of the requests count", () => {
  const server = { address: address("10.0.0.11"), port: 80 };
  const realServer = {
    method: "masq",
    server,
    services: [{ protocol: TCP, address: address("192.0.2.1"), port: 8080 }],
  } as unknown as RealServer;
  const find = (text: string, given: Partial<RealServer> = {}) =>
    unaccepted
      .examine({
        realServer: { ...realServer, ...given },
        unaccepted: unacceptedIn(text),
      })
      .map(({ id, subject, seen }) => [id, subject, seen]);
  assert.deepEqual(find(STOPPED), [
    [
      "connections-unaccepted",
      "tcp/10.0.0.11:80",
      "2 connections to port 80 wait for a program to accept them, for more than three seconds",
    ],
  ]);
  assert.deepEqual(find(WORKING), []);
  assert.deepEqual(find(STOPPED, { server: { ...server, port: 81 } }), []);
  assert.deepEqual(find(STOPPED, { method: "direct" }), []);
});

/** A process with files, in a folder like procfs. */
function makeProcess(
  proc: string,
  pid: number,
  { stat = "", tracer = 0, files = [] as readonly string[] },
): void {
  const folder = join(proc, String(pid));
  mkdirSync(join(folder, "fd"), { recursive: true });
  writeFileSync(join(folder, "stat"), `${pid} ${stat} 1 875 875 0 -1 0\n`);
  writeFileSync(join(folder, "status"), `Name:\tx\nTracerPid:\t${tracer}\n`);
  files.forEach((file, i) => {
    symlinkSync(file, join(folder, "fd", String(i)));
  });
}

test("readListeningPrograms() names the first process of each listening socket", () => {
  const proc = mkdtempSync(join(tmpdir(), "programs-"));
  const files = ["/dev/null", "socket:[4711]"];
  try {
    mkdirSync(join(proc, "net"));
    writeFileSync(join(proc, "net/tcp"), STOPPED);
    makeProcess(proc, 1000, { stat: "(nginx) S", files });
    makeProcess(proc, 879, { stat: "(nginx) S", files });
    makeProcess(proc, 880, { stat: "(other) S", files: ["socket:[4712]"] });
    const of = (port: number) => readListeningPrograms(proc, new Set([port]));
    assert.deepEqual(of(80), [{ port: 80, pid: 879, name: "nginx" }]);
    assert.deepEqual(of(81), []);
    assert.deepEqual(readListeningPrograms(proc, new Set()), []);
  } finally {
    rmSync(proc, { recursive: true });
  }
});

test("readHeldListeners() finds the programs that have the listening socket and do not run", () => {
  const proc = mkdtempSync(join(tmpdir(), "held-"));
  const files = ["/dev/null", "socket:[4711]"];
  try {
    mkdirSync(join(proc, "net"));
    writeFileSync(join(proc, "net/tcp"), STOPPED);
    makeProcess(proc, 875, { stat: "(a) (b)) T", files });
    makeProcess(proc, 876, { stat: "(node) t", tracer: 900, files });
    makeProcess(proc, 877, { stat: "(node) T", tracer: 901, files });
    makeProcess(proc, 878, { stat: "(café) D", files });
    makeProcess(proc, 879, { stat: "(works) S", files });
    makeProcess(proc, 880, { stat: "(other) T", files: ["socket:[4712]"] });
    makeProcess(proc, 900, { stat: "(gdb) S" });
    const port = 80;
    assert.deepEqual(readHeldListeners(proc, new Set([port])), [
      { port, pid: 875, name: "a) (b)", tracer: undefined, state: "stopped" },
      {
        ...{ port, pid: 876, name: "node", state: "traced" },
        tracer: { pid: 900, name: "gdb" },
      },
      {
        ...{ port, pid: 877, name: "node", state: "traced" },
        tracer: { pid: 901, name: "?" },
      },
      { port, pid: 878, name: "café", tracer: undefined, state: "waits" },
    ]);
    assert.deepEqual(readHeldListeners(proc, new Set([81])), []);
    assert.deepEqual(readHeldListeners(join(proc, "none"), new Set([80])), []);
  } finally {
    rmSync(proc, { recursive: true });
  }
});

test("unaccepted: only a program that is stopped and has no debugger gets a command", () => {
  const realServer = {
    method: "masq",
    server: { address: address("10.0.0.11"), port: 80 },
    services: [{ protocol: TCP, address: address("192.0.2.1"), port: 8080 }],
  } as unknown as RealServer;
  const find = (...heldListeners: HeldListener[]) =>
    unaccepted
      .examine({ realServer, unaccepted: unacceptedIn(STOPPED), heldListeners })
      .map(({ evidence, fix }) => [
        evidence,
        fix.map(({ command }) => command),
      ]);
  const held = { port: 80, pid: 875, name: "nginx" } as const;
  assert.deepEqual(find({ ...held, state: "stopped" }), [
    [
      ["program nginx (PID 875), which listens there, is stopped (state T)"],
      ["kill -CONT 875"],
    ],
  ]);
  const tracer = { pid: 900, name: "gdb" };
  assert.deepEqual(find({ ...held, state: "traced", tracer }), [
    [
      [
        "program nginx (PID 875), which listens there, is held by a debugger: gdb (PID 900)",
      ],
      [],
    ],
  ]);
  assert.deepEqual(find({ ...held, state: "waits" }), [
    [
      [
        "program nginx (PID 875), which listens there, waits in the kernel (state D), mostly for a disk or a network file system that does not answer",
      ],
      [],
    ],
  ]);
  assert.deepEqual(find({ ...held, port: 81, state: "stopped" }), [[[], []]]);
});
