import assert from "node:assert/strict";
import { test } from "node:test";
import { blockagesOf } from "../../../../src/doctor/director/firewall/blockages.js";
import { anyClients } from "../../../../src/doctor/director/firewall/flow-clients.js";
import { parseIptablesSave } from "../../../../src/doctor/firewall/iptables-save.js";
import { INET } from "../../../../src/ipvs/address.js";
import { MASQUERADING } from "../../../../src/ipvs/model.js";
import { address, serverEntry } from "../../../fixtures/entries.js";
import { connectionTable } from "../../made-up-connections.js";
import { device, network, ownAddress, route } from "../../made-up-network.js";
import { serviceAt, sysctls } from "../../made-up.js";

const around = (name: string) =>
  network([route("192.0.2.1", "local", 1), route("10.0.0.11", "unicast", 2)], {
    devices: [device(1, { name }), device(2)],
    addresses: [ownAddress(1, "192.0.2.1/24"), ownAddress(2, "10.0.0.1/24")],
  });
const rules = (rule: string) => ({
  tables: parseIptablesSave(
    `*filter\n:INPUT ACCEPT [0:0]\n-A INPUT ${rule} -j DROP\nCOMMIT\n`,
    INET,
    "iptables",
  ),
  unread: [],
});

test("blockagesOf() walks the rules once for the same facts, and again for others", () => {
  const servers = [serverEntry("10.0.0.11", 80, { forwarding: MASQUERADING })];
  const service = serviceAt("192.0.2.1", servers);
  const facts = {
    network: around("eth1"),
    connections: connectionTable(),
    allServices: [service],
    sysctls: sysctls({ "net.ipv4.vs.conntrack": 0 }),
  };
  const closed = rules("-p tcp -m tcp --dport 80");
  const first = blockagesOf(service, facts, closed);
  assert.equal(first.length, 1);
  assert.equal(blockagesOf(service, { ...facts }, closed), first);
  const open = rules("-p tcp -m tcp --dport 81");
  assert.deepEqual(blockagesOf(service, facts, open), []);
  const there = rules("-i eth9 -p tcp -m tcp --dport 80");
  assert.deepEqual(blockagesOf(service, facts, there), []);
  const other = { ...facts, network: around("eth9") };
  assert.equal(blockagesOf(service, other, there).length, 1);
});

test("anyClients() knows the interfaces of each network and each virtual address", () => {
  const names = (name: string, virtual: string) =>
    anyClients(around(name), INET, address(virtual)).map((one) => one.device);
  assert.deepEqual(names("eth1", "192.0.2.1"), ["eth1"]);
  assert.deepEqual(names("eth9", "192.0.2.1"), ["eth9"]);
  const one = around("eth1");
  for (const [virtual, expected] of [
    ["192.0.2.1", "eth1"],
    ["10.0.0.9", "eth2"],
    ["192.0.2.1", "eth1"],
  ] as const)
    assert.deepEqual(
      anyClients(one, INET, address(virtual)).map(({ device: at }) => at),
      [expected],
    );
});
