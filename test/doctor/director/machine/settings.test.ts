import assert from "node:assert/strict";
import { test } from "node:test";
import {
  fragments,
  hashing,
  orphans,
  reuse,
} from "../../../../src/doctor/director/machine/settings.js";
import { conntrack } from "../../../../src/doctor/director/nat/unseen-snat.js";
import { INET } from "../../../../src/ipvs/address.js";
import { MASQUERADING, TUNNELING, UDP } from "../../../../src/ipvs/model.js";
import {
  address,
  serverEntry,
  serviceEntry,
} from "../../../fixtures/entries.js";
import type { ConnectionLimits } from "../../../../src/doctor/connection-limits.js";
import { connectionGroup, connectionTable } from "../../made-up-connections.js";
import { serviceAt, sysctls, told } from "../../made-up.js";

const SERVICE = serviceAt("192.0.2.1", [serverEntry("192.0.2.10", 80)]);
const MODULE = { state: "loaded", users: [], parameters: {} } as const;

test("conntrack: a rule that matches connections of IPVS needs it", () => {
  const find = (references: number | undefined, value: number) =>
    conntrack
      .examine({
        table: [SERVICE],
        matcher: { ...MODULE, references },
        sysctls: sysctls({ "net.ipv4.vs.conntrack": value }),
      })
      .map(told);
  assert.deepEqual(find(1, 0), [
    ["conntrack-off -", "sysctl -w net.ipv4.vs.conntrack=1"],
  ]);
  for (const [references, value] of [
    [1, 1],
    [0, 0],
    [undefined, 0],
  ] as const)
    assert.deepEqual(find(references, value), []);
});

test("reuse: a service for UDP does not need it", () => {
  const OFF = sysctls({ "net.ipv4.vs.conn_reuse_mode": 0 });
  const key = {
    family: INET,
    protocol: UDP,
    address: address("192.0.2.1"),
    port: 53,
  } as const;
  const udp = serviceEntry(key);
  assert.deepEqual(reuse.examine({ table: [udp], sysctls: OFF }), []);
  assert.deepEqual(
    reuse.examine({ table: [udp, SERVICE], sysctls: OFF }).map(told),
    [["conn-reuse-off -", "sysctl -w net.ipv4.vs.conn_reuse_mode=1"]],
  );
});

function group(server: string, states: Record<string, number>, port = 80) {
  const expiring = Object.entries(states).map(([state, count]) => [
    state,
    Array.from({ length: count }, () => 9),
  ]);
  return connectionGroup(
    Object.fromEntries(expiring) as Record<string, number[]>,
    {
      server: address(server),
      serverPort: port,
    },
  );
}

test("orphans: open connections with a removed server are reported", () => {
  const connections = connectionTable([
    group("192.0.2.10", { ESTABLISHED: 5 }),
    group("192.0.2.11", { ESTABLISHED: 2, TIME_WAIT: 7 }),
    group("192.0.2.11", { TIME_WAIT: 7 }, 81),
  ]);
  const find = (value: number, table = [SERVICE]) =>
    orphans.examine({
      table,
      connections,
      sysctls: sysctls({ "net.ipv4.vs.expire_nodest_conn": value }),
    });
  assert.deepEqual(find(0).map(told), [
    [
      "connections-to-nobody tcp/192.0.2.1:80",
      "sysctl -w net.ipv4.vs.expire_nodest_conn=1",
    ],
  ]);
  assert.equal(
    find(0)[0]?.seen,
    "2 connections are with 192.0.2.11:80, which is not one of its real servers",
  );
  assert.deepEqual(find(0)[0]?.evidence, [
    "the last of these connections expires in 9 s",
  ]);
  assert.deepEqual(find(1), []);
  assert.deepEqual(find(0, []), [], "of a service that is not examined");
});

test("orphans: the evidence names clients, and the timeout in force for the protocol", () => {
  const key = {
    family: INET,
    protocol: UDP,
    address: address("192.0.2.1"),
    port: 80,
  } as const;
  const [finding] = orphans.examine({
    table: [serviceEntry(key)],
    connections: connectionTable([
      connectionGroup(
        { UDP: [7100, 7190] },
        { protocol: "UDP", clients: [address("192.0.2.77")] },
      ),
    ]),
    sysctls: sysctls({ "net.ipv4.vs.expire_nodest_conn": 0 }),
    timeouts: { tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 7200 },
  });
  assert.deepEqual(finding?.evidence, [
    "clients: 192.0.2.77; the last of these connections expires in 7190 s (the timeout of UDP is 7200 s)",
  ]);
});

test("orphans: the evidence says if it does not name all clients", () => {
  const clients = [71, 72, 73, 74].map((last) => address(`192.0.2.${last}`));
  const gone = address("192.0.2.99");
  const [finding] = orphans.examine({
    table: [serviceAt("192.0.2.1", [serverEntry("192.0.2.10", 80)])],
    connections: connectionTable([
      connectionGroup({ ESTABLISHED: [9, 8, 7] }, { server: gone, clients }),
    ]),
    sysctls: sysctls({ "net.ipv4.vs.expire_nodest_conn": 0 }),
  });
  assert.deepEqual(finding?.evidence, [
    "clients: 192.0.2.71, 192.0.2.72, 192.0.2.73, 192.0.2.74 and perhaps others; the last of these connections expires in 9 s",
  ]);
});

const LIMITS: ConnectionLimits = {
  entries: undefined,
  most: undefined,
  loadFactor: undefined,
  tracked: undefined,
  mostTracked: undefined,
};

function longChains(
  entries: number,
  connectionTableSize: number,
  limits: Partial<ConnectionLimits> = {},
): string[][] {
  return hashing
    .examine({
      info: { version: 0x010201, connectionTableSize },
      connections: connectionTable([], { entries }),
      limits: { ...LIMITS, ...limits },
    })
    .map(told);
}

test("hashing: eight entries per bucket are many, and each entry should have a bucket", () => {
  assert.deepEqual(longChains(4096 * 8 - 1, 4096), []);
  assert.deepEqual(longChains(4096 * 8, 4096), [
    [
      "hash-small -",
      "echo options ip_vs conn_tab_bits=15 >/etc/modprobe.d/ip_vs-conn_tab_bits.conf",
    ],
  ]);
  assert.deepEqual(longChains(2 ** 25, 2 ** 20), [], "there is no larger one");
});

test("hashing: newer kernels have no bucket before the first connection, and a load factor", () => {
  assert.deepEqual(longChains(100, 0), []);
  const found = (loadFactor: number) =>
    longChains(4096 * 8, 4096, { loadFactor });
  assert.deepEqual(found(3), [
    ["hash-small -", "sysctl -w net.ipv4.vs.conn_lfactor=-4"],
  ]);
  assert.deepEqual(found(-4), [
    ["hash-small -", "sysctl -w net.ipv4.vs.conn_lfactor=-5"],
  ]);
});

test("fragments: only tunnels cause them", () => {
  const find = (forwarding: number, value: number) =>
    fragments
      .examine({
        table: [
          serviceAt("192.0.2.1", [
            serverEntry("192.0.2.10", 80, { forwarding }),
          ]),
        ],
        sysctls: sysctls({ "net.ipv4.vs.pmtu_disc": value }),
      })
      .map(told);
  assert.deepEqual(find(TUNNELING, 0), [
    ["tunnel-fragments -", "sysctl -w net.ipv4.vs.pmtu_disc=1"],
  ]);
  assert.deepEqual(find(TUNNELING, 1), []);
  assert.deepEqual(find(MASQUERADING, 0), []);
});
