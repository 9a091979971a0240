import assert from "node:assert/strict";
import { test } from "node:test";
import {
  forwarding,
  interfaceForwarding,
} from "../../../../src/doctor/director/machine/forwarding.js";
import { unanswered } from "../../../../src/doctor/director/connections/unanswered.js";
import { MASQUERADING } from "../../../../src/ipvs/model.js";
import { serverEntry } from "../../../fixtures/entries.js";
import { connectionGroup, connectionTable } from "../../made-up-connections.js";
import { network, route } from "../../made-up-network.js";
import { serviceAt, sysctls, told } from "../../made-up.js";

const NAT = { forwarding: MASQUERADING };
const OFF = sysctls({
  "net.ipv4.ip_forward": 0,
  "net.ipv6.conf.all.forwarding": 0,
});

test("forwarding: only masquerading needs it", () => {
  const table = [serviceAt("192.0.2.1", [serverEntry("192.0.2.10", 80)])];
  assert.deepEqual(forwarding.examine({ table, sysctls: OFF }), []);
});

test("forwarding: each family is reported once, by the family of the server", () => {
  const table = [
    serviceAt("192.0.2.1", [serverEntry("192.0.2.10", 80, NAT)]),
    serviceAt("192.0.2.2", [serverEntry("192.0.2.10", 80, NAT)]),
    serviceAt("2001:db8::1", [serverEntry("2001:db8::10", 80, NAT)]),
  ];
  assert.deepEqual(forwarding.examine({ table, sysctls: OFF }).map(told), [
    ["forwarding-off IPv4", "sysctl -w net.ipv4.ip_forward=1"],
    ["forwarding-off IPv6", "sysctl -w net.ipv6.conf.all.forwarding=1"],
  ]);
  assert.match(
    forwarding.examine({ table, sysctls: OFF })[1]?.fix[0]?.effect ?? "",
    /ignores router advertisements/,
  );
  const on = sysctls({
    "net.ipv4.ip_forward": 1,
    "net.ipv6.conf.all.forwarding": 1,
  });
  assert.deepEqual(forwarding.examine({ table, sysctls: on }), []);
});

test("forwarding: connections that wait are its evidence, and no finding of their own", () => {
  const table = [serviceAt("192.0.2.1", [serverEntry("192.0.2.10", 80, NAT)])];
  const facts = (settings: Readonly<Record<string, number>>) => ({
    table,
    allServices: table,
    network: network([route("192.0.2.10", "unicast", 1)]),
    stations: { nextHops: new Map<string, Uint8Array>(), strangers: [] },
    connections: connectionTable([connectionGroup({ SYN_RECV: [58, 40, 3] })]),
    timeouts: { tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 },
    sysctls: sysctls(settings),
    firewall: { tables: [], unread: [] },
  });
  const waiting = ["3 connections to 192.0.2.10:80 wait in SYN_RECV"];
  const off = facts({ "net.ipv4.ip_forward": 0 });
  assert.deepEqual(forwarding.examine(off)[0]?.evidence, waiting);
  assert.deepEqual(unanswered.examine(off), []);
  const closed = facts({
    "net.ipv4.ip_forward": 1,
    "net.ipv4.conf.eth1.forwarding": 0,
  });
  assert.deepEqual(interfaceForwarding.examine(closed)[0]?.evidence, waiting);
  assert.deepEqual(unanswered.examine(closed), []);
  assert.equal(
    unanswered.examine(facts({ "net.ipv4.ip_forward": 1 })).length,
    1,
  );
});
