import assert from "node:assert/strict";
import { test } from "node:test";
import { snatAddresses } from "../../../../src/doctor/director/nat/snat-address.js";
import { parseIptablesSave } from "../../../../src/doctor/firewall/iptables-save.js";
import { INET } from "../../../../src/ipvs/address.js";
import {
  BACKUP,
  MASQUERADING,
  type Daemon,
} from "../../../../src/ipvs/model.js";
import {
  address,
  serverEntry,
  serviceEntry,
} from "../../../fixtures/entries.js";
import { connectionTable } from "../../made-up-connections.js";
import { network, ownAddress, route } from "../../made-up-network.js";
import { serviceAt, sysctls } from "../../made-up.js";

const RULE =
  "-o eth1 -m ipvs --vaddr 198.51.100.1/32 --vport 80 -j SNAT --to-source 192.0.2.3";
const SERVER = serverEntry("192.0.2.10", 8080, { forwarding: MASQUERADING });
const WAYS = [
  route("198.51.100.1", "local", 1),
  route("192.0.2.10", "unicast", 1, undefined, {
    source: address("192.0.2.2"),
  }),
];

interface Given {
  /** Rules of POSTROUTING with their packets */
  readonly rules?: readonly (readonly [packets: number, text: string])[];
  readonly settings?: Readonly<Record<string, number>>;
  readonly daemons?: readonly Daemon[];
  readonly way?: ReturnType<typeof route>;
  readonly virtual?: ReturnType<typeof route>;
  /** Rules of PREROUTING, for a service by firewall mark 7 */
  readonly marking?: string;
}

function find({
  rules = [[4, RULE]],
  settings = {},
  daemons = [],
  way = route("192.0.2.3", "unicast", 1),
  virtual,
  marking,
}: Given = {}) {
  const table = [
    marking === undefined
      ? serviceAt("198.51.100.1", [SERVER])
      : serviceEntry({ family: INET, firewallMark: 7 }, {}, [SERVER]),
  ];
  const lines = rules.map(
    ([packets, text]) => `[${packets}:0] -A POSTROUTING ${text}`,
  );
  const text = `*nat\n:POSTROUTING ACCEPT [0:0]\n${lines.join("\n")}\nCOMMIT\n${marking === undefined ? "" : `*mangle\n:PREROUTING ACCEPT [0:0]\n[4:0] -A PREROUTING ${marking}\nCOMMIT\n`}`;
  return snatAddresses.examine({
    table,
    allServices: table,
    daemons,
    network: network([...WAYS, way, ...(virtual ? [virtual] : [])], {
      addresses: [ownAddress(1, "192.0.2.2/24")],
    }),
    sysctls: sysctls({ "net.ipv4.vs.conntrack": 1, ...settings }),
    connections: connectionTable(),
    firewall: { tables: parseIptablesSave(text, INET, "iptables"), unread: [] },
  });
}

test("snatAddresses: a rule with an address of nobody is named, with the rule that is right", () => {
  const [finding, ...others] = find();
  assert.deepEqual(others, []);
  assert.equal(finding?.id, "snat-address-elsewhere");
  assert.equal(finding.subject, "192.0.2.3");
  assert.equal(finding.certainty, "proven");
  assert.equal(
    finding.seen,
    `rule 1 of chain POSTROUTING (iptables, table nat), "${RULE}", 4 packets, gives requests to 192.0.2.10:8080 the source 192.0.2.3, which is not an address of this machine`,
  );
  assert.deepEqual(
    finding.fix.map(({ command }) => command),
    [
      `iptables -t nat -I POSTROUTING 1 ${RULE.replace("192.0.2.3", "192.0.2.2")}`,
    ],
  );
});

test("snatAddresses: a rule that doctor can judge needs no match ipvs", () => {
  const text =
    "-o eth1 -p tcp -m tcp --dport 8080 -j SNAT --to-source 192.0.2.3";
  assert.equal(find({ rules: [[1, text]] }).length, 1);
  // Perhaps it is for clients of other services.
  assert.deepEqual(find({ rules: [[1, `-s 203.0.113.0/24 ${text}`]] }), []);
});

test("snatAddresses: an address of this machine, or one that is routed here, is right", () => {
  assert.deepEqual(find({ way: route("192.0.2.3", "local", 1) }), []);
  const own = RULE.replace("192.0.2.3", "192.0.2.2");
  assert.deepEqual(find({ rules: [[4, own]] }), []);
  assert.deepEqual(
    find({ settings: { "net.ipv4.conf.eth1.proxy_arp": 1 } }),
    [],
  );
  // The servers may have a route to it through this machine.
  const far = RULE.replace("192.0.2.3", "203.0.113.3");
  const way = route("203.0.113.3", "unicast", 1);
  assert.deepEqual(find({ rules: [[4, far]], way }), []);
});

test("snatAddresses: a rule that no request meets is none", () => {
  assert.deepEqual(find({ settings: { "net.ipv4.vs.conntrack": 0 } }), []);
  assert.deepEqual(find({ rules: [[0, RULE]] }), []);
  for (const [old, other] of [
    ["--vaddr 198.51.100.1/32", "--vaddr 198.51.100.2/32"],
    ["--vport 80", "--vport 443"],
    ["-o eth1", "-o eth0"],
  ] as const)
    assert.deepEqual(find({ rules: [[4, RULE.replace(old, other)]] }), []);
  // The right rule is ahead.
  const right = RULE.replace("192.0.2.3", "192.0.2.2");
  assert.deepEqual(
    find({
      rules: [
        [2, right],
        [4, RULE],
      ],
    }),
    [],
  );
});

test("snatAddresses: a backup, and a director without the virtual address, get the address later", () => {
  const backup: Daemon = {
    state: BACKUP,
    multicastInterface: "eth1",
    syncId: 1,
  };
  assert.deepEqual(find({ daemons: [backup] }), []);
  const virtual = route("198.51.100.1", "unicast", 1);
  assert.deepEqual(find({ virtual }), []);
});

test("snatAddresses: by firewall mark, the addresses that get the mark tell whether this machine is active", () => {
  const marking = "-d 198.51.100.1/32 -j MARK --set-xmark 0x7/0xffffffff";
  const text = "-o eth1 -m ipvs --ipvs -j SNAT --to-source 192.0.2.3";
  const rules = [[1, text]] as const;
  assert.equal(find({ rules, marking }).length, 1);
  const virtual = route("198.51.100.1", "unicast", 1);
  assert.deepEqual(find({ rules, marking, virtual }), []);
  assert.deepEqual(find({ rules, marking: "-j ACCEPT" }), []);
});

test("snatAddresses: several addresses, ports and quotes are described without a command", () => {
  const range = RULE.replace("192.0.2.3", "192.0.2.3-192.0.2.9");
  assert.deepEqual(find({ rules: [[4, range]] }), []);
  const ports = RULE.replace("192.0.2.3", "192.0.2.3:1024-65535");
  const quoted = RULE.replace("-j", '-m comment --comment "full NAT" -j');
  for (const text of [ports, quoted]) {
    const [finding] = find({ rules: [[4, text]] });
    assert.deepEqual(finding?.fix, []);
    assert.match(finding.cure ?? "", /--to-source 192\.0\.2\.2\. /);
  }
});
