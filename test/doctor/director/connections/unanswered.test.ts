import assert from "node:assert/strict";
import { test } from "node:test";
import type { ConnectionGroup } from "../../../../src/doctor/connections.js";
import { unanswered } from "../../../../src/doctor/director/connections/unanswered.js";
import { parseIptablesSave } from "../../../../src/doctor/firewall/iptables-save.js";
import { INET } from "../../../../src/ipvs/address.js";
import {
  MASQUERADING,
  PERSISTENT,
  TUNNEL_GRE,
  TUNNEL_GUE,
  TUNNEL_IPIP,
  TUNNELING,
  type ServerSettings,
  type ServiceSettings,
  type ServiceWithServers,
  type Stats,
} from "../../../../src/ipvs/model.js";
import {
  address,
  serverEntry,
  serviceEntry,
  stats,
} from "../../../fixtures/entries.js";
import { connectionGroup, connectionTable } from "../../made-up-connections.js";
import { neighbor, network, ownAddress, route } from "../../made-up-network.js";
import { serviceAt, sysctls } from "../../made-up.js";

const TIMEOUTS = { tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 };
const source = address("192.0.2.2");
const WAYS = ["192.0.2.10", "192.0.2.11"].map((to) =>
  route(to, "unicast", 1, undefined, { source }),
);

interface Given {
  readonly table?: readonly ServiceWithServers[];
  readonly around?: Parameters<typeof network>[1];
  /** As iptables-save prints it */
  readonly rules?: string;
  readonly conntrack?: number;
}

/** What is found, a line each, with the next step. */
function find(
  groups: readonly ConnectionGroup[],
  settings: Partial<ServerSettings> = {},
  { table, around = {}, rules = "", conntrack = 0 }: Given = {},
) {
  const services = table ?? [
    serviceAt("192.0.2.1", [serverEntry("192.0.2.10", 80, settings)]),
  ];
  return unanswered.examine({
    table: services,
    allServices: services,
    network: network(WAYS, around),
    stations: { nextHops: new Map(), strangers: [] },
    connections: connectionTable(groups),
    timeouts: TIMEOUTS,
    sysctls: sysctls({ "net.ipv4.vs.conntrack": conntrack }),
    firewall: {
      tables: parseIptablesSave(rules, INET, "iptables"),
      unread: [],
    },
  });
}

const NAT = { forwarding: MASQUERADING };
const THREE = connectionGroup({ SYN_RECV: [58, 40, 3] });

test("unanswered: connections that all stay half open lead to the real server, and to no change", () => {
  const [finding, ...others] = find([THREE], NAT);
  assert.deepEqual(others, []);
  assert.equal(finding?.id, "nat-unanswered");
  assert.equal(finding.subject, "192.0.2.10:80 of tcp/192.0.2.1:80");
  assert.deepEqual(finding.fix, []);
  assert.deepEqual(finding.next, [
    {
      command:
        "ipvsadm doctor --real-server tcp/192.0.2.1:80 --method masq --server 192.0.2.10:80 --director 192.0.2.2",
      on: "real server 192.0.2.10",
    },
  ]);
});

test("unanswered: the command for the real server names its method and a client that waits", () => {
  const group = { ...THREE, openingClients: [address("203.0.113.7")] };
  const command = (settings: Partial<ServerSettings>) =>
    find([group], settings)[0]?.next?.[0]?.command;
  assert.equal(
    command({}),
    "ipvsadm doctor --real-server tcp/192.0.2.1:80 --method direct --director 192.0.2.2 --client 203.0.113.7",
  );
  const tunnel = { type: TUNNEL_GUE, port: 6080, flags: 0 };
  assert.match(
    command({ forwarding: TUNNELING, tunnel }) ?? "",
    / --method gue --tun-port 6080 --director /,
  );
});

test("unanswered: packets out of a tunnel are ICMP errors, and the cure names what a firewall must pass", () => {
  const tunneled = (
    tunnel: Partial<ServerSettings["tunnel"]>,
    counted: Partial<Stats>,
  ) => {
    const settings = {
      forwarding: TUNNELING,
      tunnel: { type: TUNNEL_IPIP, port: 0, flags: 0, ...tunnel },
    };
    const server = serverEntry("192.0.2.10", 80, settings);
    const table = [
      serviceAt("192.0.2.1", [{ ...server, stats: stats(counted) }]),
    ];
    const [finding] = find([THREE], settings, { table });
    assert.equal(finding?.id, "tunnel-unanswered");
    return { evidence: finding.evidence, cure: finding.cure ?? "" };
  };
  const errors = { outPackets: 16n, outBytes: 1184n };
  const says = (packets: string) => [
    `counters of 192.0.2.10:80 since it was added: 16 packets out; answers do not pass the director, so packets out are ICMP errors about the tunnel's packets: nothing on the server unpacks ${packets}, a firewall rejects it, or a router does not reach the server`,
  ];
  const gue = tunneled({ type: TUNNEL_GUE, port: 6080 }, errors);
  assert.deepEqual(gue.evidence, says("UDP port 6080 (GUE)"));
  assert.match(gue.cure, / in between pass UDP port 6080 \(GUE\)\. A router /);
  assert.deepEqual(
    tunneled({ type: TUNNEL_GRE }, errors).evidence,
    says("protocol 47 (GRE)"),
  );
  assert.deepEqual(
    tunneled({}, errors).evidence,
    says("protocol 4 (IP in IP)"),
  );
  // A tunnel that works gets messages about packets that are too big.
  const tooBig = { outPackets: 2n, outBytes: 1100n };
  assert.deepEqual(tunneled({}, tooBig).evidence, []);
  assert.deepEqual(tunneled({}, {}).evidence, []);
});

test("unanswered: packets out of direct routing and of firewall marks say nothing", () => {
  const counted = { stats: stats({ outPackets: 16n, outBytes: 1184n }) };
  const direct = { ...serverEntry("192.0.2.10", 80), ...counted };
  const table = [serviceAt("192.0.2.1", [direct])];
  assert.deepEqual(find([THREE], {}, { table })[0]?.evidence, []);
  const marked = {
    ...serverEntry("192.0.2.10", 80, { forwarding: TUNNELING }),
    ...counted,
    inactiveConnections: 3,
  };
  const key = { family: INET, firewallMark: 7 } as const;
  const marks = [serviceEntry(key, {}, [marked])];
  assert.deepEqual(find([THREE], {}, { table: marks })[0]?.evidence, []);
});

test("unanswered: two connections of one server can be on their way", () => {
  assert.deepEqual(find([connectionGroup({ SYN_RECV: [58, 58] })], NAT), []);
});

test("unanswered: two connections of each server count together if all servers are silent", () => {
  const second = address("192.0.2.11");
  const table = [
    serviceAt("192.0.2.1", [
      serverEntry("192.0.2.10", 80, NAT),
      serverEntry("192.0.2.11", 80, NAT),
    ]),
  ];
  const two = { SYN_RECV: [58, 58] };
  const both = [connectionGroup(two), connectionGroup(two, { server: second })];
  assert.equal(find(both, NAT, { table }).length, 2);
  const answering = [
    connectionGroup(two),
    connectionGroup({ ...two, ESTABLISHED: [900] }, { server: second }),
  ];
  assert.deepEqual(find(answering, NAT, { table }), []);
});

test("unanswered: a connection that got further since they began clears the server", () => {
  // The last packet of the established ones was 30 seconds ago, of the ending ones 31.
  const before = { ESTABLISHED: [870, 400], FIN_WAIT: [89] };
  const group = (opening: number[]) =>
    connectionGroup({ ...before, SYN_RECV: opening });
  assert.equal(find([group([58, 40, 31])], NAT).length, 1);
  assert.deepEqual(find([group([58, 30, 29])], NAT), []);
});

test("unanswered: a server that does not answer ARP is another finding", () => {
  const neighbors = [neighbor(1, "192.0.2.10", undefined, "failed")];
  assert.deepEqual(find([THREE], NAT, { around: { neighbors } }), []);
});

test("unanswered: a firewall mark has no more connections than the kernel counts for its server", () => {
  const key = { family: INET, firewallMark: 7 } as const;
  const server = serverEntry("192.0.2.10", 80, NAT);
  const table = (inactiveConnections: number) => [
    serviceEntry(key, {}, [{ ...server, inactiveConnections }]),
  ];
  assert.deepEqual(find([THREE], NAT, { table: table(0) }), []);
  assert.equal(find([THREE], NAT, { table: table(3) }).length, 1);
});

test("unanswered: a firewall mark has none of the connections of a service with an address", () => {
  const key = { family: INET, firewallMark: 7 } as const;
  const server = {
    ...serverEntry("192.0.2.10", 80, NAT),
    inactiveConnections: 3,
  };
  const table = [
    serviceEntry(key, {}, [server]),
    serviceAt("192.0.2.1", [serverEntry("192.0.2.10", 80, NAT)]),
  ];
  assert.deepEqual(
    find([THREE], NAT, { table }).map(({ subject }) => subject),
    ["192.0.2.10:80 of tcp/192.0.2.1:80"],
  );
});

test("unanswered: a firewall rule of the director that stops the answers is another finding", () => {
  const rules = `*filter
:FORWARD DROP [3:120]
COMMIT
`;
  assert.deepEqual(find([THREE], NAT, { rules }), []);
});

test("unanswered: a rule that cannot be judged is evidence", () => {
  const rules = `*filter
:FORWARD ACCEPT [0:0]
[9:540] -A FORWARD -m recent --rcheck -j DROP
COMMIT
`;
  assert.deepEqual(find([THREE], NAT, { rules })[0]?.evidence, [
    'rule 1 of chain FORWARD (iptables, table filter), "-m recent --rcheck -j DROP", 9 packets, perhaps drops answers of real server 192.0.2.10:80: doctor cannot judge all of its conditions',
  ]);
});

test("unanswered: a client in the server's own network is another finding", () => {
  const client = address("192.0.2.77");
  const group = { ...THREE, openingClients: [client] };
  const beside = network([...WAYS, route("192.0.2.77", "unicast", 1)]);
  const addresses = [ownAddress(1, "192.0.2.2/24")];
  assert.deepEqual(
    find([group], NAT, { around: { ways: beside.ways, addresses } }),
    [],
  );
});

test("unanswered: it names the clients that wait if the server answered others", () => {
  const group = {
    ...THREE,
    openingClients: ["203.0.113.7", "203.0.113.8"].map(address),
    clients: ["203.0.113.7", "203.0.113.8"].map(address),
  };
  assert.deepEqual(find([group], NAT)[0]?.evidence, []);
  const ended = connectionGroup(
    { SYN_RECV: [58, 40, 31], TIME_WAIT: [80] },
    {
      openingClients: group.openingClients,
      clients: [address("203.0.113.9"), ...group.clients],
    },
  );
  assert.deepEqual(find([ended], NAT)[0]?.evidence, [
    "the requests of 203.0.113.7, 203.0.113.8 wait; this server answered 203.0.113.9 before",
  ]);
});

const SNAT = (source: string, packets = 4) => `*nat
:POSTROUTING ACCEPT [0:0]
[${packets}:240] -A POSTROUTING -o eth1 -m ipvs --vaddr 192.0.2.1/32 --vport 80 -j SNAT --to-source ${source}
COMMIT
`;

test("unanswered: with SNAT the server is asked for the client that it sees", () => {
  const group = { ...THREE, openingClients: [address("203.0.113.7")] };
  const own = route("192.0.2.2", "local", 1);
  const next = (rules: string) =>
    find([group], NAT, {
      rules,
      conntrack: 1,
      around: {
        addresses: [ownAddress(1, "192.0.2.2/24")],
        ways: network([...WAYS, own]).ways,
      },
    })[0]?.next?.[0];
  const seen = next(SNAT("192.0.2.2"));
  assert.match(seen?.command ?? "", / --client 192\.0\.2\.2$/);
  assert.equal(
    seen?.effect,
    'changes nothing; --client is the address that the server sees instead of its clients\': rule 1 of chain POSTROUTING (iptables, table nat), "-o eth1 -m ipvs --vaddr 192.0.2.1/32 --vport 80 -j SNAT --to-source 192.0.2.2", 4 packets',
  );
  const masquerade = SNAT("").replace("SNAT --to-source ", "MASQUERADE");
  assert.match(next(masquerade)?.command ?? "", / --client 192\.0\.2\.2$/);
  // With no packet, and for another service no source is translated.
  for (const rules of [
    SNAT("192.0.2.2", 0),
    SNAT("192.0.2.2").replace("--vport 80", "--vport 81"),
  ]) {
    assert.match(next(rules)?.command ?? "", / --client 203\.0\.113\.7$/);
    assert.equal(next(rules)?.effect, undefined);
  }
});

test("unanswered: SNAT that sees no packet, or has an address of nobody, is another finding", () => {
  const around = {
    addresses: [ownAddress(1, "192.0.2.2/24")],
    ways: network([...WAYS, route("192.0.2.3", "unicast", 1)]).ways,
  };
  const given = { rules: SNAT("192.0.2.3"), around };
  assert.deepEqual(find([THREE], NAT, { ...given, conntrack: 1 }), []);
  assert.deepEqual(find([THREE], NAT, given), []);
  const other = SNAT("192.0.2.3").replace("--vport 80", "--vport 81");
  assert.equal(find([THREE], NAT, { rules: other, around }).length, 1);
});

/** Two servers with direct routing: what is found if these connections are with each of them. */
function beside(
  first: Readonly<Record<string, readonly number[]>>,
  second: Readonly<Record<string, readonly number[]>>,
  settings: Partial<ServiceSettings> = {},
) {
  const servers = ["192.0.2.10", "192.0.2.11"];
  const table = [
    serviceAt(
      "192.0.2.1",
      servers.map((text) => serverEntry(text, 80)),
      settings,
    ),
  ];
  const groups = [first, second].map((states, at) =>
    connectionGroup(states, { server: address(servers[at] ?? "") }),
  );
  return find(groups, {}, { table });
}

test("unanswered: two connections that wait for seconds are enough if another server answers meanwhile", () => {
  // FIN_WAIT lasts 120 seconds: the last packet was 2 seconds ago.
  const [finding, ...others] = beside(
    { SYN_RECV: [57, 59] },
    { FIN_WAIT: [114, 118] },
  );
  assert.deepEqual(others, []);
  assert.equal(finding?.id, "direct-unanswered");
  assert.equal(finding.subject, "192.0.2.10:80 of tcp/192.0.2.1:80");
  assert.equal(finding.certainty, "likely");
  assert.deepEqual(finding.evidence, [
    "meanwhile 192.0.2.11:80 answered connections of the same service",
  ]);
});

test("unanswered: two connections that wait are no evidence if they are young, if no other server answers, or if the client can be the cause", () => {
  const old = { SYN_RECV: [57, 59] };
  const answers = { FIN_WAIT: [118] };
  assert.equal(beside(old, answers).length, 1);
  assert.deepEqual(beside({ SYN_RECV: [57] }, answers), []);
  assert.deepEqual(beside({ SYN_RECV: [58, 59] }, answers), []);
  // The other server answered before, and not since.
  assert.deepEqual(beside(old, { FIN_WAIT: [110] }), []);
  assert.deepEqual(beside(old, {}), []);
  assert.deepEqual(beside(old, answers, { flags: PERSISTENT }), []);
  for (const scheduler of ["sh", "mh"])
    assert.deepEqual(beside(old, answers, { scheduler }), []);
});

test("unanswered: two connections that wait from before a repair are no evidence, and three say how old they are", () => {
  const before = { SYN_RECV: [38, 40] };
  // Nobody had answered before their last packets, 20 and 22 seconds ago.
  assert.deepEqual(beside(before, { FIN_WAIT: [105, 118] }), []);
  assert.equal(beside(before, { FIN_WAIT: [99, 118] }).length, 1);
  assert.equal(beside(before, { FIN_WAIT: [70, 118] }).length, 1);
  const old =
    "the last packet of those that wait came 20 s ago: if something was repaired since, let a client try again";
  const evidence = (waiting: readonly number[]) =>
    beside({ SYN_RECV: waiting }, { FIN_WAIT: [118] })[0]?.evidence;
  assert.deepEqual(evidence([30, 38, 40]), [old]);
  assert.deepEqual(evidence([30, 38, 51]), []);
});

test("unanswered: under load a healthy server has connections that wait, and others that got further since", () => {
  const busy = {
    SYN_RECV: [31, 44, 52, 57, 60, 60, 60],
    ESTABLISHED: Array.from({ length: 500 }, (_, i) => 900 - (i % 60)),
    FIN_WAIT: Array.from({ length: 300 }, (_, i) => 120 - (i % 60)),
  };
  assert.deepEqual(beside(busy, busy), []);
  assert.deepEqual(beside(busy, { FIN_WAIT: [120, 119] }), []);
});

/**
 * Two servers with direct routing, the second one this machine: what is found if these connections are with the first one.
 */
function besideThisMachine(
  first: Readonly<Record<string, readonly number[]>>,
  {
    own = {},
    isHere = true,
    counted = {},
    bound = 0,
    ...settings
  }: Partial<ServerSettings> & {
    own?: Readonly<Record<string, readonly number[]>>;
    isHere?: boolean;
    counted?: Partial<Stats>;
    /** How many connections the kernel counts for the first server */
    bound?: number;
  } = {},
) {
  const second = address("192.0.2.11");
  const table = [
    serviceAt("192.0.2.1", [
      {
        ...serverEntry("192.0.2.10", 80, settings),
        stats: stats(counted),
        inactiveConnections: bound,
      },
      serverEntry("192.0.2.11", 80),
    ]),
  ];
  const groups = [
    connectionGroup(first),
    connectionGroup(own, { server: second }),
  ];
  const ways = network([
    ...WAYS.slice(0, 1),
    route("192.0.2.11", isHere ? "local" : "unicast", 1),
  ]).ways;
  return find(groups, {}, { table, around: { ways } });
}

const PARTLY = { SYN_RECV: [50, 55], FIN_WAIT: [108, 114] };

test("unanswered: a server that answers only some requests is perhaps a second director, if this machine is a server as well", () => {
  const looping = { connections: 4n, inPackets: 74n, inBytes: 4440n };
  const [finding, ...others] = besideThisMachine(PARTLY, { counted: looping });
  assert.deepEqual(others, []);
  assert.equal(finding?.id, "direct-unanswered");
  assert.equal(finding.certainty, "likely");
  assert.equal(finding.subject, "192.0.2.10:80 of tcp/192.0.2.1:80");
  assert.equal(
    finding.seen,
    "2 connections wait in SYN_RECV, and 2 beside them were answered",
  );
  assert.deepEqual(finding.evidence, [
    "this machine is a real server of the service as well: if 192.0.2.10 is a director, too, it perhaps balances requests again, and sends a part of them back here; the command under Next looks at the IPVS table there",
    "192.0.2.10:80 has got 74 small packets for 4 connections since it was added, as if they went round in a loop",
  ]);
  assert.equal(
    finding.next?.[0]?.command,
    "ipvsadm doctor --real-server tcp/192.0.2.1:80 --method direct --director 192.0.2.2",
  );
  const [tunneled] = besideThisMachine(PARTLY, { forwarding: TUNNELING });
  assert.equal(tunneled?.id, "tunnel-unanswered");
  assert.equal(tunneled.evidence?.length, 1);
});

test("unanswered: a server that answers some requests is no finding if nothing speaks for a second director", () => {
  assert.equal(besideThisMachine(PARTLY).length, 1);
  assert.deepEqual(besideThisMachine(PARTLY, { isHere: false }), []);
  assert.deepEqual(besideThisMachine(PARTLY, { forwarding: MASQUERADING }), []);
  assert.deepEqual(besideThisMachine(PARTLY, { own: { SYN_RECV: [50] } }), []);
  for (const first of [
    // Young, a single one, a small share
    { SYN_RECV: [58, 59], FIN_WAIT: [118, 119] },
    { SYN_RECV: [50], FIN_WAIT: [114] },
    { ...PARTLY, FIN_WAIT: [108, 109, 110, 111, 112, 113, 114] },
    // It has answered since.
    { ...PARTLY, FIN_WAIT: [108, 117] },
  ])
    assert.deepEqual(besideThisMachine(first), [], JSON.stringify(first));
  // Most of these are not the server's: a master sent them for a table of before.
  const many = { ...PARTLY, FIN_WAIT: [108, 109, 110, 111, 112, 113, 114] };
  assert.equal(besideThisMachine(many, { bound: 5 }).length, 1);
  assert.deepEqual(besideThisMachine(many, { bound: 9 }), []);
});
