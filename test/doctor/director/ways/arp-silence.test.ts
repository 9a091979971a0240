import assert from "node:assert/strict";
import { test } from "node:test";
import { silentAddresses } from "../../../../src/doctor/director/ways/arp-silence.js";
import type { Facts } from "../../../../src/doctor/facts.js";
import { BACKUP, type Daemon } from "../../../../src/ipvs/model.js";
import { address, serverEntry, stats } from "../../../fixtures/entries.js";
import { connectionGroup, connectionTable } from "../../made-up-connections.js";
import {
  device,
  mac,
  network,
  ownAddress,
  route,
} from "../../made-up-network.js";
import { serviceAt, sysctls, told } from "../../made-up.js";

const LO = 9;
const QUIET = { "net.ipv4.conf.all.arp_ignore": 1 };

/** A director with the virtual address on some interface: eth1 is in its network, lo is none with neighbors. */
function found(
  vip: string,
  places: readonly string[],
  settings: Readonly<Record<string, number>> = QUIET,
  change: Partial<Facts> = {},
): string[][] {
  const six = vip.includes(":");
  const bits = six ? 128 : 32;
  const own = six ? "2001:db8::2/64" : "192.0.2.2/24";
  const table = [serviceAt(vip)];
  const facts: Facts = {
    table,
    allServices: table,
    daemons: [],
    stations: { nextHops: new Map(), strangers: [] },
    sysctls: sysctls(settings),
    network: network([route(vip, "local", LO)], {
      devices: [device(1), { ...device(LO), name: "lo", asksNeighbors: false }],
      addresses: [
        ownAddress(1, own),
        ...places.map((name) =>
          ownAddress(name === "lo" ? LO : 1, `${vip}/${bits}`),
        ),
      ],
    }),
    ...change,
  };
  return silentAddresses.examine(facts).map(told);
}

test("silentAddresses: an address on lo is not answered for with arp_ignore 1", () => {
  assert.deepEqual(found("192.0.2.1", ["lo"]), [
    ["vip-unanswered 192.0.2.1", "ip address add 192.0.2.1/32 dev eth1"],
  ]);
});

test("silentAddresses: neighbor discovery answers for no address on lo", () => {
  assert.deepEqual(found("2001:db8::1", ["lo"], {}), [
    ["vip-unanswered 2001:db8::1", "ip address add 2001:db8::1/128 dev eth1"],
  ]);
  assert.deepEqual(
    found("2001:db8::1", ["lo"], { "net.ipv6.conf.eth1.proxy_ndp": 1 }),
    [],
  );
});

test("silentAddresses is silent if the interface answers", () => {
  assert.deepEqual(found("192.0.2.1", ["lo"], {}), []);
  assert.deepEqual(found("192.0.2.1", ["eth1"]), []);
  assert.deepEqual(found("192.0.2.1", ["lo", "eth1"]), []);
  assert.deepEqual(found("2001:db8::1", ["eth1"], {}), []);
});

test("silentAddresses is silent if packets come, for routed addresses, for backups and if another machine answers", () => {
  const service = serviceAt("192.0.2.1");
  const busy = [{ ...service, stats: stats({ inPacketsPerSecond: 1n }) }];
  assert.deepEqual(
    found("192.0.2.1", ["lo"], QUIET, { table: busy, allServices: busy }),
    [],
  );
  assert.deepEqual(found("198.51.100.1", ["lo"]), []);
  assert.deepEqual(found("192.0.2.1", []), []);
  const daemon = { state: BACKUP } as Daemon;
  assert.deepEqual(
    found("192.0.2.1", ["lo"], QUIET, { daemons: [daemon] }),
    [],
  );
  const strangers = [
    { address: address("192.0.2.1"), device: 1, hardwareAddress: mac(7) },
  ];
  const stations = { nextHops: new Map(), strangers };
  assert.deepEqual(found("192.0.2.1", ["lo"], QUIET, { stations }), []);
});

test("silentAddresses: a rate that still falls is no packet if each connection has been idle for seconds", () => {
  const service = serviceAt("192.0.2.1", [serverEntry("192.0.2.10", 80)]);
  const table = [{ ...service, stats: stats({ inPacketsPerSecond: 1n }) }];
  const timeouts = { tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 };
  const after = (fin: number) =>
    found("192.0.2.1", ["lo"], QUIET, {
      ...{ table, allServices: table, timeouts },
      connections: connectionTable([
        connectionGroup({ FIN_WAIT: [fin], ESTABLISHED: [500] }),
      ]),
    }).length;
  assert.equal(after(112), 1);
  assert.equal(after(118), 0);
});
