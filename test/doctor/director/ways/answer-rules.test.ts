import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { Facts } from "../../../../src/doctor/facts.js";
import type { Network } from "../../../../src/doctor/network.js";
import { unanswered } from "../../../../src/doctor/director/connections/unanswered.js";
import { withAnswerWays } from "../../../../src/doctor/director/ways/answer-routes.js";
import { answerRules } from "../../../../src/doctor/director/ways/answer-rules.js";
import { INET } from "../../../../src/ipvs/address.js";
import { MASQUERADING, type Stats } from "../../../../src/ipvs/model.js";
import type { RouteQuery } from "../../../../src/rtnl/client.js";
import type { Route, Rule } from "../../../../src/rtnl/model.js";
import { address, serverEntry, stats } from "../../../fixtures/entries.js";
import { connectionGroup, connectionTable } from "../../made-up-connections.js";
import { device, network, ownAddress, route } from "../../made-up-network.js";
import { serviceAt, sysctls, told } from "../../made-up.js";

/*
 * A director between clients on eth1, behind the router 192.0.2.254, and masqueraded servers on eth2. eth3 is a VPN, or
 * leads to another provider. The virtual address is 192.0.2.1.
 */
const CLIENT = "198.51.100.10";
const NETWORK = network(
  [
    route("192.0.2.1", "local", 1),
    route("192.0.0.8", "unicast", 1, "192.0.2.254"),
    route(CLIENT, "unicast", 3),
    route("10.0.0.11", "unicast", 2),
  ],
  {
    devices: [device(1), device(2), device(3, { name: "vpn0" })],
    addresses: [
      ownAddress(1, "192.0.2.2/24"),
      ownAddress(1, "192.0.2.1/32"),
      ownAddress(2, "10.0.0.1/24"),
      ownAddress(3, "10.99.0.1/24"),
    ],
  },
);
const GROUPS = [
  connectionGroup(
    { SYN_RECV: [58, 57, 55] },
    {
      server: address("10.0.0.11"),
      clients: [address(CLIENT)],
      openingClients: [address(CLIENT)],
    },
  ),
];

const rule = (priority: number, given: Partial<Rule> = {}): Rule => ({
  family: INET,
  priority,
  action: "table",
  table: 254,
  from: undefined,
  to: undefined,
  incoming: undefined,
  outgoing: undefined,
  mark: undefined,
  inverted: false,
  ...given,
});
const LOCAL = rule(0, { table: 255 });
const MAIN = rule(32766);
/** As wg-quick adds them */
const VPN = rule(32765, {
  table: 51820,
  mark: { value: 0xca6c, mask: 0xffffffff },
  inverted: true,
});
/** With `suppress_prefixlength 0` */
const NO_DEFAULT = rule(32764);
const ANY = { prefixBits: 0, target: address("0.0.0.0") };
const BY_MAIN = route("0.0.0.0", "unicast", 1, "192.0.2.254", ANY);
const BY_VPN = route("0.0.0.0", "unicast", 3, undefined, {
  ...ANY,
  table: 51820,
});

const ANSWERING = { connections: 3n, inPackets: 6n, inBytes: 360n };

interface Given {
  readonly rules?: readonly Rule[];
  /** The route of an answer */
  readonly way?: (query: RouteQuery) => Route;
  readonly counted?: Partial<Stats>;
  readonly settings?: Readonly<Record<string, number>>;
  readonly around?: Network;
}

async function facts({
  rules = [LOCAL, NO_DEFAULT, VPN, MAIN],
  way = () => BY_VPN,
  counted = { ...ANSWERING, outPackets: 15n, outBytes: 900n },
  settings = {},
  around = NETWORK,
}: Given = {}): Promise<Facts> {
  const server = {
    ...serverEntry("10.0.0.11", 80, { forwarding: MASQUERADING }),
    stats: stats(counted),
    inactiveConnections: 3,
  };
  const table = [serviceAt("192.0.2.1", [server])];
  const connections = connectionTable(GROUPS);
  const seen = await withAnswerWays(
    {
      routeTo: (query) => Promise.resolve(way(query)),
      rules: () => Promise.resolve([...rules]),
      routes: () => Promise.resolve([BY_VPN, BY_MAIN]),
    },
    around,
    table,
    connections,
  );
  return {
    table,
    allServices: table,
    network: seen,
    stations: { nextHops: new Map(), strangers: [] },
    connections,
    timeouts: { tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 },
    sysctls: sysctls({ "net.ipv4.ip_forward": 1, ...settings }),
    firewall: { tables: [], unread: [] },
  };
}

suite("answerRules", () => {
  test("answerRules names no inverted rule with conditions that doctor does not read", async () => {
    const unread = rule(100, {
      table: 51820,
      inverted: true,
      hasMore: true,
    });
    const all = await facts({ rules: [LOCAL, unread, VPN, MAIN] });
    const [finding] = answerRules.examine(all);
    assert.equal(finding?.subject, "routing rule 32765");
  });

  test("answerRules names the rule that leads answers into a VPN, and prints a rule ahead of it", async () => {
    const all = await facts();
    const [finding, ...others] = answerRules.examine(all);
    assert.deepEqual(others, []);
    assert.ok(finding);
    assert.equal(
      finding.seen,
      '"not from all fwmark 0xca6c lookup 51820" takes all packets except those with the mark 0xca6c, so answers to 198.51.100.10 from 192.0.2.1 leave by vpn0, directly',
    );
    assert.deepEqual(finding.evidence, [
      "the main table leads there by eth1, through 192.0.2.254, and 192.0.2.1 is in the network of eth1: requests seem to come in there",
      "3 connections to 10.0.0.11:80 wait in SYN_RECV; 15 packets of 10.0.0.11:80 came back since it was added, 60 bytes each on average: answers",
    ]);
    // Priority 32764 has a rule.
    assert.deepEqual(told(finding), [
      "answers-elsewhere routing rule 32765",
      "ip rule add from 192.0.2.1 lookup main priority 32763",
    ]);
    assert.deepEqual(
      finding.next?.map(({ command }) => command),
      ["ip rule", "ip route get 198.51.100.10 from 192.0.2.1"],
    );
    assert.deepEqual(unanswered.examine(all), [], "the rule is the cause");
  });

  test("answerRules judges the server's own address if IPVS does not look for the route again", async () => {
    const fromServers = rule(100, {
      table: 51820,
      from: { address: address("10.0.0.0"), bits: 24 },
      incoming: "eth2",
    });
    const given: Given = {
      rules: [LOCAL, fromServers, MAIN],
      way: ({ incoming }) => (incoming === undefined ? BY_MAIN : BY_VPN),
    };
    assert.deepEqual(answerRules.examine(await facts(given)), []);
    const settings = { "net.ipv4.vs.snat_reroute": 0 };
    const [finding] = answerRules.examine(await facts({ ...given, settings }));
    assert.ok(finding);
    assert.deepEqual(told(finding), [
      "answers-elsewhere routing rule 100",
      "ip rule add from 10.0.0.11 iif eth2 lookup main priority 99",
    ]);
    assert.match(
      finding.seen,
      /^"from 10\.0\.0\.0\/24 iif eth2 lookup 51820" takes packets from 10\.0\.0\.0\/24 that come in by eth2, so answers to /,
    );
  });

  test("answerRules says nothing if no answer came back: the server is silent", async () => {
    const all = await facts({ counted: ANSWERING });
    assert.deepEqual(answerRules.examine(all), []);
    const [finding] = unanswered.examine(all);
    assert.equal(finding?.id, "nat-unanswered");
    assert.match(finding.evidence?.join("\n") ?? "", /routing rule 32765/);
  });

  test("answerRules says nothing if the rule leads into the network of the virtual address, or no rule is known", async () => {
    const { addresses } = NETWORK;
    const providers = await facts({
      around: {
        ...NETWORK,
        addresses: [...addresses, ownAddress(3, "192.0.2.3/24")],
      },
    });
    assert.deepEqual(answerRules.examine(providers), []);
    assert.deepEqual(
      unanswered.examine(providers).map(({ id }) => id),
      ["answers-unconfirmed"],
    );
    const unknown = await facts({ rules: [LOCAL, MAIN] });
    assert.deepEqual(answerRules.examine(unknown), []);
  });

  test("answerRules leaves out rules that do not match, and says so if no priority is free", async () => {
    const named = async (...rules: Rule[]) =>
      answerRules.examine(await facts({ rules: [...rules, MAIN] })).map(told);
    const at = (priority: number, given: Partial<Rule>) =>
      rule(priority, { table: 51820, ...given });
    const mark = { value: 1, mask: 0xff };
    assert.deepEqual(
      await named(
        at(10, { mark }),
        at(11, { hasMore: true }),
        at(12, { outgoing: "vpn0" }),
        at(13, { incoming: "eth1" }),
        at(14, { to: { address: address("203.0.113.0"), bits: 24 } }),
        at(15, { incoming: "lo" }),
      ),
      [
        [
          "answers-elsewhere routing rule 15",
          "ip rule add from 192.0.2.1 lookup main priority 9",
        ],
      ],
    );
    assert.deepEqual(await named(rule(1, { table: 7 }), at(2, {})), [
      ["answers-elsewhere routing rule 2"],
    ]);
    assert.match((await named(at(1000, { vrf: true })))[0]?.[0] ?? "", /1000$/);
  });
});
