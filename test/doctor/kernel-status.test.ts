import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  parseKernelStatus,
  readKernelStatus,
} from "../../src/doctor/kernel-status.js";

const TEXT = readFileSync("test/fixtures/ip_vs_status", "utf8");

test("parseKernelStatus() reads the hash tables and the threads", () => {
  assert.deepEqual(parseKernelStatus(TEXT), {
    connections: 9401,
    services: 12,
    connectionTable: {
      buckets: 524288,
      loadFactor: -5,
      emptyBuckets: 505633,
      longestChain: 4,
    },
    serviceTable: {
      buckets: 128,
      loadFactor: -3,
      emptyBuckets: 116,
      longestChain: 1,
    },
    estimation: { threads: 1, mostThreads: 16, countersPerThread: 38400 },
  });
});

test("parseKernelStatus() knows no tables before the first connection and service", () => {
  assert.deepEqual(parseKernelStatus("Conns:\t0\nServices:\t0\n"), {
    connections: 0,
    services: 0,
    connectionTable: undefined,
    serviceTable: undefined,
    estimation: undefined,
  });
});

test("parseKernelStatus() has a longest chain of 0 if all buckets are empty", () => {
  const { connectionTable } = parseKernelStatus(
    "Conn buckets:\t16 (4 bits, lfactor 0)\nConn buckets empty:\t16 (100%)\n",
  );
  assert.equal(connectionTable?.longestChain, 0);
});

test("parseKernelStatus() ignores what it does not know, and values that are no numbers", () => {
  const { connections, connectionTable, estimation } = parseKernelStatus(
    "Conns:\tmany\nConn buckets:\t12\nStats thread slots:\t1\nNew:\t1\n\x1b",
  );
  assert.deepEqual(
    [connections, connectionTable, estimation],
    [undefined, undefined, undefined],
  );
});

test("readKernelStatus() is undefined on a kernel without the file", () => {
  assert.equal(readKernelStatus("/nonexistent"), undefined);
});
