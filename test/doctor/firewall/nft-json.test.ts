import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { suite, test } from "node:test";
import { parseNftJson } from "../../../src/doctor/firewall/nft-json.js";
import type { Packet } from "../../../src/doctor/firewall/packet.js";
import type { Rule } from "../../../src/doctor/firewall/ruleset.js";
import { walk } from "../../../src/doctor/firewall/walk.js";
import { INET, INET6 } from "../../../src/ipvs/address.js";
import { address } from "../../fixtures/entries.js";

/*
 * nft 1.0.6 printed this on Linux 6.1 for a table of the family bridge, the only one that the kernel at hand has. The
 * family was changed to inet; rules are written in the same way in both.
 */
const { tables } = parseNftJson(
  readFileSync("test/doctor/firewall/nft-ruleset.json", "utf8"),
);
const input = tables[0]?.chains.get("input");

const PACKET: Packet = {
  family: INET,
  incoming: "eth7",
  outgoing: undefined,
  source: address("203.0.113.5"),
  destination: address("192.0.2.100"),
  protocol: 6,
  sourcePort: 40000,
  destinationPort: 7777,
  tcpFlags: 2,
  states: ["untracked"],
  mark: 0,
  destinationIsLocal: true,
};

/** Walks a packet through one rule, behind which everything is accepted. */
function through(rule: Rule, packet: Packet): string {
  const table = tables[0];
  assert.ok(table && input?.base);
  const base = { ...input.base, policy: "accept" as const };
  const chains = new Map(table.chains).set("input", {
    name: "input",
    base,
    rules: [rule, REFUSAL],
  });
  const ruleset = { tables: [{ ...table, chains }] };
  const { stops } = walk(ruleset, "input", packet);
  if (stops.length === 0) return "accept";
  if (stops[0]?.rule === REFUSAL)
    return stops[0].certain ? "continue" : "perhaps accept";
  return `${stops[0]?.certain === true ? "" : "perhaps "}drop`;
}

const REFUSAL: Rule = {
  text: "drop",
  packets: undefined,
  steps: [{ then: { does: "drop" } }],
};

/** The rule of the recorded chain with this text. */
function ruleCalled(text: string): Rule {
  const rule = input?.rules.find((one) => one.text === text);
  assert.ok(
    rule,
    `${text} is not among\n${(input?.rules ?? []).map((one) => one.text).join("\n")}`,
  );
  return rule;
}

/** A rule, and what becomes of packets that differ from PACKET. */
const CASES: readonly [string, Partial<Packet>, string][] = [
  [
    "ct state established,related accept",
    { states: ["established"] },
    "accept",
  ],
  ["ct state established,related accept", { states: ["new"] }, "continue"],
  ["ct state new accept", { states: ["new"] }, "accept"],
  ["ct state new accept", { states: ["new", "invalid"] }, "perhaps accept"],
  [
    "ct state vmap { invalid : drop, established : accept, related : accept }",
    { states: ["invalid"] },
    "drop",
  ],
  [
    "ct state vmap { invalid : drop, established : accept, related : accept }",
    { states: ["related"] },
    "accept",
  ],
  [
    "ct state vmap { invalid : drop, established : accept, related : accept }",
    { states: ["new"] },
    "continue",
  ],
  ["iifname lo accept", { incoming: "lo" }, "accept"],
  ["iifname lo accept", {}, "continue"],
  ["iifname lo accept", { incoming: undefined }, "perhaps accept"],
  [
    "ip saddr @allowed tcp dport { 22, 80, 8000-8080 } accept",
    { source: address("10.0.0.77"), destinationPort: 8001 },
    "accept",
  ],
  [
    "ip saddr @allowed tcp dport { 22, 80, 8000-8080 } accept",
    { source: address("192.0.2.9"), destinationPort: 80 },
    "accept",
  ],
  [
    "ip saddr @allowed tcp dport { 22, 80, 8000-8080 } accept",
    { source: address("192.0.2.10"), destinationPort: 80 },
    "continue",
  ],
  [
    "ip saddr @allowed tcp dport { 22, 80, 8000-8080 } accept",
    { source: address("198.51.100.7"), destinationPort: 81 },
    "continue",
  ],
  ['tcp dport 443 drop comment "no https"', { destinationPort: 443 }, "drop"],
  [
    'tcp dport 443 drop comment "no https"',
    { destinationPort: 443, protocol: 17 },
    "continue",
  ],
  ["udp dport 53 drop", { destinationPort: 53 }, "continue"],
  ["udp dport 53 drop", { destinationPort: 53, protocol: 17 }, "drop"],
  [
    "meta l4proto { tcp, udp } th dport 53 drop",
    { destinationPort: 53 },
    "drop",
  ],
  [
    "ip6 saddr 2001:db8::/32 tcp dport 80 accept",
    { destinationPort: 80 },
    "continue",
  ],
  [
    "ip6 saddr 2001:db8::/32 tcp dport 80 accept",
    { family: INET6, source: address("2001:db8::9"), destinationPort: 80 },
    "accept",
  ],
  ["iifname { eth0, eth2 } jump sub", { incoming: "eth2" }, "continue"],
  [
    "iifname { eth0, eth2 } jump sub",
    { incoming: "eth2", destination: address("10.0.0.1") },
    "drop",
  ],
  [
    "iifname eth1* jump sub",
    { incoming: "eth10", destination: address("10.0.0.1") },
    "drop",
  ],
  ["meta mark 7 accept", { mark: 7 }, "accept"],
  ["meta mark 7 accept", {}, "continue"],
  ["meta mark & 255 7 accept", { mark: 0x107 }, "accept"],
  ["tcp flags & fin,syn,rst,ack syn drop", {}, "drop"],
  ["tcp flags & fin,syn,rst,ack syn drop", { tcpFlags: 0x12 }, "continue"],
  ["tcp flags syn accept", { tcpFlags: 0x12 }, "accept"],
  ["tcp flags syn accept", { tcpFlags: 0x10 }, "continue"],
  ["limit rate 10/second accept", {}, "perhaps accept"],
  ["ip protocol icmp icmp type echo-request accept", {}, "continue"],
  [
    "ip protocol icmp icmp type echo-request accept",
    { protocol: 1 },
    "perhaps accept",
  ],
  [
    "ip protocol icmp icmp type echo-request accept",
    { protocol: 1, icmpType: 8 },
    "accept",
  ],
  [
    "ip protocol icmp icmp type echo-request accept",
    { protocol: 1, icmpType: 0 },
    "continue",
  ],
  ["icmpv6 type nd-neighbor-solicit accept", {}, "continue"],
  [
    "icmpv6 type nd-neighbor-solicit accept",
    { family: INET6, protocol: 58, icmpType: 135 },
    "accept",
  ],
  [
    "icmpv6 type nd-neighbor-solicit accept",
    { family: INET6, protocol: 58, icmpType: 136 },
    "continue",
  ],
  [
    "ip saddr { 1.2.3.4, 10.0.0.0/8 } tcp sport 1024-65535 goto sub",
    { source: address("10.9.9.9"), destination: address("10.0.0.1") },
    "drop",
  ],
  [
    "ip daddr . tcp dport vmap { 10.0.0.1 . 80 : accept }",
    { destination: address("10.0.0.1"), destinationPort: 80 },
    "accept",
  ],
  [
    "ip daddr . tcp dport vmap { 10.0.0.1 . 80 : accept }",
    { destination: address("10.0.0.1"), destinationPort: 81 },
    "continue",
  ],
  [
    "ip daddr . tcp dport { 10.0.0.1 . 80, 10.0.0.2 . 443 } accept",
    { destination: address("10.0.0.2"), destinationPort: 443 },
    "accept",
  ],
  [
    "tcp dport vmap { 80 : jump sub, 443 : drop }",
    { destinationPort: 443 },
    "drop",
  ],
  ["tcp dport vmap @verdicts", { destinationPort: 22 }, "accept"],
  ["tcp dport vmap @verdicts", { destinationPort: 23 }, "drop"],
  ["tcp dport vmap @verdicts", {}, "continue"],
  ["tcp dport != 22 log drop", {}, "drop"],
  ["tcp dport != 22 log drop", { destinationPort: 22 }, "continue"],
  ["tcp dport != { 22, 80 } drop", { destinationPort: 80 }, "continue"],
  // nft lists no test of the protocol or the family besides that of the field.
  ["tcp dport != 22 log drop", { protocol: 17 }, "continue"],
  ["tcp dport != { 22, 80 } drop", { protocol: 17 }, "continue"],
  [
    "ip6 saddr 2001:db8::/32 tcp dport 80 accept",
    { source: undefined, destinationPort: 80 },
    "continue",
  ],
  ["iif lo accept", { incoming: "lo" }, "accept"],
  ["meta l4proto ipip drop", { protocol: 4 }, "drop"],
  ["ip protocol gre drop", { protocol: 47 }, "drop"],
  ["queue", {}, "perhaps drop"],
];

suite("parseNftJson()", () => {
  for (const [text, difference, expected] of CASES)
    test(`parseNftJson() and walk(): "${text}" means ${expected} for a packet with ${JSON.stringify(difference)}`, () => {
      const packet = { ...PACKET, ...difference };
      assert.equal(through(ruleCalled(text), packet), expected);
    });

  test("parseNftJson() gives base chains their hook, priority and policy", () => {
    assert.deepEqual(input?.base, {
      hook: "input",
      priority: 0,
      nat: false,
      policy: "drop",
      policyPackets: undefined,
    });
    assert.equal(tables[0]?.chains.get("sub")?.base, undefined);
  });

  test("parseNftJson() gives rules their counters, and none to rules without", () => {
    assert.equal(
      ruleCalled("ip saddr @allowed tcp dport { 22, 80, 8000-8080 } accept")
        .packets,
      7n,
    );
    assert.equal(ruleCalled("iifname lo accept").packets, undefined);
  });

  test("meta mark set changes the mark, and a mark from conntrack is unknown", () => {
    const ruleset = (at: number) => {
      const table = tables[0];
      const pre = table?.chains.get("pre");
      assert.ok(table && pre);
      const rules = pre.rules.slice(at, at + 1);
      return {
        tables: [{ ...table, chains: new Map([["pre", { ...pre, rules }]]) }],
      };
    };
    const mark = (at: number, packet: Packet) =>
      walk(ruleset(at), "prerouting", packet).packet.mark;
    const web = { ...PACKET, destinationPort: 80 };
    assert.equal(mark(0, web), 7);
    assert.equal(mark(0, PACKET), 0);
    const other = { ...web, destination: address("192.0.2.101"), mark: 1 };
    assert.equal(mark(1, other), 9);
    assert.equal(mark(2, web), undefined);
    const untracked = walk(ruleset(5), "prerouting", {
      ...web,
      states: ["new"],
    });
    assert.deepEqual(untracked.packet.states, ["untracked"]);
  });

  test("parseNftJson() names families that it does not follow", () => {
    const text = JSON.stringify({
      nftables: [
        { table: { family: "bridge", name: "b" } },
        { table: { family: "arp", name: "a" } },
        { table: { family: "ip", name: "off", flags: ["dormant"] } },
      ],
    });
    const { tables, otherFamilies } = parseNftJson(text);
    assert.deepEqual(otherFamilies, ["bridge"]);
    assert.deepEqual(tables, []);
  });

  test("parseNftJson() throws if the text is not what nft prints", () => {
    assert.throws(() => parseNftJson("x"), SyntaxError);
    assert.throws(() => parseNftJson("{}"), SyntaxError);
  });

  test("a rule that adds connections to a flow table does nothing to a packet", () => {
    const where = { family: "inet", table: "f" };
    const text = JSON.stringify({
      nftables: [
        { table: { family: "inet", name: "f" } },
        {
          chain: {
            ...where,
            name: "fwd",
            type: "filter",
            hook: "forward",
            prio: 0,
            policy: "drop",
          },
        },
        {
          rule: {
            ...where,
            chain: "fwd",
            expr: [{ flow: { op: "add", flowtable: "@offload" } }],
          },
        },
      ],
    });
    const { stops } = walk(parseNftJson(text), "forward", PACKET);
    assert.deepEqual(
      stops.map(({ rule, certain }) => [rule, certain]),
      [[undefined, true]],
    );
  });

  test("nat rules redirect and translate", () => {
    const chain = (name: string, hook: string, prio: number) => ({
      chain: {
        family: "ip",
        table: "nat",
        name,
        type: "nat",
        hook,
        prio,
        policy: "accept",
      },
    });
    const rule = (chainName: string, ...expr: object[]) => ({
      rule: { family: "ip", table: "nat", chain: chainName, expr },
    });
    const text = JSON.stringify({
      nftables: [
        { table: { family: "ip", name: "nat" } },
        chain("pre", "prerouting", -100),
        chain("post", "postrouting", 100),
        rule("pre", { dnat: { addr: "10.0.0.5", port: 8080 } }),
        rule("post", { masquerade: null }),
      ],
    });
    const ruleset = parseNftJson(text);
    const packet: Packet = { ...PACKET, states: ["new"] };
    assert.equal(
      walk(ruleset, "prerouting", packet).stops[0]?.to,
      "10.0.0.5:8080",
    );
    assert.equal(walk(ruleset, "postrouting", packet).translations.length, 1);
  });
});
