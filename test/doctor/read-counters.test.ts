import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import {
  interfacesIn,
  linesIn,
  pairsIn,
  readCounters,
  tableIn,
} from "../../src/doctor/read-counters.js";

const SNMP = `Ip: Forwarding DefaultTTL ReasmReqds ReasmOKs ReasmFails
Ip: 1 64 24 0 12
Tcp: RtoAlgorithm MaxConn
Tcp: 1 -1
`;

test("pairsIn() finds counters by group and name, and leaves out what is no counter", () => {
  assert.deepEqual(
    [...pairsIn(SNMP)],
    [
      ["Ip.Forwarding", 1n],
      ["Ip.DefaultTTL", 64n],
      ["Ip.ReasmReqds", 24n],
      ["Ip.ReasmOKs", 0n],
      ["Ip.ReasmFails", 12n],
      ["Tcp.RtoAlgorithm", 1n],
    ],
  );
});

test("linesIn() finds the counters of IPv6", () => {
  const text =
    "Ip6InReceives                   \t7\nIp6ReasmFails                   \t3\nIcmp6OutType2 \t1\n";
  assert.deepEqual(
    [...linesIn(text)],
    [
      ["Ip6.InReceives", 7n],
      ["Ip6.ReasmFails", 3n],
      ["Icmp6.OutType2", 1n],
    ],
  );
});

test("tableIn() sums the processors' hexadecimal columns", () => {
  const text =
    "entries  drop early_drop\n00000010  0000000a 00000000\n00000010  00000001 00000002\n";
  const found = tableIn("conntrack", text);
  assert.equal(found.get("conntrack.drop"), 11n);
  assert.equal(found.get("conntrack.early_drop"), 2n);
});

test("interfacesIn() reads errors and drops in both directions", () => {
  const text = `Inter-|   Receive                                                |  Transmit
 face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed
  eth0: 100 2 1 5 0 0 0 0 300 4 6 7 0 0 0 0
`;
  assert.deepEqual(
    [...interfacesIn(text)],
    [
      ["eth0.rx_errors", 1n],
      ["eth0.rx_dropped", 5n],
      ["eth0.tx_errors", 6n],
      ["eth0.tx_dropped", 7n],
    ],
  );
});

test("counters in files that are cut short or empty are left out", () => {
  for (const text of ["", "Ip: ", "Ip: A B\n", "Ip: A B\nIp:", "x", "\n\n"]) {
    assert.deepEqual([...pairsIn(text)], [], text);
    assert.deepEqual([...linesIn(text)], []);
    assert.deepEqual([...tableIn("x", text)], []);
    assert.deepEqual([...interfacesIn(text)], []);
  }
  assert.deepEqual([...pairsIn("Ip: A B\nIp: 1\n")], [["Ip.A", 1n]]);
});

test("readCounters() needs those of IPv4 and takes what else is there", () => {
  const folder = mkdtempSync(join(tmpdir(), "counters-"));
  try {
    assert.equal(readCounters(folder), undefined);
    mkdirSync(join(folder, "net"));
    writeFileSync(join(folder, "net/snmp"), SNMP);
    assert.equal(readCounters(folder)?.get("Ip.ReasmFails"), 12n);
    writeFileSync(join(folder, "net/snmp6"), "Ip6ReasmFails\t3\n");
    assert.equal(readCounters(folder)?.get("Ip6.ReasmFails"), 3n);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
