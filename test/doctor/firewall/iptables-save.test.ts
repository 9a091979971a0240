import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { describePlace } from "../../../src/doctor/firewall/describe.js";
import { parseIptablesSave } from "../../../src/doctor/firewall/iptables-save.js";
import type { Hook, Packet } from "../../../src/doctor/firewall/packet.js";
import { walk } from "../../../src/doctor/firewall/walk.js";
import { INET, INET6 } from "../../../src/ipvs/address.js";
import { address } from "../../fixtures/entries.js";
import { IP6TABLES_SAVE, IPTABLES_SAVE } from "./recorded.js";

const tables = parseIptablesSave(IPTABLES_SAVE, INET, "iptables-legacy");
const REQUEST: Packet = {
  family: INET,
  incoming: "eth0",
  source: address("10.1.2.3"),
  destination: address("192.0.2.100"),
  protocol: 6,
  sourcePort: 40000,
  destinationPort: 80,
  tcpFlags: 2,
  states: ["new"],
  mark: 0,
};

/** What stops a packet at a hook: a line for each place. */
function stopsOf(hook: Hook, packet: Packet): string[] {
  return walk({ tables }, hook, packet).stops.map(
    (stop) =>
      `${stop.certain ? "" : "perhaps "}${stop.does}: ${describePlace(stop)}`,
  );
}

suite("parseIptablesSave()", () => {
  test("parseIptablesSave() finds all tables, chains, policies and counters", () => {
    assert.deepEqual(
      tables.map(({ name, chains }) => [name, chains.size]),
      [
        ["raw", 2],
        ["mangle", 5],
        ["nat", 4],
        ["filter", 4],
      ],
    );
    const forward = tables[3]?.chains.get("FORWARD");
    assert.deepEqual(forward?.base, {
      hook: "forward",
      priority: 0,
      nat: false,
      policy: "drop",
      policyPackets: 17n,
      policyBytes: 1020n,
    });
    assert.equal(tables[3]?.chains.get("DOCKER-USER")?.base, undefined);
    assert.equal(tables[3]?.chains.get("INPUT")?.rules[0]?.packets, 4n);
  });

  test("a rule for addresses, an interface and ports stops the packet that it is for", () => {
    assert.deepEqual(stopsOf("input", REQUEST), [
      'drop: rule 1 of chain INPUT (iptables-legacy, table filter), "-s 10.0.0.0/8 -d 192.0.2.100/32 -i eth0 -p tcp -m tcp --dport 80:90 -j DROP", 4 packets',
    ]);
  });

  test("each of these conditions lets other packets pass", () => {
    const others: Partial<Packet>[] = [
      { source: address("172.16.0.1") },
      { destination: address("192.0.2.102") },
      { incoming: "eth1" },
      { destinationPort: 91 },
      { destinationPort: 79 },
    ];
    for (const other of others)
      assert.deepEqual(stopsOf("input", { ...REQUEST, ...other }), []);
  });

  test("a condition about something unknown makes perhaps", () => {
    const unknown = { ...REQUEST, source: undefined };
    assert.match(stopsOf("input", unknown)[0] ?? "", /^perhaps drop: rule 1 /);
  });

  test("a rule that perhaps matches and has counted no packet stops nothing", () => {
    const text = IPTABLES_SAVE.replace("[4:240]", "[0:0]");
    const quiet = parseIptablesSave(text, INET, "iptables-legacy");
    const packet = { ...REQUEST, source: undefined };
    assert.deepEqual(walk({ tables: quiet }, "input", packet).stops, []);
  });

  test("a list of ports with ranges rejects; the comment is part of the text", () => {
    for (const destinationPort of [99, 8000, 8080])
      assert.match(
        stopsOf("input", { ...REQUEST, destinationPort }).join(),
        /^reject: rule 2 of chain INPUT .*--comment "the \\"web\\" rule"/,
      );
  });

  test("the value of a comment is a value, whatever it looks like", () => {
    for (const comment of ["-j", "--dport", '"-m tcp"', '"!"', "-"]) {
      const save = `*filter\n:INPUT ACCEPT [0:0]\n[4:240] -A INPUT -p tcp -m comment --comment ${comment} -m tcp --dport 80 -j DROP\nCOMMIT\n`;
      const parsed = parseIptablesSave(save, INET, "iptables-legacy");
      const stopped = (destinationPort: number) =>
        walk({ tables: parsed }, "input", {
          ...REQUEST,
          destinationPort,
        }).stops.map(({ certain, does }) => [certain, does]);
      assert.deepEqual(stopped(80), [[true, "drop"]], comment);
      assert.deepEqual(stopped(81), [], comment);
    }
  });

  test("describePlace() decodes comments and names, which iptables-save prints byte by byte", () => {
    const bytes = Buffer.from('"plus naïve"', "utf8").toString("latin1");
    const save = `*filter\n:INPUT ACCEPT [0:0]\n[4:240] -A INPUT -m comment --comment ${bytes} -j DROP\nCOMMIT\n`;
    const [stop] = walk(
      { tables: parseIptablesSave(save, INET, "iptables-legacy") },
      "input",
      REQUEST,
    ).stops;
    assert.ok(stop);
    assert.match(
      describePlace(stop),
      /--comment "plus naïve" -j DROP", 4 packets/,
    );
  });

  test("a policy stops what no rule accepts, and jumps return", () => {
    assert.deepEqual(stopsOf("forward", { ...REQUEST, outgoing: "eth1" }), [
      "drop: the policy of chain FORWARD (iptables-legacy, table filter), 17 packets",
    ]);
  });

  test("rules by state accept the states that they name", () => {
    const answer = { ...REQUEST, outgoing: "docker0" };
    const dropped = (states: Packet["states"]) =>
      stopsOf("forward", { ...answer, states }).length;
    assert.equal(dropped(["established"]), 0);
    assert.equal(dropped(["new"]), 1);
    assert.equal(dropped(["invalid"]), 1);
    assert.match(
      stopsOf("forward", { ...answer, states: undefined }).join(),
      /^perhaps drop/,
    );
  });

  test("a negated interface is what is not that interface", () => {
    const from = { ...REQUEST, incoming: "docker0" };
    assert.equal(stopsOf("forward", { ...from, outgoing: "eth0" }).length, 0);
    assert.equal(
      stopsOf("forward", { ...from, outgoing: "docker0" }).length,
      1,
    );
  });

  test("the number of a protocol is known by its name", () => {
    const tunnel = { ...REQUEST, protocol: 47, destinationPort: undefined };
    assert.match(
      stopsOf("input", tunnel).join(),
      /-p gre -j DROP", 6 packets$/,
    );
    assert.deepEqual(stopsOf("input", { ...tunnel, protocol: 4 }), []);
  });

  test("MARK sets bits of the mark", () => {
    const { packet, marks } = walk({ tables }, "prerouting", REQUEST);
    assert.equal(packet.mark, 0x17);
    assert.equal(marks.length, 2);
    const other = { ...REQUEST, incoming: "eth1", destinationPort: 8 };
    assert.equal(walk({ tables }, "prerouting", other).packet.mark, 0);
  });

  test("a restored mark is unknown", () => {
    const packet = { ...REQUEST, incoming: "eth9" };
    const walked = walk({ tables }, "prerouting", packet);
    assert.equal(walked.packet.mark, undefined);
  });

  test("DNAT and TPROXY take packets elsewhere", () => {
    const translated = { ...REQUEST, destination: address("192.0.2.101") };
    const [stop] = walk({ tables }, "prerouting", translated).stops;
    assert.equal(stop?.does, "redirect");
    assert.equal(stop.to, "10.0.0.5:8080");
    assert.equal(stop.packets, 3n);
    const datagram = { ...REQUEST, protocol: 17 };
    const [proxied] = walk({ tables }, "prerouting", datagram).stops;
    assert.equal(proxied?.to, "port 1");
  });

  test("chains of type nat do not see packets without the state new", () => {
    const packet: Packet = {
      ...REQUEST,
      destination: address("192.0.2.101"),
      states: ["established"],
    };
    assert.deepEqual(walk({ tables }, "prerouting", packet).stops, []);
  });

  test("NOTRACK makes the packet untracked", () => {
    const packet = { ...REQUEST, destination: address("192.0.2.200") };
    const walked = walk({ tables }, "prerouting", packet);
    assert.deepEqual(walked.packet.states, ["untracked"]);
  });

  test("SNAT and MASQUERADE are translations; one that matches IPVS is perhaps met", () => {
    const packet = {
      ...REQUEST,
      source: address("10.0.0.9"),
      outgoing: "eth0",
    };
    const sure = walk({ tables }, "postrouting", packet).translations;
    assert.deepEqual(
      sure.map(({ rule, certain }) => [rule?.text, certain]),
      [["-s 10.0.0.0/24 -o eth0 -j MASQUERADE", true]],
    );
    const text = IPTABLES_SAVE.replace(
      "[0:0] -A POSTROUTING -m ipvs",
      "[1:60] -A POSTROUTING -m ipvs",
    );
    const counted = parseIptablesSave(text, INET, "iptables");
    const other = { ...packet, outgoing: "eth1" };
    const perhaps = walk(
      { tables: counted },
      "postrouting",
      other,
    ).translations;
    assert.deepEqual(
      perhaps.map(({ certain }) => certain),
      [false],
    );
  });

  test("rules of ip6tables see IPv6 packets only", () => {
    const six = parseIptablesSave(IP6TABLES_SAVE, INET6, "ip6tables-legacy");
    const packet: Packet = {
      ...REQUEST,
      family: INET6,
      source: address("2001:db8::5"),
      destination: address("2001:db8:1::1"),
    };
    const both = { tables: [...tables, ...six] };
    assert.deepEqual(
      walk(both, "input", packet).stops.map(({ rule }) => rule?.text),
      ["-s 2001:db8::/32 -p tcp -m tcp --dport 80 -j DROP"],
    );
    assert.equal(walk(both, "input", REQUEST).stops[0]?.packets, 4n);
  });

  test("walk() does not know the mark behind a rule that the packet perhaps meets", () => {
    const marksOf = (rule: string) => {
      const text = `*mangle\n:PREROUTING ACCEPT [0:0]\n[4:240] -A PREROUTING -s 203.0.113.0/24 -j RETURN\n[4:240] -A PREROUTING -j MARK --set-xmark ${rule}\nCOMMIT\n`;
      const mangle = { tables: parseIptablesSave(text, INET, "iptables") };
      const packet = { ...REQUEST, source: undefined, mark: 7 };
      const [returns] = mangle.tables[0]?.chains.get("PREROUTING")?.rules ?? [];
      const given = new Set(
        returns?.steps.flatMap((step) => ("if" in step ? [step.if] : [])),
      );
      return [
        walk(mangle, "prerouting", packet).packet.mark,
        walk(mangle, "prerouting", packet, { given }).packet.mark,
        walk(mangle, "prerouting", { ...packet, source: address("192.0.2.9") })
          .packet.mark,
      ];
    };
    assert.deepEqual(marksOf("0x14/0xffffffff"), [undefined, 7, 20]);
    assert.deepEqual(marksOf("0x7/0xffffffff"), [7, 7, 7]);
  });

  test("chains of one hook are walked by priority, and a range leaves out others", () => {
    const packet = { ...REQUEST, destination: address("192.0.2.101") };
    const all = walk({ tables }, "prerouting", packet);
    assert.equal(all.stops.length, 1);
    const early = walk({ tables }, "prerouting", packet, { before: -100 });
    assert.deepEqual(early.stops, []);
  });
});
