import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseIptablesSave } from "../../../src/doctor/firewall/iptables-save.js";
import { doubtful } from "../../../src/doctor/real-server/doubtful-rules.js";
import type { RealServer } from "../../../src/doctor/real-server/real-server.js";
import { INET } from "../../../src/ipvs/address.js";
import { TCP } from "../../../src/ipvs/model.js";
import { address } from "../../fixtures/entries.js";
import { told } from "../made-up.js";
import { realServer, service, VIP } from "./made-up.js";

const RECENT =
  "-A INPUT -p tcp -m tcp --dport 8080 -m recent --update --seconds 60 --hitcount 9 --name WEB --mask 255.255.255.255 --rsource -j DROP";
const BANNED = "-A INPUT -m set --match-set banned src -j DROP";
const NAT: Partial<RealServer> = {
  services: [service(VIP, { protocol: TCP, port: 80 })],
  method: "masq",
  server: { address: address("10.0.0.11"), port: 8080 },
  director: address("10.0.0.1"),
  client: address("10.0.0.1"),
};
const CLIENT = { ...NAT, client: address("198.51.100.10") };

const tables = (...rules: string[]) =>
  parseIptablesSave(
    `*filter\n:INPUT ACCEPT [0:0]\n${rules.join("\n")}\nCOMMIT\n`,
    INET,
    "iptables-legacy",
  );

/** What is found with these rules, and later with those. */
function find(
  given: Partial<RealServer>,
  rules: readonly string[],
  later?: readonly string[],
) {
  return doubtful.examine({
    realServer: realServer(given),
    firewall: { tables: tables(...rules), unread: [] },
    firewallLater: later && { tables: tables(...later), seconds: 5 },
  });
}

suite("doubtful", () => {
  test("doubtful names a limit for each source that all clients share, and exempts the director from it", () => {
    const first = "[90:5400] -A INPUT -i lo -j ACCEPT";
    const [finding, ...others] = find(
      NAT,
      [first, `[8:480] ${RECENT}`],
      [first, `[8:480] ${RECENT}`],
    );
    assert.deepEqual(others, []);
    assert.ok(finding);
    assert.deepEqual(told(finding), [
      "source-limit-shared requests to tcp/10.0.0.11:8080",
      "iptables-legacy -t filter -I INPUT 2 -s 10.0.0.1/32 -d 10.0.0.11/32 -p tcp --dport 8080 -j ACCEPT",
    ]);
    assert.match(
      finding.seen,
      /, 8 packets, perhaps drops them: it limits each source address \(9 or more packets within 60 s\), and all clients have the source 10\.0\.0\.1 here$/,
    );
    assert.match(
      finding.evidence?.join("\n") ?? "",
      /no packet in 5 s while doctor looked: perhaps nobody tried$/,
    );
  });

  test("doubtful puts the exemption ahead of the rule that accepts what is within the limit", () => {
    const found = find(NAT, [
      "[40:2400] -A INPUT -p tcp -m tcp --dport 8080 -m hashlimit --hashlimit-upto 10/min --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name web -j ACCEPT",
      "[8:480] -A INPUT -p tcp -m tcp --dport 8080 -j DROP",
    ]);
    assert.deepEqual(found.map(told), [
      [
        "source-limit-shared requests to tcp/10.0.0.11:8080",
        "iptables-legacy -t filter -I INPUT 1 -s 10.0.0.1/32 -d 10.0.0.11/32 -p tcp --dport 8080 -j ACCEPT",
      ],
    ]);
  });

  test("doubtful says nothing if the director is exempt, the rule has dropped nothing, or clients have their own addresses", () => {
    const exempt =
      "[9:540] -A INPUT -s 10.0.0.1/32 -p tcp -m tcp --dport 8080 -j ACCEPT";
    assert.deepEqual(find(NAT, [exempt, `[8:480] ${RECENT}`]), []);
    assert.deepEqual(find(NAT, [`[0:0] ${RECENT}`]), []);
    assert.deepEqual(find(CLIENT, [`[8:480] ${RECENT}`]), []);
    const direct = { ...NAT, method: "direct" as const };
    const there = RECENT.replace("8080", "80");
    assert.deepEqual(find(direct, [`[8:480] ${there}`]), []);
  });

  test("doubtful reports another rule only if its counter grows, and a client is named", () => {
    const before = [`[8:480] ${BANNED}`];
    assert.deepEqual(find(CLIENT, before), []);
    assert.deepEqual(find(CLIENT, before, before), []);
    const after = [`[11:660] ${BANNED}`];
    assert.deepEqual(find({ ...CLIENT, client: undefined }, before, after), []);
    const [finding] = find(CLIENT, before, after);
    assert.ok(finding);
    assert.deepEqual(told(finding), [
      "server-firewall-doubtful requests to tcp/10.0.0.11:8080",
    ]);
    assert.deepEqual(finding.evidence, [
      "it has stopped 3 more packets in 5 s while doctor looked",
    ]);
    const [limited] = find(
      CLIENT,
      [`[8:480] ${RECENT}`],
      [`[9:540] ${RECENT}`],
    );
    assert.equal(limited?.id, "server-firewall-doubtful");
    assert.match(limited.evidence?.[1] ?? "", /share the limit$/);
  });
});
