import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectionGroup } from "../../../../src/doctor/connections.js";
import {
  conntrack,
  unseenSnat,
} from "../../../../src/doctor/director/nat/unseen-snat.js";
import { parseIptablesSave } from "../../../../src/doctor/firewall/iptables-save.js";
import { INET } from "../../../../src/ipvs/address.js";
import { DIRECT_ROUTING, MASQUERADING } from "../../../../src/ipvs/model.js";
import { address, serverEntry } from "../../../fixtures/entries.js";
import { connectionGroup, connectionTable } from "../../made-up-connections.js";
import { network, ownAddress, route } from "../../made-up-network.js";
import { serviceAt, sysctls } from "../../made-up.js";

const SNAT =
  "-o eth1 -m ipvs --vaddr 192.0.2.1/32 --vport 80 -j SNAT --to-source 192.0.2.2";
const WAITING = connectionGroup(
  { SYN_RECV: [58, 40, 3] },
  { openingClients: [address("203.0.113.7")] },
);

interface Given {
  readonly rule?: string;
  readonly value?: number;
  readonly groups?: readonly ConnectionGroup[];
  readonly forwarding?: number;
  readonly ipForward?: number;
  /** Rules of the table filter */
  readonly filter?: readonly string[];
}

/** What is found, and whether conntrack-off is found. */
function find({
  rule = SNAT,
  value = 0,
  groups = [WAITING],
  forwarding = MASQUERADING,
  ipForward = 1,
  filter = [],
}: Given = {}) {
  const server = serverEntry("192.0.2.10", 80, { forwarding });
  const table = [serviceAt("192.0.2.1", [server])];
  const source = address("192.0.2.2");
  const text = `*nat\n:POSTROUTING ACCEPT [0:0]\n[0:0] -A POSTROUTING ${rule}\nCOMMIT\n*filter\n${filter.map((line) => `${line}\n`).join("")}COMMIT\n`;
  const facts = {
    table,
    allServices: table,
    network: network(
      [
        route("192.0.2.10", "unicast", 1, undefined, { source }),
        route("192.0.2.2", "local", 1),
      ],
      { addresses: [ownAddress(1, "192.0.2.2/24")] },
    ),
    stations: { nextHops: new Map(), strangers: [] },
    connections: connectionTable(groups),
    timeouts: { tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 },
    sysctls: sysctls({
      "net.ipv4.vs.conntrack": value,
      "net.ipv4.ip_forward": ipForward,
    }),
    firewall: {
      tables: parseIptablesSave(text, INET, "iptables"),
      unread: [],
    },
    matcher: { state: "loaded", users: [], parameters: {}, references: 1 },
  } as const;
  return {
    found: unseenSnat.examine(facts),
    off: conntrack.examine(facts).map(({ seen }) => seen),
  };
}

test("unseenSnat: connections that wait prove that the rule of the service sees no packet", () => {
  const { found, off } = find();
  const [finding, ...others] = found;
  assert.deepEqual(others, []);
  assert.equal(finding?.id, "snat-unseen");
  assert.equal(finding.subject, "tcp/192.0.2.1:80");
  assert.equal(finding.certainty, "proven");
  assert.equal(
    finding.seen,
    `rule 1 of chain POSTROUTING (iptables, table nat), "${SNAT}", 0 packets, does not see the requests to 192.0.2.10:80, because net.ipv4.vs.conntrack is 0; 3 connections wait in SYN_RECV`,
  );
  assert.deepEqual(finding.next, []);
  assert.deepEqual(
    finding.fix.map(({ command }) => command),
    ["sysctl -w net.ipv4.vs.conntrack=1"],
  );
  // It is one finding.
  assert.deepEqual(off, []);
});

test("unseenSnat: it is only likely if the server answered connections that are still in the table", () => {
  const before = connectionGroup(
    { SYN_RECV: [58, 40, 31], TIME_WAIT: [80] },
    { openingClients: [address("203.0.113.7")] },
  );
  const [finding] = find({ groups: [before] }).found;
  assert.equal(finding?.certainty, "likely");
  assert.match(finding.evidence?.[1] ?? "", /^192\.0\.2\.10:80 has answered /);
  const [next] = finding.next ?? [];
  assert.match(next?.command ?? "", / --client 192\.0\.2\.2$/);
  assert.match(
    next?.effect ?? "",
    /instead of its clients', if net\.ipv4\.vs\.conntrack is 1 on the director: rule 1 /,
  );
});

test("unseenSnat: a rule that drops the answers for certain is the cause", () => {
  const filter = [":FORWARD DROP [9:540]"];
  assert.deepEqual(find({ filter }).found, []);
});

test("unseenSnat: a rule for others, tracked connections, and servers that are not masqueraded need nothing", () => {
  for (const given of [
    { value: 1 },
    { forwarding: DIRECT_ROUTING },
    { groups: [] },
    { rule: SNAT.replace("--vport 80", "--vport 81") },
    { rule: SNAT.replace("192.0.2.1/32", "192.0.2.9/32") },
    // It is for the servers' own connections.
    { rule: "-o eth1 -j MASQUERADE" },
    // That is reported as the cause.
    { ipForward: 0 },
  ] satisfies Given[])
    assert.deepEqual(find(given).found, [], JSON.stringify(given));
});

test("conntrack: without connections that wait it names the rule of the service", () => {
  assert.deepEqual(find({ groups: [] }).off, [
    `net.ipv4.vs.conntrack is 0, so this does not happen: rule 1 of chain POSTROUTING (iptables, table nat), "${SNAT}", 0 packets, gives requests to tcp/192.0.2.1:80 the source 192.0.2.2`,
  ]);
  assert.deepEqual(find({ rule: "-m ipvs --ipvs -j ACCEPT" }).off, [
    "firewall rules use the match ipvs (module xt_ipvs), and net.ipv4.vs.conntrack is 0",
  ]);
});
