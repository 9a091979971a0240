import assert from "node:assert/strict";
import { test } from "node:test";
import { tunnelSource } from "../../../../src/doctor/director/ways/tunnel-source.js";
import { unanswered } from "../../../../src/doctor/director/connections/unanswered.js";
import {
  TUNNEL_GRE,
  TUNNELING,
  type ServerSettings,
} from "../../../../src/ipvs/model.js";
import { address, serverEntry } from "../../../fixtures/entries.js";
import { connectionGroup, connectionTable } from "../../made-up-connections.js";
import { network, ownAddress, route } from "../../made-up-network.js";
import { serviceAt, sysctls, told } from "../../made-up.js";

const VIP = "2001:db8::100";
const SERVER = "2001:db8:1::11";
const OWN = ownAddress(1, "2001:db8::1/64");
const PLAIN = { type: 0, port: 0, flags: 0 } as const;

/** A director whose way to the server has a source. */
function facts(
  source: string,
  settings: Partial<ServerSettings> = {},
  own = [OWN],
  vip = VIP,
  to = SERVER,
) {
  const server = serverEntry(to, 80, {
    forwarding: TUNNELING,
    tunnel: PLAIN,
    ...settings,
  });
  const table = [serviceAt(vip, [server])];
  return {
    table,
    allServices: table,
    network: network(
      [
        route(to, "unicast", 1, undefined, { source: address(source) }),
        route(vip, "local", 1),
      ],
      {
        addresses: [
          ...own,
          ownAddress(1, `${vip}/${vip.includes(":") ? 128 : 32}`),
        ],
      },
    ),
  };
}

test("tunnelSource: a virtual address that the server has as well is no source", () => {
  const given = facts(VIP);
  const [finding, ...others] = tunnelSource.examine(given);
  assert.deepEqual(others, []);
  assert.deepEqual(finding && told(finding), [
    `tunnel-from-vip ${VIP}`,
    `ip address change ${VIP}/128 dev eth1 preferred_lft 0`,
    `ipvsadm -e -t '[${VIP}]:80' -r '[${SERVER}]:80' -i -w 1 --tun-type ipip`,
  ]);
  assert.equal(
    finding?.seen,
    `it is the source of the tunnel's packets to [${SERVER}]:80 of tcp/[${VIP}]:80`,
  );
});

test("tunnelSource: an address of its own, GRE and other methods are fine", () => {
  const find = (...given: Parameters<typeof facts>) =>
    tunnelSource.examine(facts(...given));
  assert.deepEqual(find("2001:db8::1"), []);
  assert.deepEqual(find(VIP, { tunnel: { ...PLAIN, type: TUNNEL_GRE } }), []);
  assert.deepEqual(find(VIP, { forwarding: 3 }), []);
});

test("tunnelSource: without another address no command helps", () => {
  const [finding] = tunnelSource.examine(facts(VIP, {}, []));
  assert.equal(finding?.id, "tunnel-from-vip");
  assert.deepEqual(finding.fix, []);
});

test("unanswered: the source of an IPv4 tunnel is evidence, and an IPv6 source is a finding of its own", () => {
  const find = (vip: string, to: string) =>
    unanswered.examine({
      ...facts(vip, {}, [], vip, to),
      stations: { nextHops: new Map(), strangers: [] },
      connections: connectionTable([
        connectionGroup(
          { SYN_RECV: [58, 40, 3] },
          { server: address(to), virtual: address(vip) },
        ),
      ]),
      timeouts: { tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 },
      sysctls: sysctls({}),
      firewall: { tables: [], unread: [] },
    });
  const [finding] = find("192.0.2.1", "192.0.2.10");
  assert.equal(finding?.id, "tunnel-unanswered");
  assert.deepEqual(finding.evidence, [
    "the tunnel's packets come from the virtual address 192.0.2.1, which the server has as well: it drops them unless accept_local is 1 there",
  ]);
  assert.deepEqual(find(VIP, SERVER), []);
});
