import assert from "node:assert/strict";
import { test } from "node:test";
import type { Layout } from "../../src/netlink/attributes.js";
import {
  COMMANDS,
  DAEMON,
  DESTINATION,
  INFO,
  MESSAGE,
  SERVICE,
  STATS,
  STATS64,
} from "../../src/ipvs/layouts.js";

/*
 * The enumerations of include/uapi/linux/ip_vs.h, each from number 1 on. A blank entry is one that
 * the program does not use.
 */

function inOrder(numbers: Iterable<readonly [string, number]>): string[] {
  const byNumber = new Map(Array.from(numbers, ([name, n]) => [n, name]));
  const length = Math.max(...byNumber.keys());
  return Array.from({ length }, (_, i) => byNumber.get(i + 1) ?? "");
}

function enumeration(layout: Layout): string[] {
  return inOrder(
    Object.entries(layout).map(([name, [type]]) => [name, type] as const),
  );
}

test("COMMANDS has the numbers of ip_vs.h", () => {
  assert.deepEqual(inOrder(Object.entries(COMMANDS)), [
    ...["newService", "setService", "deleteService", "getService"],
    ...["newDestination", "setDestination", "deleteDestination"],
    ...["getDestination", "newDaemon", "deleteDaemon", "getDaemon"],
    ...["setConfig", "getConfig", "", "getInfo", "zero", "flush"],
  ]);
});

test("MESSAGE has the numbers of ip_vs.h", () => {
  assert.deepEqual(enumeration(MESSAGE), [
    ...["service", "destination", "daemon"],
    ...["tcpSeconds", "tcpFinSeconds", "udpSeconds"],
  ]);
});

test("SERVICE has the numbers of ip_vs.h", () => {
  assert.deepEqual(enumeration(SERVICE), [
    ...["family", "protocol", "address", "port", "firewallMark"],
    ...["scheduler", "flags", "timeoutSeconds", "netmask", "stats"],
    ...["persistenceEngine", "stats64"],
  ]);
});

test("DESTINATION has the numbers of ip_vs.h", () => {
  assert.deepEqual(enumeration(DESTINATION), [
    ...["address", "port", "forwarding", "weight"],
    ...["upperThreshold", "lowerThreshold"],
    ...["activeConnections", "inactiveConnections", "persistentConnections"],
    ...["stats", "family", "stats64"],
    ...["tunnelType", "tunnelPort", "tunnelFlags"],
  ]);
});

test("DAEMON has the numbers of ip_vs.h", () => {
  assert.deepEqual(enumeration(DAEMON), [
    ...["state", "multicastInterface", "syncId", "maximumLength"],
    ...["multicastGroup", "multicastGroup6", "multicastPort", "multicastTtl"],
  ]);
});

test("STATS and STATS64 have the numbers of ip_vs.h", () => {
  const counters = [
    ...["connections", "inPackets", "outPackets", "inBytes", "outBytes"],
    ...["connectionsPerSecond", "inPacketsPerSecond", "outPacketsPerSecond"],
    ...["inBytesPerSecond", "outBytesPerSecond"],
  ];
  assert.deepEqual(enumeration(STATS), counters);
  assert.deepEqual(enumeration(STATS64), counters);
});

test("INFO has the numbers of ip_vs.h", () => {
  assert.deepEqual(enumeration(INFO), ["version", "connectionTableSize"]);
});
