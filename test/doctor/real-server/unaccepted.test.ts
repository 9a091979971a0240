import assert from "node:assert/strict";
import { mkdtempSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
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
