import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type {
  ConnectionGroup,
  Connections,
} from "../../../src/doctor/connections.js";
import { clientsBeside } from "../../../src/doctor/director/nat/beside-clients.js";
import { PLAIN } from "../../../src/cli/color.js";
import { traceJson, traceText } from "../../../src/commands/doctor/client.js";
import type { SeenConnection } from "../../../src/doctor/director/client/connections.js";
import { traceClient } from "../../../src/doctor/director/client/trace.js";
import { drainedServers } from "../../../src/doctor/director/servers/drained.js";
import { directorFirewall } from "../../../src/doctor/director/firewall/stopped-traffic.js";
import {
  idleConnections,
  limits,
} from "../../../src/doctor/director/machine/limits.js";
import { overwrittenMarks } from "../../../src/doctor/director/marks/overwritten.js";
import { unmatchedMarks } from "../../../src/doctor/director/marks/marks.js";
import { marks } from "../../../src/doctor/director/marks/unset.js";
import { activeBackups } from "../../../src/doctor/director/sync/backups.js";
import type { Probe } from "../../../src/doctor/probe-result.js";
import { redirects } from "../../../src/doctor/director/nat/redirects.js";
import { refusals } from "../../../src/doctor/director/servers/refusals.js";
import type { Facts } from "../../../src/doctor/facts.js";
import { parseIptablesSave } from "../../../src/doctor/firewall/iptables-save.js";
import { parseNftJson } from "../../../src/doctor/firewall/nft-json.js";
import type { Firewall } from "../../../src/doctor/firewall/read-firewall.js";
import { formatAddress, INET, type Family } from "../../../src/ipvs/address.js";
import {
  BACKUP,
  DIRECT_ROUTING,
  MASQUERADING,
  PERSISTENT,
  TUNNEL_GUE,
  TUNNELING,
  UDP,
  type ServerEntry,
  type ServiceWithServers,
  type Stats,
} from "../../../src/ipvs/model.js";
import {
  address,
  serverEntry,
  serviceEntry,
  stats,
} from "../../fixtures/entries.js";
import { nextHopTo, type Network } from "../../../src/doctor/network.js";
import type { Rule } from "../../../src/rtnl/model.js";
import { connectionGroup, connectionTable } from "../made-up-connections.js";
import {
  device,
  mac,
  neighbor,
  network,
  ownAddress,
  route,
} from "../made-up-network.js";
import { serviceAt, sysctls, told } from "../made-up.js";

/*
 * A director between clients on eth1 (192.0.2.0/24, with the virtual address 192.0.2.1) and masqueraded servers on eth2
 * (10.0.0.0/24).
 */
const SERVER = masqueraded("10.0.0.11");
const SERVICE = serviceAt("192.0.2.1", [SERVER]);
const NETWORK = network(
  [
    route("192.0.2.1", "local", 1),
    route("192.0.2.77", "unicast", 1),
    route("192.0.0.8", "unicast", 1, "192.0.2.254"),
    route("10.0.0.11", "unicast", 2),
    route("10.0.0.12", "unicast", 2),
    route("10.0.0.100", "unicast", 2),
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
const SYSCTLS = {
  "net.ipv4.vs.conntrack": 0,
  "net.ipv4.vs.backup_only": 0,
  "net.ipv4.vs.expire_nodest_conn": 0,
  "net.ipv4.conf.all.send_redirects": 1,
  "net.ipv4.conf.eth2.send_redirects": 0,
};

function masqueraded(
  text: string,
  given: Partial<ServerEntry> = {},
): ServerEntry {
  const server = serverEntry(text, 80, { forwarding: MASQUERADING });
  return { ...server, ...given };
}

/** Facts of that director. @param rules as iptables-save prints them */
function facts(
  given: Partial<Facts> & {
    groups?: readonly ConnectionGroup[];
    rules?: string;
  } = {},
): Facts {
  const { groups = [], rules = "", table = [SERVICE], ...rest } = given;
  return {
    table,
    allServices: table,
    daemons: [],
    network: NETWORK,
    stations: { nextHops: new Map(), strangers: [] },
    connections: connectionTable(groups),
    timeouts: { tcpSeconds: 900, tcpFinSeconds: 120, udpSeconds: 300 },
    sysctls: sysctls(SYSCTLS),
    firewall: {
      tables: parseIptablesSave(rules, INET, "iptables"),
      unread: [],
    },
    probes: [],
    ...rest,
  };
}

/** Connections with a server. */
function group(
  states: Record<string, number[]>,
  client: string,
  server = "10.0.0.11",
): ConnectionGroup {
  const clients = [address(client)];
  return connectionGroup(states, {
    server: address(server),
    clients,
    openingClients: states["SYN_RECV"] ? clients : [],
  });
}

const filter = (text: string) => `*filter\n${text}\nCOMMIT\n`;

suite("directorFirewall", () => {
  const find = (rules: string, given: Partial<Facts> = {}) =>
    directorFirewall.examine(facts({ rules, ...given }));

  test("directorFirewall names the policy of FORWARD, its count, and the rule that accepts the answers", () => {
    const [finding, ...others] = find(filter(":FORWARD DROP [9:540]"));
    assert.deepEqual(others, []);
    assert.equal(
      finding?.seen,
      "the policy of chain FORWARD (iptables, table filter), 9 packets, drops answers of real server 10.0.0.11:80",
    );
    assert.deepEqual(finding.fix, [
      {
        command:
          "iptables -t filter -A FORWARD -i eth2 -o eth1 -s 10.0.0.11/32 -p tcp --sport 80 ! --syn -j ACCEPT",
        effect:
          "accepts answers of real server 10.0.0.11:80 that come in by eth2 and leave by eth1, behind all rules of chain FORWARD; new connections from there (SYN) meet the existing rules; add it to the firewall's configuration to keep it",
      },
    ]);
  });

  test("directorFirewall reports one rule once, with all that it stops", () => {
    const table = [serviceAt("192.0.2.1", [SERVER, masqueraded("10.0.0.12")])];
    const found = find(filter(":FORWARD DROP [9:540]"), {
      table,
      allServices: table,
    });
    assert.equal(found.length, 1);
    assert.equal(found[0]?.fix.length, 2);
  });

  test("directorFirewall counts the connections that wait as evidence", () => {
    const waiting = [group({ SYN_RECV: [58, 57, 56] }, "192.0.2.77")];
    const [finding] = directorFirewall.examine(
      facts({ rules: filter(":FORWARD DROP [9:540]"), groups: waiting }),
    );
    assert.deepEqual(finding?.evidence, [
      "3 connections to 10.0.0.11:80 wait in SYN_RECV",
    ]);
  });

  test("directorFirewall explains rules by state", () => {
    const rules = filter(
      ":FORWARD DROP [3:120]\n[0:0] -A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
    );
    assert.match(find(rules)[0]?.evidence?.join() ?? "", /conntrack is 0/);
    const tracked = sysctls({ ...SYSCTLS, "net.ipv4.vs.conntrack": 1 });
    assert.deepEqual(find(rules, { sysctls: tracked }), []);
  });

  test("directorFirewall says nothing about a rule for some clients, as long as none is known", () => {
    const rules = filter(
      ":INPUT ACCEPT [0:0]\n[9:540] -A INPUT -s 203.0.113.0/24 -j DROP",
    );
    assert.deepEqual(find(rules), []);
  });

  test("directorFirewall says nothing about a rule for one of two interfaces to clients", () => {
    const rules = filter(
      ":INPUT ACCEPT [0:0]\n[9:540] -A INPUT -i eth1 -p tcp --dport 80 -j DROP",
    );
    assert.equal(find(rules).length, 1);
    const both = network(
      [...NETWORK.ways.values()].filter((way) => typeof way === "object"),
      {
        devices: [...NETWORK.devices, device(3)],
        addresses: [...NETWORK.addresses, ownAddress(3, "192.0.2.3/24")],
      },
    );
    assert.deepEqual(find(rules, { network: both }), []);
  });

  test("directorFirewall is silent on a backup", () => {
    const daemons = [
      {
        state: BACKUP,
        multicastInterface: "eth1",
        syncId: 0,
        multicastGroup: undefined,
        multicastPort: undefined,
        multicastTtl: undefined,
        maximumLength: undefined,
      },
    ] as unknown as NonNullable<Facts["daemons"]>;
    assert.deepEqual(find(filter(":FORWARD DROP [9:540]"), { daemons }), []);
  });

  test("directorFirewall inserts rules of nft into the chain that nft names", () => {
    const chain = { family: "inet", table: "filter", name: "forward" };
    const { tables } = parseNftJson(
      JSON.stringify({
        nftables: [
          { table: { family: "inet", name: "filter" } },
          {
            chain: {
              ...chain,
              type: "filter",
              hook: "forward",
              prio: 0,
              policy: "drop",
            },
          },
        ],
      }),
    );
    const [finding] = find("", { firewall: { tables, unread: [] } });
    assert.equal(
      finding?.seen,
      "the policy of chain forward (nft, table inet filter), which does not count packets, drops answers of real server 10.0.0.11:80",
    );
    assert.equal(
      finding.fix[0]?.command,
      `nft add rule inet filter forward 'iifname "eth2" oifname "eth1" ip saddr 10.0.0.11 tcp sport 80 tcp flags & (fin | syn | rst | ack) != syn' accept`,
    );
  });

  test("directorFirewall reports DNAT of a virtual service as a redirection", () => {
    const rules =
      "*nat\n:PREROUTING ACCEPT [0:0]\n[3:180] -A PREROUTING -d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j DNAT --to-destination 10.0.0.99:80\nCOMMIT\n";
    const [finding] = find(rules);
    assert.equal(finding?.id, "firewall-redirects");
    assert.equal(
      finding.fix[0]?.command,
      "iptables -t nat -I PREROUTING 1 -d 192.0.2.1/32 -p tcp --dport 80 -j ACCEPT",
    );
  });
});

suite("refusals", () => {
  const counted = (given: Partial<Stats>, probes: Probe["result"][] = []) => {
    const server = masqueraded("10.0.0.11", { stats: stats(given) });
    const service = serviceAt("192.0.2.1", [server]);
    return refusals.examine(
      facts({
        table: [service],
        probes: probes.map((result) => ({ service, server, result })),
      }),
    );
  };
  const REFUSING = {
    connections: 6n,
    inPackets: 6n,
    outPackets: 6n,
    inBytes: 360n,
    outBytes: 240n,
  };

  test("refusals: one small packet each way for a connection is a refusal", () => {
    const [finding] = counted(REFUSING);
    assert.equal(finding?.id, "server-refuses");
    assert.equal(finding.certainty, "likely");
    assert.equal(
      finding.seen,
      "since it was added it had 6 connections, 6 packets in and 6 out, of 60 and 40 bytes: one reset for each connection",
    );
    assert.deepEqual(finding.next, [
      {
        command:
          "ipvsadm doctor --real-server tcp/192.0.2.1:80 --method masq --server 10.0.0.11:80",
        on: "real server 10.0.0.11",
      },
      { command: "ipvsadm doctor --probe" },
    ]);
    assert.deepEqual(finding.fix, [], "counters are no proof");
  });

  test("refusals: two refused connections are enough at an address of another machine", () => {
    const two = {
      ...{ connections: 2n, inPackets: 2n, outPackets: 2n },
      ...{ inBytes: 120n, outBytes: 80n },
    };
    const server = masqueraded("10.0.0.11", { stats: stats(two) });
    const find = (...neighbors: Network["neighbors"]) =>
      refusals.examine(
        facts({
          table: [serviceAt("192.0.2.1", [server])],
          network: { ...NETWORK, neighbors },
        }),
      );
    const known = neighbor(2, "10.0.0.11", 5);
    assert.deepEqual(find(known), []);
    const [finding] = find(known, neighbor(2, "10.0.0.20", 5));
    assert.equal(finding?.id, "server-refuses");
    assert.equal(finding.certainty, "likely");
    assert.deepEqual(finding.fix, []);
  });

  test("refusals: the next step carries the hardware address that the director reaches, and the other addresses there are named", () => {
    const server = masqueraded("10.0.0.11", { stats: stats(REFUSING) });
    const find = (neighbors: Network["neighbors"], asked?: Uint8Array) => {
      const [finding] = refusals.examine(
        facts({
          table: [serviceAt("192.0.2.1", [server])],
          network: { ...NETWORK, neighbors },
          stations: {
            nextHops: new Map(asked ? [["10.0.0.11", asked]] : []),
            strangers: [],
          },
        }),
      );
      const command = finding?.next?.[0]?.command ?? "";
      return [/--hardware-address (\S+)/.exec(command)?.[1], finding?.evidence];
    };
    const known = neighbor(2, "10.0.0.11", 5);
    const other = neighbor(2, "10.0.0.20", 5, "stale");
    assert.deepEqual(find([known]), ["02:00:00:00:01:05", []]);
    assert.deepEqual(find([known], mac(6)), ["02:00:00:00:01:06", []]);
    assert.deepEqual(find([known, other]), [
      "02:00:00:00:01:05",
      [
        "10.0.0.11 and 10.0.0.20 have the same hardware address, 02:00:00:00:01:05: they are addresses of one machine, which perhaps is not this server",
      ],
    ]);
    // Elsewhere it says nothing.
    assert.deepEqual(find([known, neighbor(1, "10.0.0.20", 5)])[1], []);
    assert.deepEqual(find([known, neighbor(2, "10.0.0.20", 6)])[1], []);
    // A router that answers for all machines has the hardware address of all of them.
    const router = neighbor(1, "192.0.2.254", 5);
    assert.deepEqual(find([known, other, router]), [undefined, []]);
    assert.deepEqual(find([]), [undefined, []]);
  });

  test("refusals: only a probe gives a reason to take the server out", () => {
    const [proven] = counted(REFUSING, ["refused"]);
    assert.match(
      proven?.fix[0]?.effect ?? "",
      /does not repair the server: .* its weight is set again, which was 1$/,
    );
  });

  test("refusals: with source hashing a server is deleted only if a probe proves that it refuses", () => {
    const server = masqueraded("10.0.0.11", { stats: stats(REFUSING) });
    const service = serviceAt("192.0.2.1", [server], { scheduler: "sh" });
    const commands = (probes: readonly Probe[]) =>
      refusals
        .examine(facts({ table: [service], probes }))
        .flatMap(({ fix }) => fix.map(({ command }) => command));
    assert.deepEqual(commands([]), []);
    const probes = [{ service, server, result: "refused" }] as const;
    assert.deepEqual(commands(probes), [
      "ipvsadm -d -t 192.0.2.1:80 -r 10.0.0.11:80",
    ]);
    const [proven] = refusals.examine(facts({ table: [service], probes }));
    assert.match(
      proven?.fix[0]?.effect ?? "",
      /; this adds the server again: ipvsadm -a -t 192\.0\.2\.1:80 -r 10\.0\.0\.11:80 -m -w 1$/,
    );
  });

  test("refusals: a refused connection proves nothing for a firewall mark that may have UDP", () => {
    const server = masqueraded("10.0.0.11");
    const key = { family: INET, firewallMark: 7 } as const;
    const service = serviceEntry(key, {}, [server]);
    const probes = [{ service, server, result: "refused" }] as const;
    const find = (rules: string, groups: readonly ConnectionGroup[] = []) => {
      const [finding] = refusals.examine(
        facts({ table: [service], probes, rules, groups }),
      );
      assert.equal(finding?.id, "server-refuses");
      assert.equal(finding.fix.length > 0, finding.certainty === "proven");
      return `${finding.certainty ?? ""} ${finding.evidence?.join() ?? ""}`;
    };
    const mangle = (match: string) =>
      `*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING ${match} -j MARK --set-xmark 0x7/0xffffffff\nCOMMIT\n`;
    assert.match(find(""), /^likely a firewall mark has no protocol/);
    assert.match(find(mangle("-d 192.0.2.1/32")), /^likely a firewall mark/);
    assert.equal(find(mangle("-p tcp")), "proven ");
    const open = group({ ESTABLISHED: [890] }, "192.0.2.77");
    assert.equal(find("", [open]), "proven ");
    const datagrams = {
      ...group({ UDP: [290] }, "192.0.2.77"),
      protocol: "UDP",
    };
    for (const groups of [[datagrams], [open, datagrams]])
      assert.match(find("", groups), /^likely the service also has UDP/);
    assert.match(
      find(mangle("-p udp"), [datagrams]),
      /^likely the service also has UDP/,
    );
  });

  test("refusals: an empty datagram that is refused proves it, and one without an answer says nothing", () => {
    const server = masqueraded("10.0.0.11", { stats: stats(REFUSING) });
    const { key } = SERVICE;
    const service = {
      ...serviceAt("192.0.2.1", [server]),
      key: { ...key, protocol: UDP },
    } as ServiceWithServers;
    const find = (...results: Probe["result"][]) =>
      refusals.examine(
        facts({
          table: [service],
          probes: results.map((result) => ({ service, server, result })),
        }),
      );
    const [proven] = find("refused");
    assert.equal(proven?.id, "server-refuses");
    assert.equal(
      proven.seen,
      "an empty datagram from the director's address to 10.0.0.11:80 was refused (ICMP port unreachable)",
    );
    assert.deepEqual(proven.evidence, []);
    assert.deepEqual(find("no answer"), []);
    assert.deepEqual(find("answered"), []);
    assert.deepEqual(find(), []);
    assert.deepEqual(
      find("unreachable"),
      [],
      "a rule on the director itself can refuse to send it",
    );
  });

  test("refusals: data, no answers, few connections or rates of before are none", () => {
    assert.deepEqual(counted({ ...REFUSING, outBytes: 2400n }), []);
    assert.deepEqual(
      counted({ ...REFUSING, outPackets: 0n, outBytes: 0n }),
      [],
    );
    assert.deepEqual(
      counted({ ...REFUSING, connections: 2n, inPackets: 2n, outPackets: 2n }),
      [],
    );
    assert.deepEqual(
      counted({ ...REFUSING, inPackets: 30n, outPackets: 30n }),
      [],
    );
  });

  test("refusals: rates show a server that refuses only now", () => {
    const [finding] = counted({
      connections: 1000n,
      inPackets: 9000n,
      outPackets: 9000n,
      inBytes: 900000n,
      outBytes: 9000000n,
      connectionsPerSecond: 10n,
      inPacketsPerSecond: 10n,
      outPacketsPerSecond: 10n,
      inBytesPerSecond: 600n,
      outBytesPerSecond: 400n,
    });
    assert.match(finding?.seen ?? "", /^per second it had 10 connections/);
  });

  test("refusals: a probe proves it, or clears the server", () => {
    const [proven] = counted(REFUSING, ["refused"]);
    assert.equal(proven?.certainty, "proven");
    assert.match(proven.evidence?.[0] ?? "", /^since it was added it had 6/);
    assert.deepEqual(counted(REFUSING, ["accepted"]), []);
    assert.equal(counted({}, ["refused"])[0]?.id, "server-refuses");
    assert.equal(counted({}, ["no answer"])[0]?.id, "server-probe-failed");
  });

  test("refusals: a probe proves nothing about a server that serves clients meanwhile", () => {
    const serving = {
      connections: 900n,
      connectionsPerSecond: 10n,
      inPacketsPerSecond: 60n,
      outPacketsPerSecond: 50n,
      inBytesPerSecond: 6000n,
      outBytesPerSecond: 60000n,
    };
    for (const [result, id] of [
      ["refused", "server-refuses"],
      ["no answer", "server-probe-failed"],
    ] as const) {
      const [finding] = counted(serving, [result]);
      assert.equal(finding?.id, id);
      assert.equal(finding.certainty, "likely");
      assert.deepEqual(finding.fix, []);
      assert.deepEqual(finding.evidence, [
        "it sends 50 packets per second, and gets 10 new connections per second: more than refusals, so perhaps it refuses only the director's address",
      ]);
    }
    // Clients that try a refused connection again get a reset each time.
    const [refusing] = counted({ ...serving, outPacketsPerSecond: 30n }, [
      "refused",
    ]);
    assert.equal(refusing?.certainty, "proven");
    assert.equal(refusing.fix.length, 1);
  });

  test("refusals: a UDP server that is removed can be added again by the printed command", () => {
    const udp = (outBytesPerSecond: bigint) => {
      const server = masqueraded("10.0.0.11", {
        settings: { ...SERVER.settings, weight: 7, upperThreshold: 500 },
        stats: stats({
          inPacketsPerSecond: 50n,
          outPacketsPerSecond: 50n,
          inBytesPerSecond: 3000n,
          outBytesPerSecond,
        }),
      });
      const service = {
        ...serviceAt("192.0.2.1", [server]),
        key: { ...SERVICE.key, protocol: UDP },
      } as ServiceWithServers;
      const probes = [{ service, server, result: "refused" }] as const;
      const [finding] = refusals.examine(facts({ table: [service], probes }));
      return finding;
    };
    // The datagrams of 60 bytes, in ICMP messages
    const refusing = udp(50n * 88n);
    assert.equal(refusing?.certainty, "proven");
    assert.deepEqual(
      refusing.fix.map(({ command }) => command),
      [
        "sysctl -w net.ipv4.vs.expire_nodest_conn=1",
        "ipvsadm -d -u 192.0.2.1:80 -r 10.0.0.11:80",
      ],
    );
    assert.equal(
      refusing.fix[1]?.effect,
      "connections to this server end; the next packet of UDP clients gets another server; this adds the server again: ipvsadm -a -u 192.0.2.1:80 -r 10.0.0.11:80 -m -w 7 -x 500; set net.ipv4.vs.expire_nodest_conn back to 0 afterwards",
    );
    const answering = udp(50n * 200n);
    assert.equal(answering?.certainty, "likely");
    assert.deepEqual(answering.fix, []);
  });

  test("refusals: a probe of direct routing is only likely, and says what it does not try", () => {
    const server = serverEntry("10.0.0.11", 80);
    const service = serviceAt("192.0.2.1", [server]);
    const find = (result: Probe["result"]) =>
      refusals.examine(
        facts({ table: [service], probes: [{ service, server, result }] }),
      );
    assert.deepEqual(
      find("refused"),
      [],
      "a program may listen at the virtual address only",
    );
    const [finding] = find("no answer");
    assert.equal(finding?.id, "server-probe-failed");
    assert.equal(finding.certainty, "likely");
    assert.match(
      finding.seen,
      /requests go to the virtual address there, which this does not try$/,
    );
    assert.deepEqual(finding.fix, []);
  });
});

/** A chain of nft that sets mark 7. */
function markInInput(priority: number) {
  const chain = { family: "inet", table: "own" };
  const base = { type: "filter", hook: "input", prio: priority };
  const set = { mangle: { key: { meta: { key: "mark" } }, value: 7 } };
  const { tables } = parseNftJson(
    JSON.stringify({
      nftables: [
        { table: { family: "inet", name: "own" } },
        { chain: { ...chain, ...base, name: "late", policy: "accept" } },
        { rule: { ...chain, chain: "late", expr: [set] } },
      ],
    }),
  );
  return tables;
}

suite("marks", () => {
  const MARKED = serviceEntry({ family: INET, firewallMark: 7 }, {}, [SERVER]);
  const find = (rules: string, unread: string[] = []) =>
    marks.examine(
      facts({
        table: [MARKED],
        firewall: {
          tables: parseIptablesSave(rules, INET, "iptables"),
          unread,
        },
      }),
    );
  const mangle = (chain: string, mark: string) =>
    `*mangle\n:PREROUTING ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:set - [0:0]\n[0:0] -A ${chain} -p tcp -j MARK --set-xmark ${mark}\nCOMMIT\n`;

  test("marks: a service whose mark no rule sets is reported", () => {
    assert.equal(find("")[0]?.seen, "no rule sets mark 7");
    assert.equal(find(mangle("PREROUTING", "0x8/0xffffffff")).length, 1);
    assert.deepEqual(find(mangle("PREROUTING", "0x7/0xffffffff")), []);
    assert.deepEqual(find(mangle("PREROUTING", "0x7/0xff")), []);
  });

  test("marks: the rule is for the variant of iptables that works here", () => {
    const command = (firewall: Firewall) => {
      const [finding] = marks.examine(facts({ table: [MARKED], firewall }));
      // A line with words that the reader must replace is no command.
      assert.deepEqual(finding?.fix, []);
      return /: "(.* -j MARK --set-mark 7)"\. /.exec(finding.cure ?? "")?.[1];
    };
    const rule = "-t mangle -A PREROUTING -d ADDRESS -p PROTOCOL --dport PORT";
    const programs = new Map<Family, string>([[INET, "iptables-legacy"]]);
    for (const [firewall, program] of [
      [{ tables: [], unread: [] }, "iptables"],
      [{ tables: [], unread: [], legacyPrograms: programs }, "iptables-legacy"],
      [
        {
          tables: parseIptablesSave(
            mangle("PREROUTING", "0x8/0xffffffff"),
            INET,
            "iptables-nft",
          ),
          unread: [],
        },
        "iptables-nft",
      ],
    ] as const)
      assert.equal(
        command(firewall),
        `${program} ${rule} -j MARK --set-mark 7`,
      );
  });

  /** What is found for a service of a mark, with rules of the chain PREROUTING. */
  const amid = (
    firewallMark: number,
    rules: readonly string[],
    change: Partial<Facts> = {},
  ) => {
    const key = { family: INET, firewallMark } as const;
    const table = [serviceEntry(key, { scheduler: "rr" }, [SERVER])];
    const text = rules.map((rule) => `[0:0] -A PREROUTING ${rule}\n`).join("");
    const tables = parseIptablesSave(
      `*mangle\n:PREROUTING ACCEPT [0:0]\n${text}COMMIT\n`,
      INET,
      "iptables",
    );
    const firewall = { tables, unread: [] };
    return marks.examine(facts({ table, firewall, ...change }))[0];
  };
  const to = (port: number, mark: string, address = "192.0.2.1/32") =>
    `-d ${address} -p tcp -m tcp --dport ${port} -j MARK --set-xmark ${mark}/0xffffffff`;
  const commandsOf = (finding: ReturnType<typeof amid>) =>
    finding?.fix.map(({ command }) => command);

  test("marks: the command names a chain as a shell reads it, not byte by byte", () => {
    const key = { family: INET, firewallMark: 10 } as const;
    const table = [serviceEntry(key, { scheduler: "rr" }, [SERVER])];
    const save = `*mangle\n:PREROUTING ACCEPT [0:0]\n:café - [0:0]\n[0:0] -A PREROUTING -j café\n[0:0] -A café ${to(80, "0x10")}\nCOMMIT\n`;
    const tables = parseIptablesSave(
      Buffer.from(save).toString("latin1"),
      INET,
      "iptables",
    );
    const firewall = { tables, unread: [] };
    const [finding] = marks.examine(facts({ table, firewall }));
    assert.deepEqual(commandsOf(finding), [
      "iptables -t mangle -R 'café' 1 -d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j MARK --set-mark 10",
    ]);
  });

  test("marks: a rule that sets a mark that no service has is named and corrected", () => {
    const hexadecimal = amid(10, [to(80, "0x10")]);
    assert.equal(
      hexadecimal?.seen,
      'no rule sets mark 10; rule 1 of chain PREROUTING (iptables, table mangle), "-d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j MARK --set-xmark 0x10/0xffffffff", 0 packets, sets mark 16 (0x10), which no service has',
    );
    assert.equal(
      hexadecimal.evidence?.[0],
      "mark 10 of the service is decimal, and the mark of the rule, 0x10, is hexadecimal",
    );
    assert.deepEqual(commandsOf(hexadecimal), [
      "iptables -t mangle -R PREROUTING 1 -d 192.0.2.1/32 -p tcp -m tcp --dport 80 -j MARK --set-mark 10",
    ]);
    const decimal = amid(16, [to(80, "0xa"), to(443, "0xa")]);
    assert.match(
      decimal?.seen ?? "",
      /, and 1 more rule, set mark 10 \(0xa\), /,
    );
    assert.equal(
      decimal?.evidence?.[0],
      "mark 16 of the service is 0x10 in hexadecimal, and mark 10 of the rule is decimal",
    );
    assert.deepEqual(
      commandsOf(decimal),
      [80, 443].map(
        (port, i) =>
          `iptables -t mangle -R PREROUTING ${i + 1} -d 192.0.2.1/32 -p tcp -m tcp --dport ${port} -j MARK --set-mark 16`,
      ),
    );
    const other = amid(7, [to(80, "0x46")]);
    assert.match(
      other?.seen ?? "",
      /sets mark 70 \(0x46\), which no service has$/,
    );
    assert.equal(commandsOf(other)?.length, 1);
  });

  test("marks: where the rule cannot be printed for a shell, the service gets its mark", () => {
    const rule = to(80, "0x10").replace("-j", '-m comment --comment "a $b" -j');
    assert.deepEqual(commandsOf(amid(10, [rule])), [
      "ipvsadm -A -f 16 -s rr",
      "ipvsadm -a -f 16 -r 10.0.0.11:80 -m -w 1",
      "ipvsadm -D -f 10",
    ]);
  });

  test("marks: rules for other addresses, marks of services and marks of routing rules are not meant", () => {
    const plain = "no rule sets mark 10";
    const seen = (...given: Parameters<typeof amid>) => amid(...given)?.seen;
    assert.equal(seen(10, [to(80, "0x10", "198.51.100.1/32")]), plain);
    assert.equal(
      seen(10, ["-p tcp -j MARK --set-xmark 0x10/0xffffffff"]),
      plain,
    );
    assert.equal(
      seen(10, [to(80, "0x10").replace("0xffffffff", "0xff")]),
      plain,
    );
    const allServices = [
      MARKED,
      serviceEntry({ family: INET, firewallMark: 16 }, {}, [SERVER]),
    ];
    assert.equal(seen(10, [to(80, "0x10")], { allServices }), plain);
    const routed = (value: number): Partial<Facts> => ({
      network: {
        ...NETWORK,
        rules: [{ mark: { value, mask: 0xffffffff }, inverted: false } as Rule],
      },
    });
    assert.equal(seen(10, [to(80, "0x46")], routed(70)), plain);
    assert.notEqual(seen(10, [to(80, "0x10")], routed(16)), plain);
  });

  test("marks: of several marks that no service has none is blamed, unless it is the same digits", () => {
    const rules = [to(80, "0x46"), to(443, "0x47")];
    const unclear = amid(10, rules);
    assert.equal(unclear?.seen, "no rule sets mark 10");
    assert.deepEqual(unclear.fix, []);
    assert.match(unclear.evidence?.[0] ?? "", /mark 70 \(0x46\), which no/);
    assert.match(unclear.evidence?.[1] ?? "", /mark 71 \(0x47\), which no/);
    assert.match(
      unclear.cure ?? "",
      /^Find out which rule is for this service/,
    );
    assert.match(amid(10, [...rules, to(81, "0x10")])?.seen ?? "", /mark 16 /);
  });

  test("marks: the connections that are left tell the addresses and ports", () => {
    const groups = [80, 443].map((virtualPort) =>
      connectionGroup(
        { TIME_WAIT: [60] },
        { virtualPort, server: address("10.0.0.11") },
      ),
    );
    const connections = connectionTable(groups);
    const finding = amid(10, [], { connections });
    assert.deepEqual(commandsOf(finding), [
      "iptables -t mangle -A PREROUTING -d 192.0.2.1 -p tcp -m multiport --dports 80,443 -j MARK --set-mark 10",
    ]);
  });

  test("marks: a rule that requests pass too late is printed for PREROUTING", () => {
    assert.deepEqual(
      find(mangle("FORWARD", "0x7/0xffffffff"))[0]?.fix.map(
        ({ command }) => command,
      ),
      [
        "iptables -t mangle -A PREROUTING -p tcp -j MARK --set-xmark 0x7/0xffffffff",
      ],
    );
  });

  test("marks: a rule that sets no bit of the mark does not make it", () => {
    const change = (words: string) =>
      find(
        mangle("PREROUTING", "0x0/0x0").replace("--set-xmark 0x0/0x0", words),
      ).length;
    for (const words of [
      "--set-xmark 0x0/0x0",
      "--xor-mark 0x8",
      "--and-mark 0xff",
      "--set-xmark 0x8/0x8",
    ])
      assert.equal(change(words), 1, words);
    for (const words of [
      "--xor-mark 0x7",
      "--or-mark 0x3",
      "--set-xmark 0x4/0x4",
    ])
      assert.equal(change(words), 0, words);
  });

  test("marks: a rule behind IPVS does not help, and a chain that nothing calls neither", () => {
    assert.match(
      find(mangle("FORWARD", "0x7/0xffffffff"))[0]?.seen ?? "",
      /^only chain FORWARD sets mark 7/,
    );
    assert.equal(find(mangle("set", "0x7/0xffffffff")).length, 1);
  });

  test("marks: a chain of nft at hook input helps only if IPVS comes behind it", () => {
    const seen = (priority: number) =>
      marks.examine({
        table: [serviceEntry({ family: INET, firewallMark: 7 }, {}, [SERVER])],
        firewall: { tables: markInInput(priority), unread: [] },
      })[0]?.seen;
    assert.equal(seen(-150), undefined);
    assert.equal(seen(97), undefined);
    for (const late of [98, 100])
      assert.equal(
        seen(late),
        "only chain late sets mark 7, and requests do not pass it before IPVS",
      );
  });

  test("marks: rules that could not be read may set it", () => {
    assert.deepEqual(find("", ["nft rules (nft is not installed)"]), []);
  });

  test("marks: a mark can come from connection tracking", () => {
    const restored = mangle("PREROUTING", "0x8/0xff").replace(
      "-j MARK --set-xmark 0x8/0xff",
      "-j CONNMARK --restore-mark",
    );
    assert.deepEqual(find(restored), []);
  });
});

suite("unmatchedMarks", () => {
  const key = { family: INET, firewallMark: 7 } as const;
  const find = (
    rules: string,
    given: Partial<Stats> = {},
    ways = [route("192.0.2.1", "local", 1)],
  ) => {
    const service = serviceEntry(key, {}, [SERVER]);
    return unmatchedMarks.examine({
      table: [{ ...service, stats: stats(given) }],
      network: {
        ...NETWORK,
        ways: network([...GENERAL, ...ways]).ways,
      },
      firewall: {
        tables: parseIptablesSave(
          `*mangle\n:PREROUTING ACCEPT [24:1440]\n:web - [0:0]\n${rules}\nCOMMIT\n`,
          INET,
          "iptables",
        ),
        unread: [],
      },
    });
  };
  const GENERAL = [route("192.0.0.8", "unicast", 1, "192.0.2.254")];
  const setter = (match: string, packets = 0) =>
    `[${packets}:0] -A PREROUTING ${match} -j MARK --set-xmark 0x7/0xffffffff`;
  const INSIDE = setter(
    "-d 192.0.2.1/32 -i eth2 -p tcp -m multiport --dports 80,443",
  );

  test("unmatchedMarks names the rule, its chain, its packets and the interface of the requests", () => {
    const [finding, ...others] = find(INSIDE);
    assert.deepEqual(others, []);
    assert.equal(
      finding?.seen,
      'rule 1 of chain PREROUTING (iptables, table mangle), "-d 192.0.2.1/32 -i eth2 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x7/0xffffffff", 0 packets, sets mark 7: requests come in by eth1, which the rule does not match',
    );
    assert.equal(
      finding.evidence?.[0],
      "24 packets have passed chain PREROUTING, and the rule has matched none of them",
    );
    assert.deepEqual(
      finding.fix.map(({ command }) => command),
      [
        "iptables -t mangle -I PREROUTING 1 -d 192.0.2.1/32 -i eth1 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x7/0xffffffff",
      ],
    );
  });

  test("unmatchedMarks names a single address that is not one of this machine, and offers no command", () => {
    const ways = [route("192.0.2.9", "unicast", 1)];
    const [finding] = find(setter("-d 192.0.2.9/32 -p tcp"), {}, ways);
    assert.match(
      finding?.seen ?? "",
      /: the rule is for requests to 192\.0\.2\.9, which is not an address of this machine$/,
    );
    assert.deepEqual(finding?.fix, []);
  });

  test("unmatchedMarks sees the conditions of rules that call a chain", () => {
    const rules = `[0:0] -A PREROUTING -i eth2 -j web\n[0:0] -A web -d 192.0.2.1/32 -j MARK --set-xmark 0x7/0xffffffff`;
    const [finding] = find(rules);
    assert.match(finding?.seen ?? "", /^rule 1 of chain web /);
    assert.deepEqual(finding?.fix, []);
  });

  test("unmatchedMarks says nothing if a rule can match, has matched, or the service has packets", () => {
    assert.deepEqual(find(setter("-d 192.0.2.1/32 -i eth1")), []);
    assert.deepEqual(find(setter("-d 192.0.2.1/32 -i eth+")), []);
    assert.deepEqual(find(setter("-d 192.0.2.1/32 ! -i eth2")), []);
    assert.deepEqual(find(`${INSIDE}\n${setter("-d 192.0.2.1/32")}`), []);
    assert.deepEqual(find(setter("-i eth2", 3)), []);
    assert.deepEqual(find(INSIDE, { inPacketsPerSecond: 1n }), []);
    assert.deepEqual(
      find(`${INSIDE}\n[0:0] -A PREROUTING -j CONNMARK --restore-mark`),
      [],
    );
  });

  test("unmatchedMarks offers no command that a shell would read differently", () => {
    const [finding] = find(
      setter('-d 192.0.2.1/32 -i eth2 -m comment --comment "$(reboot)"'),
    );
    assert.ok(finding);
    assert.deepEqual(finding.fix, []);
  });
});

suite("overwrittenMarks", () => {
  const key = { family: INET, firewallMark: 1 } as const;
  const FIRST =
    "[4:240] -A PREROUTING -d 192.0.2.1/32 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x1/0xffffffff";
  const SHAPING =
    "-p tcp -m multiport --dports 80,443,8000:8099 -j MARK --set-xmark 0x14/0xffffffff";
  const find = (rules: readonly string[], given: Partial<Stats> = {}) => {
    const service = serviceEntry(key, {}, [SERVER]);
    const text = `*mangle\n:PREROUTING ACCEPT [24:1440]\n:INPUT ACCEPT [24:1440]\n:web - [0:0]\n${rules.join("\n")}\nCOMMIT\n`;
    return overwrittenMarks.examine({
      table: [{ ...service, stats: stats(given) }],
      network: {
        ...NETWORK,
        ways: network([
          route("192.0.0.8", "unicast", 1, "192.0.2.254"),
          route("192.0.2.1", "local", 1),
        ]).ways,
      },
      firewall: {
        tables: parseIptablesSave(text, INET, "iptables"),
        unread: [],
      },
    });
  };

  test("overwrittenMarks names both rules, and sets the mark again behind them", () => {
    const [finding, ...others] = find([
      FIRST,
      `[9:540] -A PREROUTING -i eth1 ${SHAPING}`,
    ]);
    assert.deepEqual(others, []);
    assert.match(
      finding?.seen ?? "",
      /^rule 1 of chain PREROUTING .*, 4 packets, sets mark 1; then rule 2 of chain PREROUTING .*, 9 packets, sets mark 20 instead$/,
    );
    assert.equal(finding?.certainty, "proven");
    assert.deepEqual(
      finding.fix.map(({ command }) => command),
      [
        "iptables -t mangle -A PREROUTING -d 192.0.2.1/32 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x1/0xffffffff",
      ],
    );
  });

  test("overwrittenMarks sees rules of INPUT, and of chains that are called", () => {
    const [inInput] = find([FIRST, `[9:540] -A INPUT ${SHAPING}`]);
    assert.match(
      inInput?.fix[0]?.command ?? "",
      /^iptables -t mangle -A INPUT -d 192\.0\.2\.1/,
    );
    const called = find([
      FIRST,
      "[9:540] -A PREROUTING -p tcp -j web",
      `[9:540] -A web ${SHAPING}`,
    ]);
    assert.equal(called.length, 1);
  });

  test("overwrittenMarks is silent if the other rule comes first, is for other packets, or has matched none", () => {
    const other = (rule: string, packets = 9) => `[${packets}:540] ${rule}`;
    const rule = `-A PREROUTING -i eth1 ${SHAPING}`;
    assert.deepEqual(find([other(rule), FIRST]), []);
    assert.deepEqual(find([FIRST, other(rule, 0)]), []);
    assert.deepEqual(find([FIRST, other(rule.replace("eth1", "eth9"))]), []);
    assert.deepEqual(
      find([FIRST, other(rule.replace("-p tcp", "-p udp"))]),
      [],
    );
    assert.deepEqual(find([FIRST, other(rule), FIRST]), []);
    assert.deepEqual(
      find([FIRST, other(rule)], { inPacketsPerSecond: 1n }),
      [],
    );
  });

  test("overwrittenMarks: a rule with a mask keeps the bits of an earlier rule", () => {
    const masked = FIRST.replace("0xffffffff", "0xff");
    const earlier = (bits: string, packets = 9) =>
      `[${packets}:540] -A PREROUTING -i eth1 -j MARK --set-xmark ${bits}`;
    const [finding, ...others] = find([earlier("0x100/0x100"), masked]);
    assert.deepEqual(others, []);
    assert.match(
      finding?.seen ?? "",
      /^rule 1 of chain PREROUTING .*, 9 packets, sets bits of the mark; then rule 2 of chain PREROUTING .*, 4 packets, sets mark 1 and keeps these bits, so packets get mark 257$/,
    );
    assert.equal(finding?.certainty, "proven");
    assert.deepEqual(
      finding.fix.map(({ command }) => command),
      [
        "iptables -t mangle -A PREROUTING -d 192.0.2.1/32 -p tcp -m multiport --dports 80,443 -j MARK --set-xmark 0x1/0xffffffff",
      ],
    );
    assert.deepEqual(find([earlier("0x20/0x20"), masked]), []);
    assert.deepEqual(find([earlier("0x100/0x100", 0), masked]), []);
    assert.deepEqual(find([earlier("0x100/0x100"), FIRST]), []);
    assert.deepEqual(
      find([earlier("0x100/0x100"), masked], { inPacketsPerSecond: 1n }),
      [],
    );
  });

  test("overwrittenMarks: other bits make another mark, too, because IPVS compares the whole mark", () => {
    const [finding] = find([
      FIRST,
      "[9:540] -A PREROUTING -j MARK --set-xmark 0x140000/0xff0000",
    ]);
    assert.match(finding?.seen ?? "", /sets mark 1310721 instead$/);
  });

  test("overwrittenMarks: a rule that cannot be judged is likely, as long as the service never got a packet", () => {
    const perhaps = `[9:540] -A PREROUTING -m length --length 40:100 ${SHAPING}`;
    assert.equal(find([FIRST, perhaps])[0]?.certainty, "likely");
    assert.deepEqual(find([FIRST, perhaps], { inPackets: 7n }), []);
  });

  const SHAPED = `[9:540] -A PREROUTING -i eth1 ${SHAPING}`;
  const whole = (match: string) =>
    `iptables -t mangle -A PREROUTING ${match} -j MARK --set-xmark 0x1/0xffffffff`;
  const PORTS = "-d 192.0.2.1/32 -p tcp -m multiport --dports 80,443";

  test("overwrittenMarks is silent if RETURN or ACCEPT ends the chain for packets with a mark", () => {
    for (const target of ["RETURN", "ACCEPT"]) {
      const ends = `[4:240] -A PREROUTING -m mark ! --mark 0x0 -j ${target}`;
      assert.deepEqual(find([FIRST, ends, SHAPED]), []);
      const sub = [
        "[4:240] -A PREROUTING -d 192.0.2.1/32 -j web",
        FIRST.replace("PREROUTING", "web"),
        `[4:240] -A web -j ${target}`,
      ];
      const lost = find([...sub, SHAPED]);
      assert.equal(lost.length, target === "RETURN" ? 1 : 0);
    }
    const other = "[4:240] -A PREROUTING -m mark --mark 0x2 -j RETURN";
    assert.equal(find([FIRST, other, SHAPED])[0]?.certainty, "proven");
  });

  test("overwrittenMarks: ACCEPT in PREROUTING does not protect the mark from rules of INPUT", () => {
    const ends = "[4:240] -A PREROUTING -m mark ! --mark 0x0 -j ACCEPT";
    const [finding] = find([FIRST, ends, `[9:540] -A INPUT ${SHAPING}`]);
    assert.equal(finding?.certainty, "proven");
  });

  test("overwrittenMarks: a RETURN that packets perhaps meet makes it likely, and leaves no command", () => {
    const perhaps =
      "[4:240] -A PREROUTING -m length --length 40:100 -m mark ! --mark 0x0 -j RETURN";
    const [finding] = find([FIRST, perhaps, SHAPED]);
    assert.equal(finding?.certainty, "likely");
    assert.deepEqual(finding.fix, []);
    assert.deepEqual(find([FIRST, perhaps, SHAPED], { inPackets: 7n }), []);
  });

  test("overwrittenMarks does not count chains behind IPVS", () => {
    const service = serviceEntry(key, {}, [SERVER]);
    const found = (priority: number) =>
      overwrittenMarks.examine({
        table: [service],
        network: NETWORK,
        firewall: {
          tables: [
            ...parseIptablesSave(
              `*mangle\n:PREROUTING ACCEPT [0:0]\n${FIRST}\nCOMMIT\n`,
              INET,
              "iptables",
            ),
            ...markInInput(priority),
          ],
          unread: [],
        },
      }).length;
    assert.equal(found(97), 1);
    assert.equal(found(98), 0);
  });

  test("overwrittenMarks is silent if one of the ports keeps the mark", () => {
    const rule = SHAPED.replace("80,443,8000:8099", "443,8000:8099");
    assert.deepEqual(find([FIRST, rule]), []);
  });

  test("overwrittenMarks sees packets of a rule whose conditions are not known of clients", () => {
    const rule = FIRST.replace("-p tcp", "-s 203.0.113.0/24 -p tcp");
    assert.equal(find([rule, SHAPED])[0]?.certainty, "proven");
  });

  test("overwrittenMarks sets the whole mark again if the rule changes only some bits", () => {
    const partial = FIRST.replace("0x1/0xffffffff", "0x1/0xff");
    const bits = "[9:540] -A PREROUTING -j MARK --set-xmark 0x140000/0xff0000";
    const commands = (rules: readonly string[]) =>
      find(rules).flatMap(({ fix }) => fix.map(({ command }) => command));
    assert.deepEqual(commands([partial, bits]), [whole(PORTS)]);
    // The same rule makes the mark again from 20.
    assert.deepEqual(commands([partial, SHAPED]), [
      whole(PORTS).replace("0xffffffff", "0xff"),
    ]);
  });

  test("overwrittenMarks offers no rule that does not match packets with the other mark", () => {
    const rule = FIRST.replace("-j MARK", "-m mark --mark 0x0 -j MARK");
    const [finding] = find([rule, SHAPED]);
    assert.equal(finding?.certainty, "proven");
    assert.deepEqual(finding.fix, []);
  });

  test("overwrittenMarks offers no rule behind an ACCEPT that the packets meet", () => {
    const ends = "[9:540] -A PREROUTING -m mark --mark 0x14 -j ACCEPT";
    const [finding] = find([FIRST, SHAPED, ends]);
    assert.equal(finding?.certainty, "proven");
    assert.deepEqual(finding.fix, []);
  });
});

suite("clientsBeside and redirects", () => {
  const beside = [group({ SYN_RECV: [58, 57, 56] }, "10.0.0.100")];
  const ROUTE = "ip route add 10.0.0.100 via 10.0.0.1";

  test("clientsBeside: SNAT needs conntrack and a rule", () => {
    const [finding] = clientsBeside.examine(facts({ groups: beside }));
    assert.deepEqual(told(finding ?? { id: "", fix: [] }), [
      "clients-beside-server 10.0.0.11:80 of tcp/192.0.2.1:80",
      "sysctl -w net.ipv4.vs.conntrack=1",
      "iptables -t nat -A POSTROUTING -s 10.0.0.0/24 -d 10.0.0.11 -o eth2 -p tcp --dport 80 -j MASQUERADE",
      "sysctl -w net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth2.send_redirects=0",
      `real server 10.0.0.11: ${ROUTE}`,
    ]);
    assert.deepEqual(finding?.evidence, []);
  });

  test("clientsBeside: the route instead of SNAT needs no command for redirects that are off", () => {
    const off = sysctls({
      ...SYSCTLS,
      "net.ipv4.conf.all.send_redirects": 0,
      "net.ipv4.conf.eth2.send_redirects": 0,
    });
    const [finding] = clientsBeside.examine(
      facts({ groups: beside, sysctls: off }),
    );
    assert.deepEqual(
      finding?.fix.slice(2).map(({ command }) => command),
      [ROUTE],
    );
    assert.match(
      finding.fix[2]?.effect ?? "",
      /^instead of SNAT, .*; send_redirects must be 0 on the director$/,
    );
  });

  test("clientsBeside: the rule is for the variant of iptables that the machine uses", () => {
    const firewall = {
      tables: [],
      unread: [],
      legacyPrograms: new Map([[INET, "iptables-legacy"]] as const),
    };
    const [finding] = clientsBeside.examine({
      ...facts({ groups: beside }),
      firewall,
    });
    assert.match(
      finding?.fix[1]?.command ?? "",
      /^iptables-legacy -t nat -A POSTROUTING /,
    );
  });

  test("clientsBeside: with a rule, conntrack alone is missing", () => {
    const rules =
      "*nat\n:POSTROUTING ACCEPT [0:0]\n[0:0] -A POSTROUTING -s 10.0.0.0/24 -o eth2 -j MASQUERADE\nCOMMIT\n";
    const [finding] = clientsBeside.examine(facts({ groups: beside, rules }));
    assert.deepEqual(
      finding?.fix.map(({ command }) => command),
      [
        "sysctl -w net.ipv4.vs.conntrack=1",
        "sysctl -w net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth2.send_redirects=0",
        ROUTE,
      ],
    );
    assert.match(finding.evidence?.[0] ?? "", /^rule 1 of chain POSTROUTING/);
  });

  test("clientsBeside: a client elsewhere is another fault", () => {
    const away = [group({ SYN_RECV: [58, 57, 56] }, "192.0.2.77")];
    assert.deepEqual(clientsBeside.examine(facts({ groups: away })), []);
  });

  test("redirects: a client beside the server is a warning while send_redirects is on", () => {
    const near = [group({ ESTABLISHED: [899] }, "10.0.0.100")];
    const [finding] = redirects.examine(facts({ groups: near }));
    assert.equal(
      finding?.fix[0]?.command,
      "sysctl -w net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.eth2.send_redirects=0",
    );
    const off = sysctls({ ...SYSCTLS, "net.ipv4.conf.all.send_redirects": 0 });
    assert.deepEqual(
      redirects.examine(facts({ groups: near, sysctls: off })),
      [],
    );
    const away = [group({ ESTABLISHED: [899] }, "192.0.2.77")];
    assert.deepEqual(redirects.examine(facts({ groups: away })), []);
  });

  test("redirects: requests that wait make it an error, unless the client is in the servers' network", () => {
    const servers = ["10.0.0.11", "10.0.0.12"];
    const service = serviceAt(
      "192.0.2.1",
      servers.map((text) =>
        masqueraded(text, { stats: stats({ outPackets: 9n }) }),
      ),
    );
    const router = "10.0.0.254";
    const find = (
      states: Readonly<Record<string, readonly number[]>>,
      to: "router" | "client",
      byDefault: readonly string[] = [],
      answered = true,
    ) => {
      const client = address("10.9.0.7");
      const given = facts({
        groups: servers.map((text) =>
          connectionGroup(states, {
            server: address(text),
            clients: [client],
            openingClients: "SYN_RECV" in states ? [client] : [],
          }),
        ),
      });
      const { network } = given;
      assert.ok(network);
      const table = answered
        ? [service]
        : [{ ...service, servers: servers.map((text) => masqueraded(text)) }];
      const way = route(
        "10.9.0.7",
        "unicast",
        2,
        to === "router" ? router : undefined,
      );
      return redirects
        .examine({
          ...given,
          table,
          allServices: table,
          network: {
            ...network,
            byDefault: new Set(byDefault),
            ways: new Map([
              ...network.ways,
              ["10.9.0.7", way],
              ["10.0.0.12", route("10.0.0.12", "unicast", 2)],
            ]),
          },
        })
        .map((one) => [one.id, one.fix.at(-1)?.on, one.evidence]);
    };
    const on = "real servers 10.0.0.11, 10.0.0.12";
    assert.deepEqual(find({ SYN_RECV: [50, 57] }, "router"), [
      [
        "redirects-followed",
        on,
        [
          "4 connections of masqueraded servers behind this interface have waited in SYN_RECV for 3 s and more: their answers did not pass the director",
        ],
      ],
    ]);
    const warning = [["redirects-sent", on, undefined]];
    assert.deepEqual(find({ SYN_RECV: [58, 59] }, "router"), warning);
    assert.deepEqual(find({ ESTABLISHED: [800] }, "router"), warning);
    assert.deepEqual(find({ SYN_RECV: [50, 57] }, "client"), warning);
    assert.deepEqual(find({ SYN_RECV: [50] }, "router", servers), warning);
    // Without an answer there is no redirect.
    assert.deepEqual(find({ SYN_RECV: [50] }, "router", [], false), warning);
  });
});

suite("drainedServers", () => {
  const find = (
    given: Partial<ServerEntry>,
    groups: readonly ConnectionGroup[],
    more: {
      connections?: Partial<Connections>;
      service?: Partial<ServiceWithServers>;
    } = {},
    state: "failed" | "reachable" = "failed",
    probe?: Probe["result"],
  ) => raw(given, groups, more, state, probe).map(told);
  const raw = (
    given: Partial<ServerEntry>,
    groups: readonly ConnectionGroup[],
    more: {
      connections?: Partial<Connections>;
      service?: Partial<ServiceWithServers>;
      others?: readonly ServerEntry[];
    } = {},
    state: "failed" | "reachable" = "failed",
    probe?: Probe["result"],
  ) => {
    const server: ServerEntry = {
      ...SERVER,
      settings: { ...SERVER.settings, weight: 0 },
      ...given,
    };
    const servers = [server, ...(more.others ?? [])];
    const service = { ...serviceAt("192.0.2.1", servers), ...more.service };
    return drainedServers.examine(
      facts({
        table: [service],
        network: {
          ...NETWORK,
          neighbors: [
            neighbor(2, "10.0.0.11", state === "failed" ? undefined : 1, state),
          ],
        },
        connections: connectionTable(groups, more.connections),
        probes: probe ? [{ service, server, result: probe }] : [],
      }),
    );
  };
  const { key: tcpKey } = SERVICE;
  const UDP_SERVICE = {
    key: { ...tcpKey, protocol: UDP },
  } as Partial<ServiceWithServers>;
  const UDP_OPEN = [
    { ...group({ UDP: [290] }, "192.0.2.77"), protocol: "UDP" },
  ];
  const OPEN = [group({ ESTABLISHED: [890] }, "192.0.2.77")];

  test("drainedServers: open connections with a dead server are an error", () => {
    assert.deepEqual(find({ activeConnections: 1 }, OPEN), [
      [
        "drained-server-dead 10.0.0.11:80 of tcp/192.0.2.1:80",
        "sysctl -w net.ipv4.vs.expire_nodest_conn=1",
        "ipvsadm -d -t 192.0.2.1:80 -r 10.0.0.11:80",
      ],
    ]);
  });

  test("drainedServers: a server that answers is fine, and so are connections that end", () => {
    assert.deepEqual(find({ activeConnections: 1 }, OPEN, {}, "reachable"), []);
    const ending = [group({ SYN_RECV: [30], FIN_WAIT: [100] }, "192.0.2.77")];
    assert.deepEqual(find({ inactiveConnections: 2 }, ending), []);
  });

  test("drainedServers: TCP packets that get no answer are likely those to a dead server, and no command removes it", () => {
    const one = stats({ inPacketsPerSecond: 3n });
    const [finding, ...others] = raw(
      { activeConnections: 1, stats: one },
      OPEN,
      {},
      "reachable",
    );
    assert.deepEqual(others, []);
    assert.equal(finding?.id, "drained-server-dead");
    assert.equal(finding.certainty, "likely");
    assert.deepEqual(finding.fix, []);
    assert.deepEqual(
      finding.next?.map(({ command }) => command),
      [
        "ipvsadm doctor --real-server tcp/192.0.2.1:80 --method masq --server 10.0.0.11:80",
        "ipvsadm doctor --probe",
      ],
    );
  });

  test("drainedServers: datagrams that get no answer are a fault only if the service has answers", () => {
    const oneWay = {
      inactiveConnections: 1,
      stats: stats({ inPackets: 900n, inPacketsPerSecond: 3n }),
    };
    const found = (given: Partial<ServerEntry>, other?: Partial<Stats>) =>
      raw(
        given,
        UDP_OPEN,
        {
          service: UDP_SERVICE,
          others: other
            ? [masqueraded("10.0.0.12", { stats: stats(other) })]
            : [],
        },
        "reachable",
      );
    const [syslog] = found(oneWay, { inPackets: 500n });
    assert.equal(syslog?.id, "drained-server-used");
    assert.equal(
      syslog.evidence?.[0],
      "since it was added it got 900 packets and sent 0; that is usual where no answers are expected (syslog, statsd), otherwise the server is perhaps dead",
    );
    const [dns] = found(oneWay, { inPackets: 500n, outPackets: 480n });
    assert.equal(dns?.id, "drained-server-dead");
    assert.equal(dns.certainty, "likely");
    assert.deepEqual(dns.fix, []);
    assert.equal(
      dns.evidence?.[0],
      "answers are usual in this service: 10.0.0.12:80 got 500 packets and sent 480",
    );
    // A few refusals are no answers.
    assert.equal(
      found(oneWay, { inPackets: 500n, outPackets: 6n })[0]?.id,
      "drained-server-used",
    );
  });

  test("drainedServers: a refused probe proves that the server is dead, an accepted one that it is not", () => {
    const refused = (result: Probe["result"]) =>
      find(
        { inactiveConnections: 1, stats: stats({ inPacketsPerSecond: 3n }) },
        UDP_OPEN,
        { service: UDP_SERVICE },
        "reachable",
        result,
      );
    assert.deepEqual(refused("refused"), [
      [
        "drained-server-dead 10.0.0.11:80 of udp/192.0.2.1:80",
        "sysctl -w net.ipv4.vs.expire_nodest_conn=1",
        "ipvsadm -d -u 192.0.2.1:80 -r 10.0.0.11:80",
      ],
    ]);
    assert.equal(
      refused("answered")[0]?.[0]?.split(" ")[0],
      "drained-server-used",
    );
  });

  test("drainedServers: a refused connection does not prove that the server of a firewall mark with UDP is dead", () => {
    const marked = {
      ...serviceEntry({ family: INET, firewallMark: 7 }, {}, []),
      settings: { ...SERVICE.settings, flags: PERSISTENT },
    };
    const find = (groups: readonly ConnectionGroup[]) =>
      raw(
        { stats: stats({ inPacketsPerSecond: 3n }) },
        groups,
        {
          connections: { templates: new Map([["10.0.0.11:80", 2]]) },
          service: { key: marked.key, settings: marked.settings },
        },
        "reachable",
        "refused",
      );
    const closing = group({ FIN_WAIT: [100] }, "192.0.2.77");
    const [proven] = find([closing]);
    assert.equal(proven?.certainty, "proven");
    assert.deepEqual(
      proven.fix.map(({ command }) => command),
      ["sysctl -w net.ipv4.vs.expire_quiescent_template=1"],
    );
    // Its templates bind clients of UDP, whose connections have expired.
    assert.deepEqual(find([]), []);
  });

  test("drainedServers: a TCP program that closes its listener and serves its open connections is not dead", () => {
    const drain = (given: Partial<Stats>, groups = OPEN) =>
      raw(
        { activeConnections: 1, stats: stats(given) },
        groups,
        {},
        "reachable",
        "refused",
      );
    assert.deepEqual(
      drain({ inPacketsPerSecond: 3n, outPacketsPerSecond: 3n }),
      [],
    );
    assert.deepEqual(drain({}), [], "idle connections");
    const [unanswered, ...others] = drain({ inPacketsPerSecond: 3n });
    assert.deepEqual(others, []);
    assert.equal(unanswered?.id, "drained-server-dead");
    assert.equal(unanswered.certainty, "likely");
    assert.deepEqual(unanswered.fix, []);
    assert.deepEqual(unanswered.evidence?.slice(0, 1), [
      "a connection from the director's address to 10.0.0.11:80 was refused",
    ]);
    assert.deepEqual(
      unanswered.next?.map(({ command }) => command),
      [
        "ipvsadm doctor --real-server tcp/192.0.2.1:80 --method masq --server 10.0.0.11:80",
      ],
      "the probe was made",
    );
  });

  test("drainedServers: a refused TCP probe proves that persistence binds clients to a dead server", () => {
    const bound = {
      connections: { templates: new Map([["10.0.0.11:80", 1]]) },
      service: { settings: { ...SERVICE.settings, flags: 1 } },
    };
    const found = (groups: readonly ConnectionGroup[]) =>
      raw({}, groups, bound, "reachable", "refused");
    const [dead] = found([group({ CLOSE: [9] }, "192.0.2.77")]);
    assert.equal(dead?.certainty, "proven");
    assert.deepEqual(
      dead.fix.map(({ command }) => command),
      ["sysctl -w net.ipv4.vs.expire_quiescent_template=1"],
    );
    assert.deepEqual(found(OPEN), []);
  });

  test("drainedServers: a UDP server that answers clients is not dead if it refuses the director", () => {
    const [finding] = find(
      {
        inactiveConnections: 1,
        stats: stats({
          inPacketsPerSecond: 20n,
          outPacketsPerSecond: 20n,
          inBytesPerSecond: 1200n,
          outBytesPerSecond: 4000n,
        }),
      },
      UDP_OPEN,
      { service: UDP_SERVICE },
      "reachable",
      "refused",
    );
    assert.equal(
      finding?.[0],
      "drained-server-used 10.0.0.11:80 of udp/192.0.2.1:80",
    );
  });

  test("drainedServers: UDP clients of a drained server that answers are a note", () => {
    const found = (groups: readonly ConnectionGroup[]) =>
      find(
        { inactiveConnections: 1 },
        groups,
        { service: UDP_SERVICE },
        "reachable",
      );
    assert.deepEqual(found(UDP_OPEN), [
      ["drained-server-used 10.0.0.11:80 of udp/192.0.2.1:80"],
    ]);
    assert.deepEqual(found([]), []);
  });

  test("drainedServers: connections that were reset tell of a dead server to which persistence binds clients", () => {
    const bound = {
      connections: { templates: new Map([["10.0.0.11:80", 1]]) },
      service: { settings: { ...SERVICE.settings, flags: 1 } },
    };
    const reset = [group({ CLOSE: [9, 8, 7], TIME_WAIT: [60] }, "192.0.2.77")];
    const [finding] = raw({}, reset, bound, "reachable");
    assert.equal(
      finding?.seen,
      "its weight is 0, it still has 1 persistence template, and each of its 3 connections of the last 10 seconds was reset (CLOSE)",
    );
    assert.equal(finding.certainty, "likely");
    assert.deepEqual(finding.fix, []);
    assert.match(finding.cure ?? "", /expire_quiescent_template to 1/);
    assert.equal(finding.next?.at(-1)?.command, "ipvsadm doctor --probe");
    const open = [...reset, group({ ESTABLISHED: [890] }, "192.0.2.77")];
    assert.deepEqual(find({}, open, bound, "reachable"), []);
    for (const others of [
      { CLOSE: [9], TIME_WAIT: [60] },
      { CLOSE: [9, 8], TIME_WAIT: [60, 115] },
      { CLOSE: [9, 8], FIN_WAIT: [60] },
    ])
      assert.deepEqual(
        find({}, [group(others, "192.0.2.77")], bound, "reachable"),
        [],
      );
    assert.deepEqual(find({}, reset, {}, "reachable"), []);
  });

  test("drainedServers: templates of persistence need another setting", () => {
    const more = {
      connections: { templates: new Map([["10.0.0.11:80", 2]]) },
      service: { settings: { ...SERVICE.settings, flags: 1 } },
    };
    assert.deepEqual(find({}, [], more)[0]?.slice(1), [
      "sysctl -w net.ipv4.vs.expire_quiescent_template=1",
    ]);
  });
});

suite("activeBackups, limits and idleConnections", () => {
  const backup = [
    { state: BACKUP, multicastInterface: "eth1", syncId: 0 },
  ] as unknown as NonNullable<Facts["daemons"]>;
  const only = sysctls({ ...SYSCTLS, "net.ipv4.vs.backup_only": 1 });

  test("activeBackups: backup_only is an error where the virtual address is", () => {
    const found = activeBackups.examine(
      facts({ daemons: backup, sysctls: only }),
    );
    assert.deepEqual(found.map(told), [
      [
        "backup-only-active tcp/192.0.2.1:80",
        "sysctl -w net.ipv4.vs.backup_only=0",
      ],
    ]);
    assert.deepEqual(activeBackups.examine(facts({ sysctls: only })), []);
    const elsewhere = { ...NETWORK, addresses: [ownAddress(2, "10.0.0.1/24")] };
    assert.deepEqual(
      activeBackups.examine(
        facts({ daemons: backup, sysctls: only, network: elsewhere }),
      ),
      [],
    );
  });

  test("limits: a table is full at its limit, and almost full from nine tenths on", () => {
    const find = (entries: number, tracked = 0, most = 1000) =>
      limits
        .examine(
          facts({
            limits: {
              entries,
              most,
              loadFactor: undefined,
              tracked,
              mostTracked: 500,
            },
          }),
        )
        .map(told);
    assert.deepEqual(find(899), []);
    assert.deepEqual(find(900), [
      [
        "connections-near-limit net.ipv4.vs.conn_max",
        "sysctl -w net.ipv4.vs.conn_max=2000",
      ],
    ]);
    assert.equal(
      find(1000)[0]?.[0],
      "connections-at-limit net.ipv4.vs.conn_max",
    );
    assert.deepEqual(find(2 ** 30 - 1, 0, 2 ** 30 - 1), [
      [
        "connections-at-limit net.ipv4.vs.conn_max",
        "sysctl -w net.ipv4.vs.conn_max=1073741824",
      ],
    ]);
    assert.deepEqual(
      find(2 ** 30, 0, 2 ** 30),
      [["connections-at-limit net.ipv4.vs.conn_max"]],
      "there is no higher limit",
    );
    assert.equal(
      find(1, 500)[0]?.[0],
      "connections-at-limit net.netfilter.nf_conntrack_max",
      "whether net.ipv4.vs.conntrack is 1 or not",
    );
    assert.deepEqual(find(1, 449), []);
  });

  test("idleConnections: a connection that is idle for half of the timeout is a note", () => {
    const find = (left: number, tcpSeconds = 900) =>
      idleConnections.examine(
        facts({
          groups: [group({ ESTABLISHED: [left] }, "192.0.2.77")],
          timeouts: { tcpSeconds, tcpFinSeconds: 120, udpSeconds: 300 },
        }),
      );
    assert.deepEqual(find(451), []);
    assert.equal(find(450)[0]?.fix[0]?.command, "ipvsadm --set 7260 0 0");
    assert.deepEqual(find(100, 7200), []);
  });
});

suite("traceClient()", () => {
  const client = address("192.0.2.77");
  const connection = (state: string) => ({
    protocol: "TCP",
    client,
    clientPort: 40000,
    virtual: address("192.0.2.1"),
    virtualPort: 80,
    server: address("10.0.0.11"),
    serverPort: 80,
    state,
    expiresSeconds: 50,
  });
  const seen = (
    state: string,
    use: SeenConnection["use"] = "new",
    stateSeconds = 5,
  ): SeenConnection => ({ connection: connection(state), use, stateSeconds });
  const datagrams: SeenConnection = {
    ...seen("UDP"),
    connection: { ...connection("UDP"), protocol: "UDP" },
  };
  const trace = (
    states: readonly (string | SeenConnection)[],
    given: Parameters<typeof facts>[0] = {},
  ) =>
    traceClient(facts(given) as Parameters<typeof traceClient>[0], {
      client,
      seconds: 5,
      connections: states.map((one) =>
        typeof one === "string" ? seen(one) : one,
      ),
      after: [SERVICE],
      heard: [],
    });

  test("traceClient() finds no stop for established connections", () => {
    const { stopsAt, steps } = trace(["ESTABLISHED"]);
    assert.equal(stopsAt, undefined);
    assert.deepEqual(
      steps.map(({ step, state }) => `${step} ${state}`),
      ["route ok", "firewall ok", "entries ok", "counters ok"],
    );
  });

  test("traceClient() names a client or router that did not answer, if answers go through this machine", () => {
    const hop = nextHopTo(NETWORK, client);
    assert.ok(hop);
    const failed: Network["neighbors"] = [
      neighbor(hop.device, formatAddress(hop.address), undefined, "failed"),
    ];
    const routeOf = (
      neighbors: Network["neighbors"],
      table: Facts["table"] = [SERVICE],
    ) =>
      trace(["SYN_RECV"], { table, network: { ...NETWORK, neighbors } })
        .steps[0];
    const step = routeOf(failed);
    assert.equal(step?.state, "unknown");
    assert.match(step.text, /did not answer ARP: answers of masqueraded/);
    assert.equal(routeOf([])?.state, "ok");
    const direct = serviceAt("192.0.2.1", [serverEntry("10.0.0.11", 80)]);
    assert.equal(routeOf(failed, [direct])?.state, "ok");
  });

  test("traceClient() lists counters of lost packets in steps of their own", () => {
    const follow = (states: readonly string[]) =>
      traceClient(facts() as Parameters<typeof traceClient>[0], {
        client,
        seconds: 5,
        connections: states.map((state) => seen(state)),
        after: [SERVICE],
        heard: [],
        counters: {
          before: new Map([["eth0.rx_dropped", 1n]]),
          after: new Map([["eth0.rx_dropped", 4n]]),
        },
      }).steps.filter(({ step }) => step === "drops");
    assert.deepEqual(follow(["ESTABLISHED"]), []);
    assert.match(follow(["SYN_RECV"])[0]?.text ?? "", /^eth0 rx_dropped grew/);
  });

  const textOf = (one: ReturnType<typeof traceClient>) =>
    traceText(one, { paint: PLAIN, width: undefined }).replaceAll(/\s+/g, " ");

  test("traceClient() says that the director does not see the answers of direct routing, and what does", () => {
    const direct = serviceAt("192.0.2.1", [serverEntry("10.0.0.11", 80)]);
    const confirmed = trace(["ESTABLISHED"], { table: [direct] });
    assert.deepEqual(confirmed.next, []);
    assert.match(textOf(confirmed), /, but the client confirmed its conn/);
    const seen = trace(["FIN_WAIT", "ESTABLISHED"], { table: [direct] });
    assert.equal(seen.stopsAt, undefined);
    const command =
      "ipvsadm doctor --real-server tcp/192.0.2.1:80 --method direct --client 192.0.2.77";
    assert.deepEqual(seen.next, [{ command, on: "real server 10.0.0.11" }]);
    assert.match(
      textOf(seen),
      / Its requests pass the director\. Answers do not come through it \(direct routing or tunneling\), so it does not see whether the client gets them\. Next on real server 10\.0\.0\.11: ipvsadm doctor --real-server [^?]* $/,
    );
    assert.doesNotMatch(textOf(seen), /both ways/);
    const json = traceJson(seen) as { next: object[] };
    assert.deepEqual(json.next, [
      { command, on: "real server 10.0.0.11", effect: null },
    ]);
    const both = trace(["ESTABLISHED"]);
    assert.deepEqual(both.next, []);
    assert.match(textOf(both), / Its packets pass the director both ways\. $/);
  });

  test("traceClient() stops at the server if no answer came back", () => {
    const { stopsAt } = trace(["SYN_RECV", "SYN_RECV"]);
    assert.equal(
      stopsAt?.text,
      "TCP 192.0.2.1:80 to 10.0.0.11:80 (service tcp/192.0.2.1:80): 2 SYN_RECV; the director sent the requests to the server and saw no answer",
    );
  });

  test("traceClient() does not take the packets of an older connection for lost answers", () => {
    const after = [
      {
        ...SERVICE,
        servers: [{ ...SERVER, stats: { ...SERVER.stats, outPackets: 3n } }],
      },
    ];
    const stop = (older: SeenConnection) =>
      traceClient(facts() as Parameters<typeof traceClient>[0], {
        client,
        seconds: 5,
        connections: [seen("SYN_RECV"), older],
        after,
        heard: [],
      }).stopsAt?.text ?? "";
    assert.match(stop(seen("ESTABLISHED", "used")), /saw no answer \(from bef/);
    assert.match(stop(seen("ESTABLISHED", "idle")), /never confirmed/);
  });

  test("traceClient() says by which way answers leave if some came back and none was confirmed", () => {
    const { text = "" } =
      traceClient(facts() as Parameters<typeof traceClient>[0], {
        client,
        seconds: 5,
        connections: [seen("SYN_RECV")],
        after: [
          {
            ...SERVICE,
            servers: [
              { ...SERVER, stats: { ...SERVER.stats, outPackets: 3n } },
            ],
          },
        ],
        heard: [],
      }).stopsAt ?? {};
    assert.match(
      text,
      /; the server answered meanwhile \(3 packets out, all clients\), and the client never confirmed: answers to it leave by eth1\. /,
    );
    assert.doesNotMatch(text, /saw no answer/);
  });

  test("traceClient() does not take a counter without answers for well", () => {
    const table = (forwarding: number) => [
      serviceAt("192.0.2.1", [serverEntry("10.0.0.11", 80, { forwarding })]),
    ];
    const counters = (state: string, forwarding: number) => {
      const [service] = table(forwarding);
      assert.ok(service);
      const [server] = service.servers;
      assert.ok(server);
      const after = {
        ...service,
        servers: [{ ...server, stats: { ...server.stats, inPackets: 4n } }],
      };
      return traceClient(
        facts({ table: table(forwarding) }) as Parameters<
          typeof traceClient
        >[0],
        {
          client,
          seconds: 5,
          connections: [seen(state)],
          after: [after],
          heard: [],
        },
      )
        .steps.filter(({ step }) => step === "counters")
        .map(({ state: how, text }) => `${how}: ${text}`)
        .join();
    };
    assert.equal(
      counters("SYN_RECV", MASQUERADING),
      "unknown: 10.0.0.11:80 of tcp/192.0.2.1:80, all clients: 4 packets in, 0 out; no answer came back",
    );
    // The kernel refreshes the counters with a delay.
    assert.match(counters("ESTABLISHED", MASQUERADING), /^ok: .* 0 out$/);
    assert.match(counters("SYN_RECV", DIRECT_ROUTING), /^ok: /);
  });

  const entriesOf = (states: readonly (string | SeenConnection)[]) =>
    trace(states)
      .steps.filter(({ step }) => step === "entries")
      .map(({ state, text }) => `${state}: ${text}`);
  const PLACE = "TCP 192.0.2.1:80 to 10.0.0.11:80 (service tcp/192.0.2.1:80)";

  test("traceClient() takes no old connection that waits for a request without an answer, if new ones are answered", () => {
    const left = seen("SYN_RECV", "used");
    assert.deepEqual(entriesOf(["TIME_WAIT", "TIME_WAIT", left]), [
      `ok: ${PLACE}: 2 TIME_WAIT (from before: 1 SYN_RECV with packets)`,
    ]);
    assert.match(
      entriesOf(["SYN_RECV", left]).join(),
      /^stops: .*2 SYN_RECV; /,
    );
    assert.match(
      entriesOf(["TIME_WAIT", "SYN_RECV", left]).join(),
      /^unknown: .*1 of 2 waits in SYN_RECV/,
    );
  });

  test("traceClient() judges new connections apart from older ones that worked", () => {
    const old = [seen("ESTABLISHED", "used"), seen("FIN_WAIT", "idle")];
    assert.deepEqual(entriesOf(["SYN_RECV", "SYN_RECV", ...old]), [
      `stops: ${PLACE}: 2 SYN_RECV; the director sent the requests to the server and saw no answer (from before: 1 ESTABLISHED with packets, 1 FIN_WAIT without packets)`,
    ]);
    assert.match(
      entriesOf(["CLOSE", ...old]).join(),
      /^stops: .*: 1 CLOSE; each was reset: .* \(from before: /,
    );
    assert.deepEqual(entriesOf(["ESTABLISHED", seen("SYN_RECV", "idle")]), [
      `ok: ${PLACE}: 1 ESTABLISHED (from before: 1 SYN_RECV without packets)`,
    ]);
    // The client still tries to open it.
    assert.match(
      entriesOf([seen("SYN_RECV", "used"), ...old]).join(),
      /^stops: .*: 1 SYN_RECV; the director sent/,
    );
  });

  test("traceClient() doubts a server that leaves some requests without answer, and names the next command", () => {
    const partly = trace(["FIN_WAIT", "SYN_RECV"]);
    assert.equal(partly.stopsAt, undefined);
    assert.deepEqual(entriesOf(["FIN_WAIT", "SYN_RECV"]), [
      `unknown: ${PLACE}: 1 FIN_WAIT, 1 SYN_RECV; 1 of 2 waits in SYN_RECV: some requests got no answer`,
    ]);
    assert.match(
      partly.next[0]?.command ?? "",
      /--real-server tcp\/192\.0\.2\.1:80 /,
    );
    assert.doesNotMatch(textOf(partly), /both ways/);
    // A busy server may take a moment.
    const young = seen("SYN_RECV", "new", 2);
    assert.match(entriesOf(["FIN_WAIT", young]).join(), /^ok: /);
  });

  test("traceClient() stops at open connections with a server that the service does not have any more", () => {
    const gone = (use: SeenConnection["use"]): SeenConnection => ({
      ...seen("ESTABLISHED", use),
      connection: {
        ...connection("ESTABLISHED"),
        server: address("10.0.0.12"),
      },
    });
    const stopped = trace([gone("idle"), "ESTABLISHED"]);
    assert.equal(
      stopped.stopsAt?.text,
      'TCP 192.0.2.1:80 to 10.0.0.12:80 (service tcp/192.0.2.1:80): 1 ESTABLISHED; 10.0.0.12:80 is not one of the service\'s real servers, and net.ipv4.vs.expire_nodest_conn is 0: every packet of these connections is dropped (client ports 40000). "sysctl -w net.ipv4.vs.expire_nodest_conn=1" ends them with their next packet',
    );
    assert.deepEqual(
      stopped.steps.map(({ step, state }) => `${step} ${state}`),
      ["route ok", "firewall ok", "entries stops", "entries ok", "counters ok"],
    );
    assert.doesNotMatch(textOf(stopped), /both ways/);
    assert.equal(trace([gone("used")]).stopsAt?.step, "entries");
    const expiring = sysctls({
      ...SYSCTLS,
      "net.ipv4.vs.expire_nodest_conn": 1,
    });
    assert.equal(
      trace([gone("idle"), "ESTABLISHED"], { sysctls: expiring }).stopsAt,
      undefined,
    );
  });

  test("traceClient() waits for the answer to a connection that has just begun", () => {
    const young = seen("SYN_RECV", "new", 0.5);
    assert.match(
      entriesOf([young]).join(),
      /^unknown: .*: 1 SYN_RECV; they began too late to see an answer: follow the client for longer \(--for\)$/,
    );
    assert.match(entriesOf([young, "ESTABLISHED"]).join(), /^ok: /);
    assert.match(entriesOf([young, "SYN_RECV"]).join(), /^stops: /);
  });

  test("traceClient() says if only older connections have packets, or none has", () => {
    assert.deepEqual(entriesOf([seen("ESTABLISHED", "used")]), [
      `ok: ${PLACE}: no new connection (from before: 1 ESTABLISHED with packets)`,
    ]);
    const idle = [seen("ESTABLISHED", "idle"), seen("FIN_WAIT", "idle")];
    assert.deepEqual(entriesOf(idle), [
      "unknown: no packet of this client in 5 s (from before: 1 ESTABLISHED, 1 FIN_WAIT); no service got a packet either: the client sent nothing, or it did not reach IPVS",
    ]);
    assert.equal(trace(idle).stopsAt, undefined);
  });

  test("traceClient() stops at a rule for this client", () => {
    const rules = filter(
      ":INPUT ACCEPT [0:0]\n[9:540] -A INPUT -s 192.0.2.77/32 -j DROP",
    );
    const { stopsAt } = trace([], { rules });
    assert.equal(stopsAt?.step, "firewall");
  });

  test("traceClient() says which marking rules the client's packets do not meet", () => {
    const table = [serviceEntry({ family: INET, firewallMark: 7 }, {}, [])];
    const rules = (device: string) =>
      `*mangle\n:PREROUTING ACCEPT [9:540]\n[0:0] -A PREROUTING -d 192.0.2.1/32 -i ${device} -j MARK --set-xmark 0x7/0xffffffff\nCOMMIT\n`;
    const { stopsAt } = trace([], { table, rules: rules("eth2") });
    assert.equal(
      stopsAt?.text,
      'rule 1 of chain PREROUTING (iptables, table mangle), "-d 192.0.2.1/32 -i eth2 -j MARK --set-xmark 0x7/0xffffffff", 0 packets, sets mark 7 for fwm/7; it does not match: requests of 192.0.2.77 come in by eth1, which the rule does not match',
    );
    const met = trace([], { table, rules: rules("eth1") });
    assert.equal(met.stopsAt, undefined);
    assert.match(
      met.steps.find(({ step }) => step === "marks")?.text ?? "",
      /it matches packets of the client that meet its conditions$/,
    );
  });

  test("traceClient() warns of a route by another interface than the client's network, and stops if rp_filter is strict", () => {
    const away = network([
      ...[...NETWORK.ways.values()].filter((way) => typeof way === "object"),
      route("192.0.2.77", "unicast", 2),
    ]);
    const other = { ...NETWORK, ways: away.ways };
    const step = (level: number) =>
      trace([], {
        network: other,
        sysctls: sysctls({
          ...SYSCTLS,
          "net.ipv4.conf.all.rp_filter": 0,
          "net.ipv4.conf.eth1.rp_filter": level,
        }),
      }).steps[0];
    assert.equal(step(0)?.state, "unknown");
    assert.equal(step(1)?.state, "stops");
    assert.match(
      step(1)?.text ?? "",
      /^192\.0\.2\.77 is in the network of eth1, and the route to it leaves by eth2, directly; rp_filter is 1 for eth1/,
    );
  });

  test("traceClient() says that an entry of a drained server keeps the client there", () => {
    const drained = masqueraded("10.0.0.11", {
      settings: { ...SERVER.settings, weight: 0 },
    });
    const table = [serviceAt("192.0.2.1", [drained])];
    const step = trace(["ESTABLISHED"], { table }).steps.find(
      (one) => one.step === "entries",
    );
    assert.equal(step?.state, "unknown");
    assert.match(step.text, /the server is drained \(weight 0\)/);
  });

  test("traceClient() says when nothing of the client was seen", () => {
    const { stopsAt, steps } = trace([]);
    assert.equal(stopsAt, undefined);
    assert.match(
      steps[2]?.text ?? "",
      /^no connection of this client in 5 s; no service got a packet/,
    );
  });

  test("traceClient() needs a route to the client", () => {
    const lost = { ...NETWORK, ways: new Map() };
    assert.equal(trace([], { network: lost }).stopsAt?.step, "route");
  });

  test("traceClient() sees that answers may be refusals by their size", () => {
    const key = {
      family: INET,
      protocol: UDP,
      address: address("192.0.2.1"),
      port: 80,
    } as const;
    const table = (given: Partial<Stats>) => [
      serviceEntry(key, {}, [
        masqueraded("10.0.0.11", { stats: stats(given) }),
      ]),
    ];
    const last = (outBytes: bigint) =>
      traceClient(
        facts({ table: table({}) }) as Parameters<typeof traceClient>[0],
        {
          client,
          seconds: 5,
          connections: [datagrams],
          after: table({
            inPackets: 3n,
            outPackets: 3n,
            inBytes: 90n,
            outBytes,
          }),
          heard: [],
        },
      ).steps.at(-1);
    assert.match(
      last(174n)?.text ?? "",
      /3 packets in, 3 out; they are as large as ICMP/,
    );
    assert.equal(last(174n)?.state, "unknown");
    assert.equal(last(175n)?.state, "ok");
  });

  test("traceClient() shows ICMP errors about a tunnel's packets, and leads to the real server", () => {
    const table = (given: Partial<Stats>) => [
      serviceAt("192.0.2.1", [
        {
          ...masqueraded("10.0.0.11", { stats: stats(given) }),
          settings: {
            ...SERVER.settings,
            forwarding: TUNNELING,
            tunnel: { type: TUNNEL_GUE, port: 6080, flags: 0 },
          },
        },
      ]),
    ];
    const traced = (state: string, given: Partial<Stats>) =>
      traceClient(
        facts({ table: table({}) }) as Parameters<typeof traceClient>[0],
        {
          client,
          seconds: 5,
          connections: [seen(state)],
          after: table(given),
          heard: [],
        },
      );
    const errors = { inPackets: 8n, outPackets: 16n, outBytes: 1184n };
    const { steps, stopsAt, next } = traced("SYN_RECV", errors);
    assert.equal(stopsAt?.step, "entries");
    assert.deepEqual(
      next.map(({ on, command }) => `${on ?? "-"}: ${command}`),
      [
        "real server 10.0.0.11: ipvsadm doctor --real-server tcp/192.0.2.1:80 --method gue --tun-port 6080 --client 192.0.2.77",
      ],
    );
    assert.equal(steps.at(-1)?.state, "unknown");
    assert.equal(
      steps.at(-1)?.text,
      "10.0.0.11:80 of tcp/192.0.2.1:80, all clients: 8 packets in, 16 out; answers do not pass the director, so packets out are ICMP errors about the tunnel's packets: nothing on the server unpacks UDP port 6080 (GUE), a firewall rejects it, or a router does not reach the server",
    );
    const works = traced("ESTABLISHED", { inPackets: 8n });
    assert.deepEqual(works.next, []);
    assert.equal(works.steps.at(-1)?.state, "ok");
    // A server that resets connections is another cause, which the same command examines.
    assert.equal(traced("CLOSE", {}).next.length, 1);
  });

  test("traceClient() does not take UDP for an opening connection", () => {
    const table = [
      serviceEntry(
        {
          family: INET,
          protocol: UDP,
          address: address("192.0.2.1"),
          port: 80,
        },
        {},
        [SERVER],
      ),
    ];
    const { stopsAt } = traceClient(
      facts({ table }) as Parameters<typeof traceClient>[0],
      {
        client,
        seconds: 5,
        connections: [datagrams],
        after: table,
        heard: [],
      },
    );
    assert.equal(stopsAt, undefined);
  });
});
