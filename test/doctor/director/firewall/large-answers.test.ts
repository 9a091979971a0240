import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  largeAnswers,
  largeAnswersTo,
  unseenLargeAnswers,
} from "../../../../src/doctor/director/firewall/large-answers.js";
import type { Facts } from "../../../../src/doctor/facts.js";
import { parseIptablesSave } from "../../../../src/doctor/firewall/iptables-save.js";
import { INET } from "../../../../src/ipvs/address.js";
import { BACKUP, type Daemon } from "../../../../src/ipvs/model.js";
import { address, serverEntry } from "../../../fixtures/entries.js";
import { device, network, ownAddress, route } from "../../made-up-network.js";
import { serviceAt, sysctls } from "../../made-up.js";

const TABLE = [serviceAt("192.0.2.1", [serverEntry("192.0.2.10", 80)])];

/** @param rules of the table filter, as iptables-save prints them */
function facts(rules: string, conntrack = 0, daemons: readonly Daemon[] = []) {
  const text = `*filter\n${rules}\nCOMMIT\n`;
  return {
    table: TABLE,
    daemons,
    network: network(
      [
        route("192.0.2.1", "local", 1),
        route("192.0.0.8", "unicast", 1, "192.0.2.254"),
      ],
      {
        devices: [device(1)],
        addresses: [
          ownAddress(1, "192.0.2.2/24"),
          ownAddress(1, "192.0.2.1/32"),
        ],
      },
    ),
    sysctls: sysctls({ "net.ipv4.vs.conntrack": conntrack }),
    firewall: {
      tables: parseIptablesSave(text, INET, "iptables"),
      unread: [],
    },
  } satisfies Facts;
}

const RELATED =
  "[0:0] -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT";
const POLICY = (counters: string) =>
  `:INPUT DROP [${counters}]\n${RELATED}\n[9:540] -A INPUT -p tcp -m tcp --dport 80 -j ACCEPT`;

suite("largeAnswers", () => {
  test("largeAnswers names a rule that has dropped messages about large packets", () => {
    const [finding, ...others] = largeAnswers.examine(
      facts(
        `:INPUT ACCEPT [0:0]\n${RELATED}\n[4:2304] -A INPUT -p icmp -j DROP`,
      ),
    );
    assert.deepEqual(others, []);
    assert.equal(finding?.id, "too-big-answer-blocked");
    assert.equal(finding.certainty, "likely");
    assert.match(
      finding.seen,
      /^rule 2 of chain INPUT .*, 4 packets, drops ICMP messages fragmentation needed to 192\.0\.2\.1$/,
    );
    assert.match(finding.evidence?.[0] ?? "", /have 576 bytes on average/);
    assert.equal(
      finding.fix[0]?.command,
      "iptables -t filter -I INPUT -d 192.0.2.1/32 -p icmp --icmp-type fragmentation-needed -j ACCEPT",
    );
  });

  test("largeAnswers: a rule drops them although related packets are accepted, unless conntrack is on", () => {
    const rules = `:INPUT ACCEPT [0:0]\n:icmp - [0:0]\n${RELATED}\n[4:2304] -A INPUT -p icmp -j icmp\n[4:2304] -A icmp -j DROP`;
    assert.equal(largeAnswers.examine(facts(rules)).length, 1);
    assert.deepEqual(largeAnswers.examine(facts(rules, 1)), []);
  });

  test("largeAnswers: the sizes of packets of other protocols, and of large echo requests, say nothing", () => {
    for (const rules of [
      POLICY("4:2304"),
      ":INPUT ACCEPT [0:0]\n[4:2304] -A INPUT -m conntrack --ctstate INVALID -j DROP",
      ":INPUT ACCEPT [0:0]\n[4:2304] -A INPUT ! -p tcp -j DROP",
      ":INPUT ACCEPT [0:0]\n[4:6000] -A INPUT -p icmp -j DROP",
    ]) {
      const given = facts(rules);
      assert.deepEqual(largeAnswers.examine(given), [], rules);
      assert.equal(unseenLargeAnswers(given).length, 1, rules);
    }
  });

  test("largeAnswers is silent if the rule has dropped nothing or small packets, and on a backup", () => {
    for (const counters of ["0:0", "40:2400"]) {
      const given = facts(POLICY(counters));
      assert.deepEqual(largeAnswers.examine(given), []);
      const [text, ...others] = unseenLargeAnswers(given);
      assert.deepEqual(others, []);
      assert.match(
        text ?? "",
        /^whether large answers reach clients behind links with a smaller MTU \(the policy of chain INPUT/,
      );
    }
    const daemon = { state: BACKUP } as Daemon;
    assert.deepEqual(
      largeAnswers.examine(
        facts(`:INPUT ACCEPT [0:0]\n[4:2304] -A INPUT -p icmp -j DROP`, 0, [
          daemon,
        ]),
      ),
      [],
    );
  });

  test("largeAnswers is silent if a rule accepts the messages", () => {
    const given = facts(
      `:INPUT DROP [4:2304]\n[0:0] -A INPUT -p icmp -m icmp --icmp-type 3/4 -j ACCEPT`,
    );
    assert.deepEqual(largeAnswers.examine(given), []);
    assert.deepEqual(unseenLargeAnswers(given), []);
  });

  test("largeAnswersTo tells of the rule when a client is followed", () => {
    const given = facts(POLICY("0:0"));
    const [text] = largeAnswersTo(given, address("198.51.100.7"));
    assert.match(
      text ?? "",
      /large answers hang; "iptables -t filter -I INPUT /,
    );
    assert.deepEqual(largeAnswersTo(given, address("2001:db8::7")), []);
  });
});
