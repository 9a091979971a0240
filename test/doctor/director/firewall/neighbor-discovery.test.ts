import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { traceClient } from "../../../../src/doctor/director/client/trace.js";
import type { TraceFacts } from "../../../../src/doctor/director/client/trace-step.js";
import {
  neighborDiscovery,
  withoutItsConsequences,
} from "../../../../src/doctor/director/firewall/neighbor-discovery.js";
import { unreached } from "../../../../src/doctor/director/connections/unreached.js";
import type { Facts } from "../../../../src/doctor/facts.js";
import type { Finding } from "../../../../src/doctor/finding.js";
import type { FindingId } from "../../../../src/doctor/findings.js";
import { parseIptablesSave } from "../../../../src/doctor/firewall/iptables-save.js";
import { parseNftJson } from "../../../../src/doctor/firewall/nft-json.js";
import { INET6 } from "../../../../src/ipvs/address.js";
import { BACKUP, MASQUERADING } from "../../../../src/ipvs/model.js";
import { address, serverEntry } from "../../../fixtures/entries.js";
import { connectionTable } from "../../made-up-connections.js";
import {
  device,
  neighbor,
  network,
  ownAddress,
  route,
} from "../../made-up-network.js";
import { serviceAt, sysctls, told } from "../../made-up.js";

/*
 * A director between clients on eth1 (2001:db8:1::/64, with the virtual address 2001:db8:1::100) and masqueraded servers
 * on eth2 (fd00::/64).
 */
const NAT = serviceAt("2001:db8:1::100", [
  serverEntry("fd00::11", 80, { forwarding: MASQUERADING }),
]);
const DIRECT = serviceAt("2001:db8:1::100", [serverEntry("fd00::11", 80)]);
const WAYS = [
  route("2001:db8:1::100", "local", 1),
  route("2001:db8:1::10", "unicast", 1),
  route("fd00::11", "unicast", 2),
];
const PLACES = {
  devices: [device(1), device(2)],
  addresses: [
    ownAddress(1, "2001:db8:1::1/64"),
    ownAddress(1, "2001:db8:1::100/128"),
    ownAddress(2, "fd00::1/64"),
  ],
};

function facts(rules: string, given: Partial<Facts> = {}) {
  const { table = [NAT] } = given;
  return {
    table,
    allServices: table,
    daemons: [],
    network: network(WAYS, PLACES),
    stations: { nextHops: new Map(), strangers: [] },
    connections: connectionTable(),
    sysctls: sysctls({}),
    firewall: {
      tables: parseIptablesSave(
        `*filter\n${rules}\nCOMMIT\n`,
        INET6,
        "ip6tables",
      ),
      unread: [],
    },
    ...given,
  };
}

const find = (rules: string, given: Partial<Facts> = {}) =>
  neighborDiscovery.examine(facts(rules, given));

const CLOSED = ":INPUT DROP [34:2448]";
const accept = (type: number | string) =>
  `[0:0] -A INPUT -p ipv6-icmp -m icmp6 --icmpv6-type ${type} -j ACCEPT`;

suite("neighborDiscovery", () => {
  test("neighborDiscovery names the policy with its count, what it drops where, and the rules that accept it", () => {
    const found = find(
      [
        CLOSED,
        "[1:1] -A INPUT -i lo -j ACCEPT",
        "[1:1] -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "[1:1] -A INPUT -d 2001:db8:1::100/128 -p tcp -m multiport --dports 80,443 -j ACCEPT",
        accept(128),
      ].join("\n"),
    );
    assert.deepEqual(
      found.map(({ seen }) => seen),
      [
        "the policy of chain INPUT (ip6tables, table filter), 34 packets, drops neighbor solicitations on eth1 and eth2, and neighbor advertisements on eth1 and eth2",
      ],
    );
    assert.deepEqual(found.map(told), [
      [
        "neighbor-discovery-blocked -",
        "ip6tables -t filter -I INPUT -p icmpv6 --icmpv6-type 135 -j ACCEPT",
        "ip6tables -t filter -I INPUT -p icmpv6 --icmpv6-type 136 -j ACCEPT",
      ],
    ]);
  });

  test("neighborDiscovery finds nothing once the printed rules are there, or all of ICMPv6 is accepted", () => {
    for (const rules of [
      `${CLOSED}\n${accept(135)}\n${accept(136)}`,
      `${CLOSED}\n[0:0] -A INPUT -p ipv6-icmp -j ACCEPT`,
      `${CLOSED}\n[0:0] -A INPUT -m conntrack --ctstate UNTRACKED -j ACCEPT`,
      ":INPUT ACCEPT [34:2448]",
    ])
      assert.deepEqual(find(rules), [], rules);
  });

  test("neighborDiscovery does not report what a rule perhaps accepts", () => {
    const rule = "[9:9] -A INPUT -m hl --hl-eq 255 -j ACCEPT";
    assert.deepEqual(find(`${CLOSED}\n${rule}`), []);
  });

  test("neighborDiscovery knows that a server advertises itself from the address that was asked for", () => {
    const rule = "[9:9] -A INPUT -s fe80::/10 -j ACCEPT";
    const [finding] = find(`${CLOSED}\n${rule}`);
    assert.match(
      finding?.seen ?? "",
      /, drops neighbor advertisements on eth2$/,
    );
  });

  test("neighborDiscovery prints only what the rule stops", () => {
    assert.deepEqual(find(`${CLOSED}\n${accept(135)}`).map(told), [
      [
        "neighbor-discovery-blocked -",
        "ip6tables -t filter -I INPUT -p icmpv6 --icmpv6-type 136 -j ACCEPT",
      ],
    ]);
    const [rule] = find(
      ":OUTPUT ACCEPT [0:0]\n[4:288] -A OUTPUT -o eth1 -p ipv6-icmp -m icmp6 --icmpv6-type 136 -j REJECT",
    );
    assert.match(
      rule?.seen ?? "",
      /^rule 1 of chain OUTPUT .*, 4 packets, rejects neighbor advertisements on eth1$/,
    );
  });

  test("neighborDiscovery asks for less with direct routing, and for nothing with IPv4 or on a backup", () => {
    const [finding] = find(CLOSED, { table: [DIRECT] });
    assert.match(
      finding?.seen ?? "",
      /drops neighbor solicitations on eth1, and neighbor advertisements on eth2$/,
    );
    const ipv4 = serviceAt("192.0.2.1", [serverEntry("10.0.0.11", 80)]);
    assert.deepEqual(find(CLOSED, { table: [ipv4] }), []);
    const daemon = {
      state: BACKUP,
      multicastInterface: "eth1",
      syncId: 1,
    } as const;
    assert.deepEqual(find(CLOSED, { daemons: [daemon] }), []);
  });

  test("neighborDiscovery needs no advertisement of a neighbor that is entered by hand", () => {
    const neighbors = [neighbor(2, "fd00::11", 1, "permanent")];
    const [finding] = find(CLOSED, {
      table: [DIRECT],
      network: network(WAYS, { ...PLACES, neighbors }),
    });
    assert.match(finding?.seen ?? "", /drops neighbor solicitations on eth1$/);
  });

  test("neighborDiscovery names the servers that the director does not find", () => {
    const stations = {
      nextHops: new Map([["fd00::11", undefined]]),
      strangers: [],
    };
    const [finding] = find(CLOSED, { stations });
    assert.deepEqual(finding?.evidence, [
      "the director gets no advertisement of fd00::11, so it sends nothing there",
    ]);
  });

  test("neighborDiscovery reads nft, and prints its language", () => {
    const chain = {
      family: "inet",
      table: "fw",
      name: "in",
      type: "filter",
      hook: "input",
      prio: 0,
      policy: "drop",
    };
    const rule = (right: unknown) => ({
      rule: {
        family: "inet",
        table: "fw",
        chain: "in",
        expr: [
          {
            match: {
              op: "==",
              left: { payload: { protocol: "icmpv6", field: "type" } },
              right,
            },
          },
          { accept: null },
        ],
      },
    });
    const firewall = (...rights: unknown[]) => ({
      unread: [],
      tables: parseNftJson(
        JSON.stringify({
          nftables: [
            { table: { family: "inet", name: "fw" } },
            { chain },
            ...rights.map(rule),
          ],
        }),
      ).tables,
    });
    assert.deepEqual(
      find("", { firewall: firewall("nd-neighbor-solicit") }).map(told),
      [
        [
          "neighbor-discovery-blocked -",
          "nft insert rule inet fw in icmpv6 type 136 accept",
        ],
      ],
    );
    for (const all of [
      { set: ["nd-neighbor-solicit", "nd-neighbor-advert"] },
      { range: [133, 137] },
    ])
      assert.deepEqual(find("", { firewall: firewall(all) }), []);
  });
});

const OPEN_TO_WEB = `${CLOSED}\n[0:0] -A INPUT -p tcp -m tcp --dport 80 -j ACCEPT`;

suite("what follows from blocked neighbor discovery", () => {
  const server = address("fd00::11");
  const about = (id: FindingId): Finding<FindingId> => ({
    id,
    service: NAT.key,
    server: { address: server, port: 80 },
    seen: "",
    fix: [],
  });
  const ids = (rules: string, ...some: FindingId[]) => {
    const cause = find(rules);
    return withoutItsConsequences(
      [...cause, ...some.map(about)],
      facts(rules),
    ).map(({ id }) => id);
  };

  test("withoutItsConsequences() leaves out silent servers and failed probes", () => {
    assert.deepEqual(
      ids(
        CLOSED,
        "server-silent",
        "persistence-to-dead-server",
        "server-probe-failed",
        "nat-unanswered",
        "server-refuses",
      ),
      ["neighbor-discovery-blocked", "server-refuses"],
    );
  });

  test("withoutItsConsequences() keeps a server that is silent for another reason", () => {
    const advertised = `${CLOSED}\n${accept(136)}`;
    assert.deepEqual(ids(advertised, "server-silent", "server-probe-failed"), [
      "neighbor-discovery-blocked",
      "server-silent",
    ]);
    assert.deepEqual(ids(":INPUT ACCEPT [0:0]", "server-silent"), [
      "server-silent",
    ]);
  });

  test("unreached does not say that no rule stops packets to a service that nobody can find", () => {
    assert.deepEqual(unreached.examine(facts(OPEN_TO_WEB)), []);
    assert.equal(unreached.examine(facts(":INPUT ACCEPT [0:0]")).length, 1);
  });

  test("traceClient() stops at the rule if nothing of the client was seen", () => {
    const { stopsAt } = traceClient(facts(OPEN_TO_WEB) as TraceFacts, {
      client: address("2001:db8:1::10"),
      seconds: 5,
      connections: [],
      after: [NAT],
      heard: [],
    });
    assert.match(
      stopsAt?.text ?? "",
      /^the policy of chain INPUT .* drops neighbor solicitations on eth1 and eth2, and .*; 'ipvsadm doctor' prints the fix$/,
    );
  });
});
