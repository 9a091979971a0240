import assert from "node:assert/strict";
import { test } from "node:test";
import { limitedSources } from "../../../../src/doctor/director/firewall/source-limits.js";
import { notChecked } from "../../../../src/doctor/director/not-checked.js";
import { parseIptablesSave } from "../../../../src/doctor/firewall/iptables-save.js";
import { INET } from "../../../../src/ipvs/address.js";
import { MASQUERADING } from "../../../../src/ipvs/model.js";
import { serverEntry } from "../../../fixtures/entries.js";
import { connectionTable } from "../../made-up-connections.js";
import { device, network, ownAddress, route } from "../../made-up-network.js";
import { serviceAt, sysctls } from "../../made-up.js";

const NETWORK = network(
  [route("192.0.2.1", "local", 1), route("10.0.0.11", "unicast", 2)],
  {
    devices: [device(1), device(2)],
    addresses: [ownAddress(1, "192.0.2.1/24"), ownAddress(2, "10.0.0.1/24")],
  },
);
const LIMIT =
  "-A INPUT -p tcp -m tcp --dport 80 -m connlimit --connlimit-above 20 --connlimit-mask 32 --connlimit-saddr -j DROP";
const SET = "-A INPUT -m set --match-set banned src -j DROP";

const tables = (...rules: string[]) =>
  parseIptablesSave(
    `*filter\n:INPUT ACCEPT [0:0]\n${rules.join("\n")}\nCOMMIT\n`,
    INET,
    "iptables",
  );

/** What is found with these rules, and later with those, and what is not checked. */
function find(before: readonly string[], after?: readonly string[]) {
  const servers = [serverEntry("10.0.0.11", 80, { forwarding: MASQUERADING })];
  const table = [serviceAt("192.0.2.1", servers)];
  const facts = {
    table,
    allServices: table,
    daemons: [],
    network: NETWORK,
    connections: connectionTable(),
    sysctls: sysctls({ "net.ipv4.vs.conntrack": 0 }),
    firewall: { tables: tables(...before), unread: [] },
    firewallLater: after && { tables: tables(...after), seconds: 2 },
  };
  const how = { probe: false, skipped: [], client: undefined };
  return {
    findings: limitedSources
      .examine(facts)
      .map(({ subject = "", seen }) => `${subject}: ${seen}`),
    unjudged: notChecked(facts, how).filter((one) => one.startsWith("rule ")),
  };
}

test("limitedSources reports a limit for each source only while it stops packets", () => {
  const before = [`[8:480] ${LIMIT}`];
  const { findings, unjudged } = find(before, [`[10:600] ${LIMIT}`]);
  assert.equal(findings.length, 1);
  assert.match(
    findings.join(),
    /^chain INPUT, rule 1: rule 1 of chain INPUT .*, 8 packets, drops requests of a source with more than 20 connections at a time: 2 more in 2 s while doctor looked$/,
  );
  assert.deepEqual(unjudged, []);
  for (const later of [undefined, before]) {
    const old = find(before, later);
    assert.deepEqual(old.findings, []);
    assert.match(old.unjudged.join(), /^rule 1 .*, perhaps drops requests to/);
  }
});

test("limitedSources leaves other rules that it cannot judge to Not checked, for they are mostly bans", () => {
  const { findings, unjudged } = find([`[8:480] ${SET}`], [`[99:9] ${SET}`]);
  assert.deepEqual(findings, []);
  assert.equal(unjudged.length, 1);
});

test("limitedSources takes no limit of another service for the reason of a later rule", () => {
  const found = (port: number) => {
    const rules = (packets: number) => [
      `[40:2400] -A INPUT -p tcp -m tcp --dport ${port} -m hashlimit --hashlimit-upto 3/min --hashlimit-burst 5 --hashlimit-mode srcip --hashlimit-name some -j ACCEPT`,
      "[9:540] -A INPUT -p tcp -m tcp --dport 80 -m set --match-set known src -j ACCEPT",
      `[${packets}:60] -A INPUT -j DROP`,
    ];
    return find(rules(8), rules(99)).findings.length;
  };
  assert.equal(found(80), 1);
  assert.equal(found(22), 0);
});
