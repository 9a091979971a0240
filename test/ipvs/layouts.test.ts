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
 * The enumerations of include/uapi/linux/ip_vs.h, each from its number 1 on; a blank where we use none.
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

test("commands have their numbers", () => {
  assert.deepEqual(inOrder(Object.entries(COMMANDS)), [
    ...["newService", "setService", "deleteService", "getService"],
    ...["newDestination", "setDestination", "deleteDestination"],
    ...["getDestination", "newDaemon", "deleteDaemon", "getDaemon"],
    ...["setConfig", "getConfig", "", "getInfo", "zero", "flush"],
  ]);
});

test("a message's attributes have their numbers", () => {
  assert.deepEqual(enumeration(MESSAGE), [
    ...["service", "destination", "daemon"],
    ...["tcpSeconds", "tcpFinSeconds", "udpSeconds"],
  ]);
});

test("a service's attributes have their numbers", () => {
  assert.deepEqual(enumeration(SERVICE), [
    ...["family", "protocol", "address", "port", "firewallMark"],
    ...["scheduler", "flags", "timeoutSeconds", "netmask", "stats"],
    ...["persistenceEngine", "stats64"],
  ]);
});

test("a real server's attributes have their numbers", () => {
  assert.deepEqual(enumeration(DESTINATION), [
    ...["address", "port", "forwarding", "weight"],
    ...["upperThreshold", "lowerThreshold"],
    ...["activeConnections", "inactiveConnections", "persistentConnections"],
    ...["stats", "family", "stats64"],
    ...["tunnelType", "tunnelPort", "tunnelFlags"],
  ]);
});

test("a sync daemon's attributes have their numbers", () => {
  assert.deepEqual(enumeration(DAEMON), [
    ...["state", "multicastInterface", "syncId", "maximumLength"],
    ...["multicastGroup", "multicastGroup6", "multicastPort", "multicastTtl"],
  ]);
});

test("counters have their numbers, be they cut or whole", () => {
  const counters = [
    ...["connections", "inPackets", "outPackets", "inBytes", "outBytes"],
    ...["connectionsPerSecond", "inPacketsPerSecond", "outPacketsPerSecond"],
    ...["inBytesPerSecond", "outBytesPerSecond"],
  ];
  assert.deepEqual(enumeration(STATS), counters);
  assert.deepEqual(enumeration(STATS64), counters);
});

test("the module's attributes have their numbers", () => {
  assert.deepEqual(enumeration(INFO), ["version", "connectionTableSize"]);
});
