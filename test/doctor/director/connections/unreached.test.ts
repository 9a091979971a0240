import assert from "node:assert/strict";
import { test } from "node:test";
import { unreached } from "../../../../src/doctor/director/connections/unreached.js";
import type { Facts } from "../../../../src/doctor/facts.js";
import { parseIptablesSave } from "../../../../src/doctor/firewall/iptables-save.js";
import { INET } from "../../../../src/ipvs/address.js";
import {
  BACKUP,
  ONE_PACKET,
  type ServiceWithServers,
} from "../../../../src/ipvs/model.js";
import {
  address,
  serverEntry,
  serviceEntry,
  stats,
} from "../../../fixtures/entries.js";
import { connectionTable } from "../../made-up-connections.js";
import { device, network, ownAddress, route } from "../../made-up-network.js";
import type { Device } from "../../../../src/rtnl/model.js";
import { serviceAt, sysctls } from "../../made-up.js";

const SERVER = serverEntry("192.0.2.10", 80);
const SERVICE = serviceAt("192.0.2.1", [SERVER]);
const OTHER = serviceAt("192.0.2.2", [SERVER]);

function find(
  table: readonly ServiceWithServers[],
  given: Partial<Facts> = {},
): (string | undefined)[] {
  return unreached
    .examine({
      table,
      allServices: table,
      daemons: [],
      network: network([
        route("192.0.2.1", "local", 1),
        route("192.0.2.2", "local", 1),
        route("192.0.2.10", "unicast", 1),
        route("0.0.0.0", "local", 1),
      ]),
      connections: connectionTable(),
      sysctls: sysctls({}),
      firewall: { tables: [], unread: [] },
      ...given,
    })
    .map(({ subject }) => subject);
}

/** Firewall rules of one chain. */
function rules(table: string, chain: string, rule: string): Facts["firewall"] {
  const text = `*${table}\n:${chain} ACCEPT [0:0]\n[9:540] -A ${chain} ${rule}\nCOMMIT\n`;
  return { tables: parseIptablesSave(text, INET, "iptables"), unread: [] };
}

test("unreached: the next step also shows who asks for the hardware address", () => {
  const nextOf = (virtual: string) => {
    const table = [serviceAt(virtual, [SERVER])];
    const [finding] = unreached.examine({
      table,
      allServices: table,
      daemons: [],
      network: network([route(virtual, "local", 1)]),
      connections: connectionTable(),
      sysctls: sysctls({}),
      firewall: { tables: [], unread: [] },
    });
    return finding?.next?.map(({ command }) => command) ?? [];
  };
  assert.ok(
    nextOf("192.0.2.1").includes("tcpdump -n -i any host 192.0.2.1 or arp"),
  );
  assert.ok(
    nextOf("2001:db8::1").includes(
      "tcpdump -n -i any host 2001:db8::1 or icmp6",
    ),
  );
});

test("unreached: services are reported if none of them ever got a packet", () => {
  assert.deepEqual(find([SERVICE, OTHER]), [
    "tcp/192.0.2.1:80",
    "tcp/192.0.2.2:80",
  ]);
  const used = { ...OTHER, stats: stats({ inPackets: 1n }) };
  assert.deepEqual(find([SERVICE, used]), []);
});

test("unreached: a connection is newer than the counters, and also tells", () => {
  for (const one of [
    { activeConnections: 1 },
    { inactiveConnections: 1 },
    { persistentConnections: 1 },
  ])
    assert.deepEqual(
      find([serviceAt("192.0.2.1", [{ ...SERVER, ...one }])]),
      [],
    );
});

test("unreached: a service that cannot get packets has findings of its own", () => {
  assert.deepEqual(find([serviceAt("192.0.2.1", [])]), []);
  assert.deepEqual(find([serviceAt("192.0.2.9", [SERVER])]), []);
  assert.deepEqual(find([serviceAt("0.0.0.0", [SERVER])]), []);
  const drop = rules("filter", "INPUT", "-p tcp --dport 80 -j DROP");
  assert.deepEqual(find([SERVICE], { firewall: drop }), []);
});

test("unreached: a service by firewall mark is reported if a rule sets the mark", () => {
  const marked = serviceEntry({ family: INET, firewallMark: 7 }, {}, [SERVER]);
  assert.deepEqual(find([marked]), []);
  const set = rules("mangle", "PREROUTING", "-j MARK --set-xmark 0x7/0xff");
  assert.deepEqual(find([marked], { firewall: set }), ["fwm/7"]);
});

test("unreached: nothing is known of one-packet scheduling, of a backup, and without estimation", () => {
  const onePacket = serviceAt("192.0.2.1", [SERVER], { flags: ONE_PACKET });
  assert.deepEqual(find([onePacket]), []);
  const daemon = {
    state: BACKUP,
    multicastInterface: "eth1",
    syncId: 1,
  } as const;
  assert.deepEqual(find([SERVICE], { daemons: [daemon] }), []);
  const off = sysctls({ "net.ipv4.vs.run_estimation": 0 });
  assert.deepEqual(find([SERVICE], { sysctls: off }), []);
});

test("unreached: of a firewall mark, the rule that sets it is named with its packets", () => {
  const marked = serviceEntry({ family: INET, firewallMark: 7 }, {}, [SERVER]);
  const [finding] = unreached.examine({
    table: [marked],
    allServices: [marked],
    daemons: [],
    network: network([route("192.0.2.1", "local", 1)]),
    connections: connectionTable(),
    sysctls: sysctls({}),
    firewall: rules(
      "mangle",
      "PREROUTING",
      "-d 192.0.2.1/32 -p tcp -j MARK --set-xmark 0x7/0xff",
    ) ?? { tables: [], unread: [] },
  });
  assert.match(
    finding?.seen ?? "",
    /; mark 7 is set by rule 1 of chain PREROUTING .*, 9 packets\. If they came after the service was added, the mark was changed behind the rule/,
  );
});

test("unreached: a rule that cannot match, and another machine that answers, are findings of their own", () => {
  const marked = serviceEntry({ family: INET, firewallMark: 7 }, {}, [SERVER]);
  const inside = rules(
    "mangle",
    "PREROUTING",
    "-d 192.0.2.9/32 -j MARK --set-xmark 0x7/0xff",
  );
  const never = {
    unread: [],
    tables: parseIptablesSave(
      "*mangle\n:PREROUTING ACCEPT [9:540]\n[0:0] -A PREROUTING -d 192.0.2.10/32 -j MARK --set-xmark 0x7/0xff\nCOMMIT\n",
      INET,
      "iptables",
    ),
  };
  assert.deepEqual(find([marked], { firewall: inside }), ["fwm/7"]);
  assert.deepEqual(find([marked], { firewall: never }), []);
  const strangers = [
    {
      address: address("192.0.2.1"),
      device: 1,
      hardwareAddress: Uint8Array.of(2, 0, 0, 0, 1, 9),
    },
  ];
  const stations = { nextHops: new Map(), strangers };
  assert.deepEqual(find([SERVICE], { stations }), []);
});

test("unreached: a machine with a backup sync daemon is asked about only if it has the address, as after a take-over", () => {
  const daemon = {
    state: BACKUP,
    multicastInterface: "eth1",
    syncId: 1,
  } as const;
  const findOn = (
    place: Partial<Device>,
    own = ["192.0.2.1/32"],
    table = [SERVICE],
    values: Parameters<typeof sysctls>[0] = {},
  ) =>
    unreached.examine({
      table,
      allServices: table,
      daemons: [daemon],
      network: network(
        [route("192.0.2.1", "local", 1), route("192.0.2.10", "unicast", 1)],
        {
          devices: [device(1, place)],
          addresses: own.map((text) => ownAddress(1, text)),
        },
      ),
      connections: connectionTable(),
      sysctls: sysctls(values),
      firewall: { tables: [], unread: [] },
    });
  const [finding] = findOn({});
  assert.equal(finding?.subject, "tcp/192.0.2.1:80");
  assert.match(finding.evidence?.join() ?? "", /has taken the address over/);
  assert.ok(
    finding.next?.some(
      ({ command }) => command === "arping -U -c 3 -I eth1 192.0.2.1",
    ),
  );
  assert.deepEqual(findOn({ kind: "dummy" }), []);
  assert.deepEqual(findOn({ loopback: true, asksNeighbors: false }), []);
  assert.deepEqual(findOn({}, []), []);
  // Connections that came by synchronization are no packets; counted ones are.
  const synced = { ...SERVER, activeConnections: 3 };
  assert.equal(
    findOn({}, undefined, [serviceAt("192.0.2.1", [synced])]).length,
    1,
  );
  const used = { ...SERVICE, stats: stats({ inPackets: 1n }) };
  assert.deepEqual(
    findOn({}, undefined, undefined, { "net.ipv4.vs.backup_only": 1 }),
    [],
  );
  assert.deepEqual(findOn({}, undefined, [used]), []);
});
