import assert from "node:assert/strict";
import { test } from "node:test";
import {
  emptiness,
  persistence,
  weights,
} from "../../../../src/doctor/director/table/table.js";
import { PERSISTENT, type ServerEntry } from "../../../../src/ipvs/model.js";
import { address, serverEntry } from "../../../fixtures/entries.js";
import type { Facts } from "../../../../src/doctor/facts.js";
import type { Device, DeviceAddress } from "../../../../src/rtnl/model.js";
import { device, network, ownAddress } from "../../made-up-network.js";
import { serviceAt, told } from "../../made-up.js";

/** Servers with these weights, 192.0.2.10 and on. */
const weighing = (...all: number[]) =>
  all.map((weight, i) => serverEntry(`192.0.2.${10 + i}`, 80, { weight }));

/** Servers with so many connections. */
const busy = (...all: number[]): ServerEntry[] =>
  all.map((inactiveConnections, i) => ({
    ...serverEntry(`192.0.2.${10 + i}`, 80),
    inactiveConnections,
  }));

test("emptiness: a table without services and a service without a scheduler are reported", () => {
  assert.deepEqual(emptiness.examine({ table: [] }).map(told), [
    ["empty-table -", "ipvsadm-restore </etc/ipvsadm.rules"],
  ]);
  const table = [serviceAt("192.0.2.1", [], { scheduler: "none" })];
  assert.deepEqual(emptiness.examine({ table }).map(told), [
    ["no-scheduler tcp/192.0.2.1:80", "ipvsadm -E -t 192.0.2.1:80 -s wlc"],
  ]);
});

test("emptiness: a machine like a real server, or without saved rules, gets no command", () => {
  const LO = device(1, { name: "lo", loopback: true });
  const find = (given: Pick<Facts, "network" | "hasSavedRules">) =>
    emptiness.examine({ table: [], ...given });
  const on = (
    devices: readonly Device[],
    addresses: readonly DeviceAddress[],
  ) => network([], { devices, addresses });
  const plain = on([LO, device(2)], [ownAddress(2, "192.0.2.1/32")]);
  const restore = [["empty-table -", "ipvsadm-restore </etc/ipvsadm.rules"]];
  for (const hasSavedRules of [true, undefined])
    assert.deepEqual(
      find({ network: plain, hasSavedRules }).map(told),
      restore,
    );
  const [plainly] = find({ network: plain });
  assert.equal(
    plainly?.next?.[0]?.command,
    "ipvsadm doctor --real-server ADDRESS",
  );
  for (const [given, evidence, command] of [
    [
      { network: on([LO], [ownAddress(1, "192.0.2.100/32")]) },
      "192.0.2.100/32 is on lo, as on a real server",
      "ipvsadm doctor --real-server 192.0.2.100",
    ],
    [
      { network: on([LO, device(3, { name: "tunl0", kind: "ipip" })], []) },
      "tunl0 (ipip) is up, as on a real server with tunneling",
      "ipvsadm doctor --real-server ADDRESS",
    ],
    [
      { network: plain, hasSavedRules: false },
      "there is no /etc/ipvsadm.rules",
      "ipvsadm doctor --real-server ADDRESS",
    ],
  ] as const) {
    const [finding] = find(given);
    assert.deepEqual(finding?.fix, []);
    assert.deepEqual(finding.evidence, [evidence]);
    assert.equal(finding.next?.[0]?.command, command);
  }
  const down = device(3, { name: "tunl0", kind: "ipip", up: false });
  const host = ownAddress(1, "127.0.0.1/8", { scope: "host" });
  assert.deepEqual(
    find({ network: on([LO, down], [host]) }).map(told),
    restore,
  );
});

function weigh(scheduler: string, ...all: number[]): string[][] {
  const table = [serviceAt("192.0.2.1", weighing(...all), { scheduler })];
  return weights.examine({ table }).map(told);
}

test("weights: a server with less than a twentieth of an even share is starved", () => {
  assert.deepEqual(weigh("wrr", 39, 1), []);
  assert.deepEqual(weigh("wrr", 40, 1), [
    [
      "server-starved 192.0.2.11:80 of tcp/192.0.2.1:80",
      "ipvsadm -e -t 192.0.2.1:80 -r 192.0.2.11:80 -g -w 21",
    ],
  ]);
  assert.deepEqual(weigh("wlc", 1000, 0), [], "a drained one is meant to");
  assert.deepEqual(weigh("fo", 1000, 1), [], "failover is meant to");
});

test("weights: rr and lc ignore them", () => {
  assert.deepEqual(weigh("rr", 5, 5, 0), []);
  assert.deepEqual(weigh("rr", 10, 5, 9), [
    ["weights-ignored tcp/192.0.2.1:80", "ipvsadm -E -t 192.0.2.1:80 -s wrr"],
  ]);
  assert.deepEqual(
    weigh("lc", 1, 2)[0]?.[1],
    "ipvsadm -E -t 192.0.2.1:80 -s wlc",
  );
});

function persist(
  servers: readonly ServerEntry[],
  mask = "255.255.255.255",
  flags = PERSISTENT,
): string[][] {
  const service = serviceAt("192.0.2.1", servers, {
    scheduler: "rr",
    flags,
    timeoutSeconds: 300,
    netmask: address(mask),
  });
  return persistence.examine({ table: [service] }).map(told);
}

test("persistence: nine tenths of the connections at one server are reported", () => {
  assert.deepEqual(persist(busy(19, 0)), [], "too few connections");
  assert.deepEqual(persist(busy(89, 11)), []);
  assert.deepEqual(persist(busy(90, 10), "255.255.255.255", 0), []);
  assert.deepEqual(persist(busy(90, 10)), [
    ["persistence-pins tcp/192.0.2.1:80", "ipvsadm -E -t 192.0.2.1:80 -s rr"],
  ]);
  assert.deepEqual(persist(busy(2, 90), "255.255.0.0"), [
    [
      "persistence-pins tcp/192.0.2.1:80",
      "ipvsadm -E -t 192.0.2.1:80 -s rr -p 300",
    ],
  ]);
  assert.deepEqual(persist(busy(90)), [], "there is one server only");
});

test("persistence: a service with port 0 needs it, so there is no command", () => {
  const pinned = (netmask: string, persistenceEngine?: string) => {
    const settings = {
      scheduler: "rr",
      flags: PERSISTENT,
      timeoutSeconds: 300,
      netmask: address(netmask),
      persistenceEngine,
    };
    const { key, ...service } = serviceAt("192.0.2.1", busy(90, 10), settings);
    const table = [80, 0].map((port) => ({
      ...service,
      key: { ...key, port },
    }));
    return persistence.examine({ table }).map(({ fix }) => fix);
  };
  assert.deepEqual(pinned("255.255.255.255", "sip"), [
    [{ command: "ipvsadm -E -t 192.0.2.1:80 -s rr" }],
    [],
  ]);
  assert.deepEqual(pinned("255.255.0.0"), [
    [{ command: "ipvsadm -E -t 192.0.2.1:80 -s rr -p 300" }],
    [{ command: "ipvsadm -E -t 192.0.2.1:0 -s rr -p 300" }],
  ]);
});
