import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { PLAIN } from "../../../../src/cli/color.js";
import { traceText } from "../../../../src/commands/doctor/client.js";
import { traceClient } from "../../../../src/doctor/director/client/trace.js";
import { directorFirewall } from "../../../../src/doctor/director/firewall/stopped-traffic.js";
import type { TraceFacts } from "../../../../src/doctor/director/client/trace-step.js";
import { parseIptablesSave } from "../../../../src/doctor/firewall/iptables-save.js";
import { parseNftJson } from "../../../../src/doctor/firewall/nft-json.js";
import type { Table } from "../../../../src/doctor/firewall/ruleset.js";
import { INET } from "../../../../src/ipvs/address.js";
import {
  DIRECT_ROUTING,
  MASQUERADING,
  TUNNELING,
} from "../../../../src/ipvs/model.js";
import { address, serverEntry } from "../../../fixtures/entries.js";
import { connectionTable } from "../../made-up-connections.js";
import { device, network, ownAddress, route } from "../../made-up-network.js";
import { serviceAt, sysctls } from "../../made-up.js";

/** A director between clients on eth1, with the virtual address 192.0.2.1, and servers on eth2. */
const NETWORK = network(
  [
    route("192.0.2.1", "local", 1),
    route("192.0.2.77", "unicast", 1),
    route("10.0.0.11", "unicast", 2),
    route("10.0.0.12", "unicast", 2),
  ],
  {
    devices: [device(1), device(2)],
    addresses: [
      ownAddress(1, "192.0.2.2/24"),
      ownAddress(1, "192.0.2.1/32"),
      ownAddress(2, "10.0.0.1/24"),
    ],
  },
);

interface Given {
  readonly methods?: readonly number[];
  readonly conntrack?: 0 | 1;
  readonly loose?: 0 | 1;
}

function factsWith(
  tables: readonly Table[],
  { methods = [DIRECT_ROUTING], conntrack = 0, loose = 1 }: Given = {},
): TraceFacts {
  const servers = methods.map((forwarding, at) =>
    serverEntry(`10.0.0.1${at + 1}`, 80, { forwarding }),
  );
  const table = [serviceAt("192.0.2.1", servers)];
  return {
    table,
    allServices: table,
    daemons: [],
    network: NETWORK,
    stations: { nextHops: new Map(), strangers: [] },
    connections: connectionTable([]),
    timeouts: { tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 },
    sysctls: sysctls({
      "net.ipv4.vs.conntrack": conntrack,
      "net.netfilter.nf_conntrack_tcp_loose": loose,
    }),
    firewall: { tables, unread: [] },
  } as unknown as TraceFacts;
}

/** Rules of the table filter as iptables-save prints them. */
function filter(...lines: readonly string[]): Table[] {
  const text = `*filter\n${lines.join("\n")}\nCOMMIT\n`;
  return parseIptablesSave(text, INET, "iptables");
}

const STRICT_RULES = [
  "[9:540] -A INPUT -i lo -j ACCEPT",
  "[9:540] -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
  "[20:1040] -A INPUT -m conntrack --ctstate INVALID -j DROP",
  "[28:1456] -A INPUT -p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate NEW -j DROP",
  "[9:540] -A INPUT -p tcp -m multiport --dports 22,80 -j ACCEPT",
];
/** Rules that let in what connection tracking knows, and new connections */
const STRICT = filter(":INPUT DROP [0:0]", ...STRICT_RULES);
const INVALID =
  'rule 3 of chain INPUT (iptables, table filter), "-m conntrack --ctstate INVALID -j DROP", 20 packets, drops requests to tcp/192.0.2.1:80';
const NO_SYN =
  'rule 4 of chain INPUT (iptables, table filter), "-p tcp -m tcp ! --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate NEW -j DROP", 28 packets, drops requests to tcp/192.0.2.1:80';

function find(tables: readonly Table[], given?: Given) {
  return directorFirewall.examine(factsWith(tables, given));
}

suite("directorFirewall and connection tracking", () => {
  test("directorFirewall names all rules of a chain that stop direct routing after the SYN", () => {
    const [finding, ...others] = find(STRICT);
    assert.deepEqual(others, []);
    assert.equal(
      finding?.seen,
      `${INVALID} (FIN); ${NO_SYN} (packets after the SYN)`,
    );
    assert.match(
      finding.evidence?.join("\n") ?? "",
      /^net\.ipv4\.vs\.conntrack is 0, .*; 1 does not help here: the answers do not pass the director/,
    );
  });

  test("directorFirewall calls packets after the SYN invalid with conntrack and direct routing or tunneling", () => {
    for (const method of [DIRECT_ROUTING, TUNNELING]) {
      const given = { methods: [method], conntrack: 1 } as const;
      const [finding, ...others] = find(STRICT, given);
      assert.deepEqual(others, []);
      assert.equal(finding?.seen, `${INVALID} (packets after the SYN)`);
      assert.deepEqual(finding.evidence, [
        "the answers do not pass the director, so connection tracking calls the packets after the SYN invalid; net.ipv4.vs.conntrack does not help here",
      ]);
    }
  });

  test("directorFirewall finds the rule for one server with direct routing among masqueraded ones", () => {
    const masqueraded = [MASQUERADING, MASQUERADING];
    assert.deepEqual(find(STRICT, { methods: masqueraded, conntrack: 1 }), []);
    const mixed = [MASQUERADING, DIRECT_ROUTING];
    const [finding] = find(STRICT, { methods: mixed, conntrack: 1 });
    assert.match(finding?.seen ?? "", /^rule 3 of chain INPUT/);
  });

  test("directorFirewall finds the policy if only rules by state accept the packets after the SYN", () => {
    const rules = filter(
      ":INPUT DROP [28:1456]",
      "[9:540] -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "[9:540] -A INPUT -p tcp -m tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT",
    );
    assert.deepEqual(find(rules), [], "with 0 each packet is a new one");
    const [strict] = find(rules, { loose: 0 });
    assert.match(
      strict?.seen ?? "",
      /^the policy .*\(packets after the SYN\)$/,
    );
    const [finding] = find(rules, { conntrack: 1 });
    assert.equal(
      finding?.seen,
      "the policy of chain INPUT (iptables, table filter), 28 packets, drops requests to tcp/192.0.2.1:80 (packets after the SYN)",
    );
    assert.equal(
      finding.fix[0]?.command,
      "iptables -t filter -A INPUT -d 192.0.2.1/32 -p tcp --dport 80 --tcp-flags SYN,ACK ACK -j ACCEPT",
    );
  });

  test("directorFirewall finds rules in PREROUTING and in INPUT that stop the packets after the SYN", () => {
    const text =
      "*mangle\n:PREROUTING ACCEPT [0:0]\n[56:2912] -A PREROUTING -m conntrack --ctstate INVALID -j DROP\nCOMMIT\n";
    const mangle = parseIptablesSave(text, INET, "iptables");
    const found = find([...mangle, ...STRICT], { conntrack: 1 });
    assert.deepEqual(
      found.flatMap(({ fix }) => fix.map(({ command }) => command)),
      [
        "iptables -t mangle -I PREROUTING 1 -d 192.0.2.1/32 -p tcp --dport 80 --tcp-flags SYN,ACK ACK -j ACCEPT",
        "iptables -t filter -I INPUT 3 -d 192.0.2.1/32 -p tcp --dport 80 --tcp-flags SYN,ACK ACK -j ACCEPT",
      ],
    );
  });

  test("directorFirewall says nothing about a rule that only stops FIN", () => {
    const rules = filter(":INPUT ACCEPT [0:0]", STRICT_RULES[2] ?? "");
    assert.deepEqual(find(rules), []);
  });

  test("directorFirewall judges the packets after the SYN in OUTPUT", () => {
    const rules = filter(
      ":OUTPUT ACCEPT [0:0]",
      "[28:1456] -A OUTPUT -m conntrack --ctstate INVALID -j DROP",
    );
    assert.deepEqual(find(rules), [], "IPVS takes them out of tracking");
    const [finding] = find(rules, { conntrack: 1 });
    assert.match(
      finding?.seen ?? "",
      /^rule 1 of chain OUTPUT .* drops requests to real server 10\.0\.0\.11:80 \(packets after the SYN\)$/,
    );
    assert.deepEqual(
      find(rules, { conntrack: 1, methods: [MASQUERADING] }),
      [],
    );
  });

  test("directorFirewall mentions net.ipv4.vs.conntrack only if a rule by state takes part", () => {
    const docker =
      "[0:0] -A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT";
    const [finding] = find(filter(":FORWARD DROP [9:540]", docker), {
      methods: [MASQUERADING],
    });
    assert.deepEqual(finding?.evidence, []);
    assert.doesNotMatch(finding.why ?? "", /tracking|state/);
    const all = docker.replace("-o docker0 ", "");
    const [byState] = find(filter(":FORWARD DROP [9:540]", all), {
      methods: [MASQUERADING],
    });
    assert.deepEqual(byState?.evidence, [
      "net.ipv4.vs.conntrack is 0, so connection tracking calls packets of IPVS new, invalid or untracked, and never established",
    ]);
    assert.match(byState.why ?? "", /^Answers .* rules by state /);
  });

  test("traceClient() stops at a rule for packets after the SYN", () => {
    const trace = traceClient(factsWith(STRICT, { conntrack: 1 }), {
      client: address("192.0.2.77"),
      seconds: 5,
      connections: [],
      after: [],
      heard: [],
    });
    assert.equal(trace.stopsAt?.step, "firewall");
    assert.equal(trace.stopsAt.text, `${INVALID} (packets after the SYN)`);
    assert.doesNotMatch(
      traceText(trace, { paint: PLAIN, width: undefined }),
      /no rule on the director/,
    );
  });
});

suite("directorFirewall accepts what is stopped", () => {
  const commandsOf = (tables: readonly Table[], given?: Given) =>
    find(tables, given).flatMap(({ fix }) => fix.map(({ command }) => command));

  test("directorFirewall accepts packets with ACK and without SYN ahead of the first rule that stops them", () => {
    const [finding] = find(STRICT);
    assert.deepEqual(finding?.fix, [
      {
        command:
          "iptables -t filter -I INPUT 3 -d 192.0.2.1/32 -p tcp --dport 80 --tcp-flags SYN,ACK ACK -j ACCEPT",
        effect:
          'accepts the packets of requests to tcp/192.0.2.1:80 with ACK and without SYN, ahead of rule 3 of chain INPUT; other packets, such as SYN and scans with FIN alone, meet the existing rules; an ACK that belongs to no connection gets in, too, and this machine answers it with a reset; "iptables -t filter -A OUTPUT -s 192.0.2.1/32 -p tcp --sport 80 --tcp-flags RST RST -j DROP" drops these resets, also those for clients whose connection has expired; add it to the firewall\'s configuration to keep it',
      },
    ]);
  });

  test("directorFirewall finds nothing after its rule was added", () => {
    const accept =
      "[0:0] -A INPUT -d 192.0.2.1/32 -p tcp -m tcp --dport 80 --tcp-flags SYN,ACK ACK -j ACCEPT";
    const rules = [
      ...STRICT_RULES.slice(0, 2),
      accept,
      ...STRICT_RULES.slice(2),
    ];
    for (const conntrack of [0, 1] as const)
      assert.deepEqual(
        find(filter(":INPUT DROP [0:0]", ...rules), { conntrack }),
        [],
      );
  });

  test("directorFirewall accepts SYN where it is stopped, and the packets after it where they are", () => {
    const rules = filter(":INPUT DROP [7:420]", ...STRICT_RULES.slice(0, 4));
    assert.deepEqual(commandsOf(rules), [
      "iptables -t filter -A INPUT -d 192.0.2.1/32 -p tcp --dport 80 --syn -j ACCEPT",
      "iptables -t filter -I INPUT 3 -d 192.0.2.1/32 -p tcp --dport 80 --tcp-flags SYN,ACK ACK -j ACCEPT",
    ]);
  });

  test("directorFirewall prints the commands of a chain from its end, so that no command moves the place of the next", () => {
    const rules = filter(
      ":INPUT ACCEPT [0:0]",
      "[9:540] -A INPUT -i lo -j ACCEPT",
      "[9:540] -A INPUT -p tcp -m tcp --dport 80 --syn -j DROP",
      "[9:540] -A INPUT -s 203.0.113.0/24 -j DROP",
      STRICT_RULES[2] ?? "",
    );
    const places = commandsOf(rules).map(
      (command) => / -I INPUT (\d) .* (--\S+)/.exec(command)?.[1],
    );
    assert.deepEqual(places, ["4", "2"]);
  });

  test("directorFirewall walks the rules as often with many that it cannot judge as with few", () => {
    const walks = (count: number) => {
      const tables = filter(
        ":INPUT ACCEPT [0:0]",
        "[9:540] -A INPUT -i lo -j ACCEPT",
        ...Array.from(
          { length: count },
          (_, at) => `[9:540] -A INPUT -s 203.0.113.${at + 1}/32 -j DROP`,
        ),
      );
      let reads = 0;
      const rule = tables[0]?.chains.get("INPUT")?.rules[0];
      assert.ok(rule);
      const { steps } = rule;
      Object.defineProperty(rule, "steps", {
        get() {
          reads++;
          return steps;
        },
      });
      find(tables);
      return reads;
    };
    assert.ok(walks(2) > 0);
    assert.equal(walks(100), walks(2));
  });

  test("directorFirewall accepts all packets that one rule stops", () => {
    const rules = filter(
      ":INPUT ACCEPT [0:0]",
      "[9:540] -A INPUT -i lo -j ACCEPT",
      "[9:540] -A INPUT -p tcp -m tcp --dport 80 -j DROP",
    );
    const [finding] = find(rules);
    assert.deepEqual(finding?.fix, [
      {
        command:
          "iptables -t filter -I INPUT 2 -d 192.0.2.1/32 -p tcp --dport 80 -j ACCEPT",
        effect:
          "accepts requests to tcp/192.0.2.1:80, ahead of rule 2 of chain INPUT, whatever their TCP flags; add it to the firewall's configuration to keep it",
      },
    ]);
  });

  test("directorFirewall puts its rule where the packets of all rules still pass", () => {
    const rules = filter(
      ":INPUT ACCEPT [0:0]",
      ":LATER - [0:0]",
      "[9:540] -A INPUT -i lo -j ACCEPT",
      "[9:540] -A INPUT -m conntrack --ctstate INVALID -j LATER",
      STRICT_RULES[3] ?? "",
      "[9:540] -A LATER -p tcp -j DROP",
    );
    assert.deepEqual(commandsOf(rules), [
      "iptables -t filter -I INPUT 2 -d 192.0.2.1/32 -p tcp --dport 80 --tcp-flags SYN,ACK ACK -j ACCEPT",
    ]);
    assert.deepEqual(commandsOf(rules, { conntrack: 1 }), [
      "iptables -t filter -I LATER 1 -d 192.0.2.1/32 -p tcp --dport 80 --tcp-flags SYN,ACK ACK -j ACCEPT",
    ]);
  });

  test("directorFirewall names the interface of tunneled packets, and no flags", () => {
    const rules = filter(
      ":OUTPUT ACCEPT [0:0]",
      "[9:540] -A OUTPUT -p 4 -j DROP",
    );
    const [finding] = find(rules, { methods: [TUNNELING] });
    assert.deepEqual(finding?.fix, [
      {
        command:
          "iptables -t filter -I OUTPUT 1 -o eth2 -d 10.0.0.11/32 -p 4 -j ACCEPT",
        effect:
          "accepts the tunnel's packets to 10.0.0.11 that leave by eth2, ahead of rule 1 of chain OUTPUT; add it to the firewall's configuration to keep it",
      },
    ]);
  });

  test("directorFirewall uses Docker's chain for rules of others", () => {
    const rules = filter(
      ":FORWARD DROP [9:540]",
      ":DOCKER - [0:0]",
      ":DOCKER-USER - [0:0]",
      "[9:540] -A FORWARD -j DOCKER-USER",
      "[0:0] -A FORWARD -o docker0 -j DOCKER",
      "[0:0] -A DOCKER-USER -s 203.0.113.66/32 -j DROP",
      "[9:540] -A DOCKER-USER -j RETURN",
    );
    const [finding] = find(rules, { methods: [MASQUERADING] });
    assert.deepEqual(finding?.evidence, [
      "Docker's chains are there: Docker sets the policy of FORWARD to DROP; it leaves rules in the chain DOCKER-USER alone",
    ]);
    assert.equal(
      finding.fix[0]?.command,
      "iptables -t filter -I DOCKER-USER 2 -i eth2 -o eth1 -s 10.0.0.11/32 -p tcp --sport 80 ! --syn -j ACCEPT",
    );
    assert.match(finding.fix[0].effect ?? "", /over a reboot$/);
  });

  test("directorFirewall inserts rules of nft ahead of a rule by its handle", () => {
    const chain = { family: "inet", table: "filter", name: "input" };
    const hook = { type: "filter", hook: "input", prio: 0, policy: "accept" };
    const state = { ct: { key: "state" } };
    const invalid = { op: "in", left: state, right: "invalid" };
    const { tables } = parseNftJson(
      JSON.stringify({
        nftables: [
          { table: { family: "inet", name: "filter" } },
          { chain: { ...chain, ...hook } },
          {
            rule: {
              family: "inet",
              table: "filter",
              chain: "input",
              handle: 17,
              expr: [{ match: invalid }, { drop: null }],
            },
          },
        ],
      }),
    );
    assert.deepEqual(commandsOf(tables, { conntrack: 1 }), [
      "nft insert rule inet filter input handle 17 'ip daddr 192.0.2.1 tcp dport 80 tcp flags & (syn | ack) == ack' accept",
    ]);
  });
});

suite("directorFirewall and keepalived", () => {
  const IN = "[8:480] -A INPUT -d 192.0.2.1/32 -j DROP";
  const OUT = "[2:120] -A OUTPUT -s 192.0.2.1/32 -j DROP";
  const rules = (...lines: readonly string[]) =>
    filter(":INPUT ACCEPT [0:0]", ":OUTPUT ACCEPT [0:0]", ...lines);
  const KEPT = "add it to the firewall's configuration to keep it";

  test("directorFirewall knows the pair of rules that keepalived sets with vrrp_strict, and where its repair belongs", () => {
    const [finding] = find(rules(IN, OUT));
    assert.deepEqual(finding?.evidence, [
      'rule 1 of chain OUTPUT (iptables, table filter), "-s 192.0.2.1/32 -j DROP", 2 packets, is the other half of it: keepalived sets this pair with vrrp_strict or no_accept, if the vrrp_instance has no "accept"',
    ]);
    const effects = finding.fix.map(({ effect = "" }) => effect);
    assert.equal(effects.length, 1);
    assert.match(effects[0] ?? "", /; in keepalived\.conf put "accept" into /);
    assert.ok(!effects[0]?.includes(KEPT));
  });

  test("directorFirewall does not call other rules keepalived's", () => {
    for (const lines of [
      [IN],
      [IN, OUT.replace("192.0.2.1", "192.0.2.9")],
      [IN, OUT.replace("DROP", "ACCEPT")],
      [IN, OUT.replace("-j", "-p tcp -j")],
      [IN.replace("-j", "-p tcp -j"), OUT],
      [IN.replace("/32", "/24"), OUT.replace("/32", "/24")],
    ]) {
      const [finding] = find(rules(...lines));
      assert.deepEqual(finding?.evidence, [], lines.join("; "));
      assert.ok(finding.fix.every(({ effect }) => effect?.endsWith(KEPT)));
    }
  });

  test("directorFirewall knows keepalived's table of nft", () => {
    const chain = (name: string, hook: string) => ({
      chain: {
        ...{ family: "ip", table: "keepalived", name, hook },
        ...{ type: "filter", prio: -1, policy: "accept" },
      },
    });
    const rule = (name: string, field: string, handle: number) => ({
      rule: {
        ...{ family: "ip", table: "keepalived", chain: name, handle },
        expr: [
          {
            match: {
              op: "==",
              left: { payload: { protocol: "ip", field } },
              right: "@vips",
            },
          },
          { drop: null },
        ],
      },
    });
    const { tables } = parseNftJson(
      JSON.stringify({
        nftables: [
          { table: { family: "ip", name: "keepalived" } },
          {
            set: {
              ...{ family: "ip", table: "keepalived", name: "vips" },
              ...{ type: "ipv4_addr", elem: ["192.0.2.1"] },
            },
          },
          chain("out", "output"),
          chain("in", "input"),
          rule("out", "saddr", 4),
          rule("in", "daddr", 5),
        ],
      }),
    );
    const [finding] = find(tables);
    assert.match(
      finding?.evidence?.join("\n") ?? "",
      /^rule 1 of chain out \(nft, table ip keepalived\), .*keepalived sets this pair/,
    );
    assert.match(
      finding?.fix[0]?.command ?? "",
      /^nft insert rule ip keepalived in handle 5 /,
    );
  });
});
