import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { traceClient } from "../../../../src/doctor/director/client/trace.js";
import { narrowWays } from "../../../../src/doctor/director/firewall/narrow-ways.js";
import {
  largePackets,
  tooBigMessages,
} from "../../../../src/doctor/director/firewall/too-big-messages.js";
import type { TraceFacts } from "../../../../src/doctor/director/client/trace-step.js";
import type { Facts } from "../../../../src/doctor/facts.js";
import { parseIptablesSave } from "../../../../src/doctor/firewall/iptables-save.js";
import { parseNftJson } from "../../../../src/doctor/firewall/nft-json.js";
import { INET, INET6 } from "../../../../src/ipvs/address.js";
import {
  BACKUP,
  DIRECT_ROUTING,
  IPIP,
  LOCAL_NODE,
  MASQUERADING,
  TUNNEL_CHECKSUM,
  TUNNEL_GRE,
  TUNNEL_GUE,
  TUNNELING,
  type ServerSettings,
} from "../../../../src/ipvs/model.js";
import { address, serverEntry } from "../../../fixtures/entries.js";
import { connectionTable } from "../../made-up-connections.js";
import { device, network, ownAddress, route } from "../../made-up-network.js";
import { serviceAt, sysctls, told } from "../../made-up.js";

/*
 * A director with clients on eth1 (with the virtual addresses 192.0.2.100 and 2001:db8:1::100), and servers behind eth2.
 */
const server = (text: string, given: Partial<ServerSettings> = {}) =>
  serverEntry(text, 80, { forwarding: TUNNELING, ...given });
const TUNNEL = serviceAt("192.0.2.100", [server("10.0.0.11")]);
const TUNNEL6 = serviceAt("2001:db8:1::100", [server("fd00::11")]);
const WAYS = [
  route("192.0.2.100", "local", 1),
  route("192.0.2.10", "unicast", 1),
  route("10.0.0.11", "unicast", 2),
  route("10.0.0.12", "unicast", 2),
  route("2001:db8:1::100", "local", 1),
  route("fd00::11", "unicast", 2),
];
const PLACES = {
  devices: [device(1), device(2)],
  addresses: [
    ownAddress(1, "192.0.2.1/24"),
    ownAddress(1, "192.0.2.100/32"),
    ownAddress(1, "2001:db8:1::1/64"),
  ],
};
/** Room for the header of the tunnel, and clients that perhaps have as much */
const WIDE = network(WAYS, {
  ...PLACES,
  devices: [device(1, { mtu: 1600 }), device(2, { mtu: 1600 })],
});
const narrow = (mtu: number) =>
  network(WAYS, { ...PLACES, devices: [device(1), device(2, { mtu })] });

function facts(rules: string, given: Partial<Facts> = {}, table = "filter") {
  const services = given.table ?? [TUNNEL];
  const parsed = ([INET, INET6] as const).flatMap((family) =>
    parseIptablesSave(
      `*${table}\n${rules}\nCOMMIT\n`,
      family,
      family === INET ? "iptables" : "ip6tables",
    ),
  );
  return {
    table: services,
    allServices: services,
    daemons: [],
    network: network(WAYS, PLACES),
    connections: connectionTable(),
    sysctls: sysctls({
      "net.ipv4.vs.pmtu_disc": 1,
      "net.ipv4.vs.conntrack": 0,
    }),
    firewall: { tables: parsed, unread: [] },
    ...given,
  };
}

const find = (rules: string, given: Partial<Facts> = {}, table?: string) =>
  tooBigMessages.examine(facts(rules, given, table));
const ids = (...given: Parameters<typeof find>) =>
  find(...given).map(({ id }) => id);

const CHAIN = ":OUTPUT ACCEPT [900:90000]";
const DROP = `${CHAIN}\n[73:42048] -A OUTPUT -p icmp -j DROP`;
const DROP6 = `${CHAIN}\n[7:8960] -A OUTPUT -p ipv6-icmp -j DROP`;
const AT_RISK = ["too-big-message-would-be-blocked"];
const SENT = { sentErrors: { unreachable: 74n, tooBig: 7n } };

suite("tooBigMessages", () => {
  test("tooBigMessages names the rule, the size that fits, the proof and the rule that accepts the message", () => {
    const [finding, ...others] = find(DROP, SENT);
    assert.deepEqual(others, []);
    assert.ok(finding);
    assert.deepEqual(told(finding), [
      "too-big-message-blocked tcp/192.0.2.100:80",
      "iptables -t filter -I OUTPUT -p icmp --icmp-type fragmentation-needed -j ACCEPT",
    ]);
    assert.match(
      finding.fix[0]?.effect ?? "",
      /^accepts ICMP messages fragmentation needed ahead of all other rules of chain OUTPUT;/,
    );
    assert.equal(
      finding.seen,
      'rule 1 of chain OUTPUT (iptables, table filter), "-p icmp -j DROP", 73 packets, drops ICMP messages fragmentation needed to clients',
    );
    assert.deepEqual(finding.evidence, [
      "packets of up to 1480 bytes fit into the tunnel to 10.0.0.11",
      "MTU 1500 of eth2, less 20 for the header of the tunnel; clients come in by eth1 with MTU 1500",
      "the kernel has made 74 messages destination unreachable (IcmpOutDestUnreachs), and the packets that the rule has dropped have 576 bytes on average: about as many as these messages about large packets",
    ]);
  });

  test("tooBigMessages is certain only if the rule matches no other messages", () => {
    const certainty = (rule: string, given = {}) =>
      find(`${CHAIN}\n[73:42048] -A OUTPUT ${rule} -j DROP`, {
        ...SENT,
        ...given,
      })[0]?.certainty;
    const icmp = "-p icmp -m icmp --icmp-type";
    assert.equal(certainty(`${icmp} 3/4`), undefined);
    // Pings and refused datagrams count as well.
    for (const rule of ["-p icmp", `${icmp} 3`, "-s 192.0.2.100/32", ""])
      assert.equal(certainty(rule), "likely", rule);
    const policy = find(":OUTPUT DROP [73:42048]", SENT);
    assert.equal(policy[0]?.certainty, "likely");
    const six = { table: [TUNNEL6] };
    const icmp6 = "-p ipv6-icmp -m icmp6 --icmpv6-type";
    assert.equal(certainty(`${icmp6} 2`, six), undefined);
    assert.equal(certainty("-p ipv6-icmp", six), "likely");
  });

  test("tooBigMessages is a warning without proof by the counters", () => {
    assert.deepEqual(ids(DROP), AT_RISK);
    const none = { sentErrors: { unreachable: 0n, tooBig: 0n } };
    assert.deepEqual(ids(DROP, none), AT_RISK);
    // Echo replies and refused datagrams
    const small = `${CHAIN}\n[73:6132] -A OUTPUT -p icmp -j DROP`;
    assert.deepEqual(ids(small, SENT), AT_RISK);
    const unused = `${CHAIN}\n[0:0] -A OUTPUT -p icmp -j DROP`;
    assert.deepEqual(ids(unused, SENT), AT_RISK);
  });

  test("tooBigMessages finds the message of IPv6, also with pmtu_disc 0", () => {
    const off = sysctls({ "net.ipv4.vs.pmtu_disc": 0 });
    const given = { table: [TUNNEL6], sysctls: off };
    const [finding] = find(DROP6, { ...given, ...SENT });
    assert.ok(finding);
    assert.deepEqual(told(finding), [
      "too-big-message-blocked tcp/[2001:db8:1::100]:80",
      "ip6tables -t filter -I OUTPUT -p icmpv6 --icmpv6-type packet-too-big -j ACCEPT",
    ]);
    assert.match(
      finding.evidence?.join("\n") ?? "",
      /^packets of up to 1460 bytes fit .*\n.*\nthe kernel has made 7 of these messages \(Icmp6OutType2\)$/,
    );
    const none = { sentErrors: { unreachable: 9n, tooBig: 0n } };
    assert.deepEqual(ids(DROP6, { ...given, ...none }), AT_RISK);
  });

  test("tooBigMessages finds nothing if a rule accepts the message first", () => {
    for (const accept of [
      "-p icmp -m icmp --icmp-type 3/4 -j ACCEPT",
      "-p icmp -m icmp --icmp-type 3 -j ACCEPT",
      "-s 192.0.2.100/32 -j ACCEPT",
      "-o eth1 -j ACCEPT",
      "-m conntrack --ctstate UNTRACKED -j ACCEPT",
      // A limit perhaps accepts it
      "-p icmp -m limit --limit 10/sec -j ACCEPT",
    ])
      assert.deepEqual(
        find(`${CHAIN}\n[9:9] -A OUTPUT ${accept}\n${DROP.split("\n")[1]}`),
        [],
        accept,
      );
  });

  test("tooBigMessages finds the rule behind others that do not accept the message", () => {
    for (const accept of [
      "-p icmp -m icmp --icmp-type 3/3 -j ACCEPT",
      "-p icmp -m icmp --icmp-type 0 -j ACCEPT",
      "-s 192.0.2.1/32 -j ACCEPT",
      "-o eth2 -j ACCEPT",
      // IPVS takes the messages of tunnels out of connection tracking.
      "-m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    ])
      assert.deepEqual(
        ids(`${CHAIN}\n[9:9] -A OUTPUT ${accept}\n${DROP.split("\n")[1]}`),
        AT_RISK,
        accept,
      );
  });

  test("tooBigMessages knows what connection tracking calls the message", () => {
    const related = `:OUTPUT DROP [8:4608]\n[9:9] -A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT`;
    const [finding] = find(related, SENT);
    assert.equal(finding?.id, "too-big-message-blocked");
    assert.match(
      finding.evidence?.at(-1) ?? "",
      /conntrack is 0, .* untracked/,
    );
    const on = sysctls({ "net.ipv4.vs.conntrack": 1 });
    assert.deepEqual(find(related, { ...SENT, sysctls: on }), []);
    // IPVS does not recognize the messages of masqueraded servers.
    const nat = serviceAt("192.0.2.100", [
      server("10.0.0.11", { forwarding: MASQUERADING }),
    ]);
    const given = { table: [nat], network: narrow(1400) };
    assert.deepEqual(find(related, given), []);
    assert.deepEqual(ids(DROP, given), AT_RISK);
    // Before IPVS, the message of a tunnel is still related.
    assert.deepEqual(find(related, SENT, "mangle"), []);
  });

  test("tooBigMessages walks raw, mangle and POSTROUTING, and the rules of nft", () => {
    for (const [table, chain] of [
      ["raw", "OUTPUT"],
      ["mangle", "OUTPUT"],
      ["mangle", "POSTROUTING"],
    ] as const)
      assert.deepEqual(
        find(
          `:${chain} ACCEPT [0:0]\n[73:42048] -A ${chain} -p icmp -m icmp --icmp-type 3/4 -j DROP`,
          SENT,
          table,
        ).map(told),
        [
          [
            "too-big-message-blocked tcp/192.0.2.100:80",
            `iptables -t ${table} -I ${chain} -p icmp --icmp-type fragmentation-needed -j ACCEPT`,
          ],
        ],
      );
    assert.deepEqual(
      find("", { ...SENT, firewall: nft("host-unreachable") }),
      [],
    );
    assert.deepEqual(
      find("", { ...SENT, firewall: nft("frag-needed") }).map(told),
      [
        [
          "too-big-message-blocked tcp/192.0.2.100:80",
          "nft insert rule inet guard out icmp type 3 icmp code 4 accept",
        ],
      ],
    );
  });

  test("tooBigMessages finds nothing if all packets fit, are fragmented, or do not leave", () => {
    const of = (given: Partial<ServerSettings>) => ({
      table: [serviceAt("192.0.2.100", [server("10.0.0.11", given)])],
    });
    assert.deepEqual(find(DROP, of({ forwarding: DIRECT_ROUTING })), []);
    assert.deepEqual(find(DROP, of({ forwarding: MASQUERADING })), []);
    assert.deepEqual(find(DROP, of({ forwarding: LOCAL_NODE })), []);
    assert.deepEqual(find(DROP, of({ weight: 0 })), []);
    assert.deepEqual(find(DROP, { network: narrow(1520) }), []);
    const off = sysctls({ "net.ipv4.vs.pmtu_disc": 0 });
    assert.deepEqual(find(DROP, { sysctls: off }), []);
    const daemons = [
      { state: BACKUP, multicastInterface: "eth1", syncId: 1 } as const,
    ];
    assert.deepEqual(find(DROP, { daemons }), []);
  });
});

/** A table of nft that drops ICMP destination unreachable with a code. */
function nft(code: string) {
  const match = (field: string, right: string) => ({
    match: { op: "==", left: { payload: { protocol: "icmp", field } }, right },
  });
  const chain = { family: "inet", table: "guard" };
  const nftables = [
    { table: { family: "inet", name: "guard" } },
    {
      chain: {
        ...chain,
        name: "out",
        type: "filter",
        hook: "output",
        prio: 0,
        policy: "accept",
      },
    },
    {
      rule: {
        ...chain,
        chain: "out",
        expr: [
          match("type", "destination-unreachable"),
          match("code", code),
          { counter: { packets: 4, bytes: 2304 } },
          { drop: null },
        ],
      },
    },
  ];
  return { ...parseNftJson(JSON.stringify({ nftables })), unread: [] };
}

suite("narrowWays()", () => {
  const settings = sysctls({ "net.ipv4.vs.pmtu_disc": 1 });
  const around = network(WAYS, PLACES);
  const fits = (given: Partial<ServerSettings>, place = around) =>
    narrowWays(serviceAt("192.0.2.100", [server("10.0.0.11", given)]), {
      network: place,
      sysctls: settings,
    }).map((way) => way.fits);

  test("narrowWays() subtracts the header of each type of tunnel", () => {
    assert.deepEqual(fits({ tunnel: IPIP }), [1480]);
    const gue = { type: TUNNEL_GUE, port: 6080, flags: 0 };
    assert.deepEqual(fits({ tunnel: gue }), [1468]);
    const gre = { type: TUNNEL_GRE, port: 0, flags: 0 };
    assert.deepEqual(fits({ tunnel: gre }), [1476]);
    const summed = { ...gre, flags: TUNNEL_CHECKSUM };
    assert.deepEqual(fits({ tunnel: summed }), [1472]);
  });

  test("narrowWays() goes by the MTU of the route, and compares it with that of the clients' interface", () => {
    const learned = network(
      [
        route("192.0.2.100", "local", 1),
        route("10.0.0.11", "unicast", 2, undefined, { mtu: 1400 }),
      ],
      PLACES,
    );
    assert.deepEqual(fits({}, learned), [1380]);
    assert.deepEqual(fits({ forwarding: DIRECT_ROUTING }, learned), [1400]);
    const jumbo = network(WAYS, {
      ...PLACES,
      devices: [device(1, { mtu: 9000 }), device(2)],
    });
    assert.deepEqual(fits({ forwarding: MASQUERADING }, jumbo), [1500]);
  });
});

suite("largePackets()", () => {
  test("largePackets() tells which sizes fit, and which rule perhaps drops the message", () => {
    const two = serviceAt("192.0.2.100", [
      server("10.0.0.11"),
      server("10.0.0.12"),
    ]);
    assert.deepEqual(largePackets(facts(CHAIN, { table: [two, TUNNEL6] })), [
      "whether firewalls between this machine and clients let ICMP messages fragmentation needed pass (packets of up to 1480 bytes fit into the tunnel to 10.0.0.11, the tunnel to 10.0.0.12)",
      "whether firewalls between this machine and clients let ICMPv6 messages packet too big pass (packets of up to 1460 bytes fit into the tunnel to fd00::11)",
    ]);
    const limited = `${CHAIN}\n[9:9] -A OUTPUT -p icmp -m limit --limit 10/sec -j ACCEPT\n[5:90] -A OUTPUT -p icmp -j DROP`;
    assert.match(
      largePackets(facts(limited))[0] ?? "",
      /^rule 2 of chain OUTPUT .*, 5 packets, perhaps drops ICMP messages fragmentation needed to clients$/,
    );
    assert.deepEqual(largePackets(facts(CHAIN, { network: narrow(1520) })), []);
    // The usual packets of clients fit, so no message is sent.
    assert.deepEqual(largePackets(facts(CHAIN, { network: WIDE })), []);
  });
});

suite("traceClient()", () => {
  const steps = (rules: string, given: Partial<Facts> = {}) =>
    traceClient(facts(rules, given) as TraceFacts, {
      client: address("192.0.2.10"),
      seconds: 1,
      connections: [],
      after: [TUNNEL],
      heard: [],
    })
      .steps.filter(({ step }) => step === "firewall" || step === "size")
      .map(({ step, state, text }) => `${step} ${state}: ${text}`);

  test("traceClient() tells up to which size packets fit into a tunnel", () => {
    assert.deepEqual(steps(CHAIN), [
      "firewall ok: no rule on the director stops its packets",
      "size ok: packets of up to 1480 bytes fit into the tunnel to 10.0.0.11; for larger ones the director sends the client ICMP messages fragmentation needed",
    ]);
    assert.deepEqual(steps(CHAIN, { network: narrow(1520) }), [
      "firewall ok: no rule on the director stops its packets",
    ]);
  });

  test("traceClient() speaks of no message if the usual packets of clients fit, and says what is not checked", () => {
    const given = { network: WIDE };
    assert.deepEqual(steps(CHAIN, given), [
      "firewall ok: no rule on the director stops its packets",
      "size ok: packets of up to 1580 bytes fit into the tunnel to 10.0.0.11, so those of a client with the usual MTU of 1500 fit",
    ]);
    const { notChecked } = traceClient(facts(CHAIN, given) as TraceFacts, {
      client: address("192.0.2.10"),
      seconds: 1,
      connections: [],
      after: [TUNNEL],
      heard: [],
    });
    assert.deepEqual(notChecked, [
      "whether the network carries packets of 1600 bytes to 10.0.0.11 (ipvsadm doctor --probe tries it)",
    ]);
  });

  test("traceClient() names the rule that hides it from the client", () => {
    assert.deepEqual(steps(DROP), [
      "firewall unknown: rule 1 of chain OUTPUT (iptables, table filter), \"-p icmp -j DROP\", 73 packets, drops ICMP messages fragmentation needed: of the client's packets, up to 1480 bytes fit into the tunnel to 10.0.0.11, and the client does not learn that larger ones are dropped; 'ipvsadm doctor' prints the fix",
    ]);
    // A rule for another client
    assert.equal(
      steps(`${CHAIN}\n[3:1728] -A OUTPUT -d 192.0.2.77/32 -p icmp -j DROP`)[0],
      "firewall ok: no rule on the director stops its packets",
    );
  });
});
