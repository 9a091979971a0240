import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  answerWays,
  withAnswerWays,
} from "../../../src/doctor/director/ways/answer-routes.js";
import { defenses } from "../../../src/doctor/director/machine/defenses.js";
import { fixedNeighbors } from "../../../src/doctor/director/ways/fixed-neighbors.js";
import { hangingServers } from "../../../src/doctor/director/connections/hanging-servers.js";
import { localServers } from "../../../src/doctor/director/table/local-servers.js";
import { onePacketAnswers } from "../../../src/doctor/director/nat/one-packet-answers.js";
import { reach } from "../../../src/doctor/director/reach/reach.js";
import { refusals } from "../../../src/doctor/director/servers/refusals.js";
import { schedulerPins } from "../../../src/doctor/director/table/scheduler-pins.js";
import { shadowedServices } from "../../../src/doctor/director/table/shadowed-services.js";
import {
  strayRoutes,
  withStrayRoutes,
} from "../../../src/doctor/director/ways/stray-routes.js";
import { timeoutLengths } from "../../../src/doctor/director/machine/timeouts.js";
import { unanswered } from "../../../src/doctor/director/connections/unanswered.js";
import type { ConnectionGroup } from "../../../src/doctor/connections.js";
import type { Facts } from "../../../src/doctor/facts.js";
import { parseIptablesSave } from "../../../src/doctor/firewall/iptables-save.js";
import type { Network } from "../../../src/doctor/network.js";
import { INET } from "../../../src/ipvs/address.js";
import {
  BACKUP,
  MASQUERADING,
  ONE_PACKET,
  TCP,
  UDP,
  type ServerEntry,
  type ServiceSettings,
} from "../../../src/ipvs/model.js";
import type { RouteFailure, RouteQuery } from "../../../src/rtnl/client.js";
import type { Neighbor, Route, Rule } from "../../../src/rtnl/model.js";
import { address, serverEntry, serviceEntry } from "../../fixtures/entries.js";
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
 * A director between clients on eth1, behind the router 192.0.2.254, and masqueraded servers on eth2 (10.0.0.0/24). The
 * virtual address is 192.0.2.1.
 */
const CLIENT = "198.51.100.10";
const SERVER = masqueraded("10.0.0.11");
const SERVICE = serviceAt("192.0.2.1", [SERVER]);
const NETWORK = network(
  [
    route("192.0.2.1", "local", 1),
    route("10.0.0.1", "local", 2),
    route("192.0.0.8", "unicast", 1, "192.0.2.254"),
    route(CLIENT, "unicast", 1, "192.0.2.254"),
    route("10.0.0.11", "unicast", 2),
    route("10.0.0.12", "unicast", 2),
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
const WAITING = [
  connectionGroup(
    { SYN_RECV: [50, 51, 52] },
    {
      server: address("10.0.0.11"),
      clients: [address(CLIENT)],
      openingClients: [address(CLIENT)],
    },
  ),
];

/** The interfaces and addresses of a network, for other routes. */
function around({ devices, addresses }: Network): Partial<Network> {
  return { devices, addresses };
}

function masqueraded(text: string, given: Partial<ServerEntry> = {}) {
  const server = serverEntry(text, 80, { forwarding: MASQUERADING });
  return { ...server, ...given };
}

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
    sysctls: sysctls({ "net.ipv4.vs.conntrack": 0, "net.ipv4.ip_forward": 1 }),
    firewall: {
      tables: parseIptablesSave(rules, INET, "iptables"),
      unread: [],
    },
    probes: [],
    listeners: [],
    ...rest,
  };
}

suite("answerWays", () => {
  const RULE: Rule = {
    family: INET,
    priority: 100,
    action: "table",
    table: 100,
    from: { address: address("10.0.0.0"), bits: 24 },
    to: undefined,
    incoming: undefined,
    outgoing: undefined,
    mark: undefined,
    inverted: false,
  };
  const MAIN: Rule = {
    ...RULE,
    priority: 32766,
    table: 254,
    from: undefined,
  };
  const DEFAULT = { prefixBits: 0, target: address("0.0.0.0") };
  const BLACKHOLE = route("0.0.0.0", "blackhole", 0, undefined, {
    ...DEFAULT,
    table: 100,
    hops: [],
  });

  /** The network of a kernel that answers these queries so. */
  async function asked(
    answer: (query: RouteQuery) => Route | RouteFailure,
    rules: readonly Rule[] = [MAIN],
    routes: readonly Route[] = [],
    seen: Network = NETWORK,
  ): Promise<Network> {
    return await withAnswerWays(
      {
        routeTo: (query) => Promise.resolve(answer(query)),
        rules: () => Promise.resolve([...rules]),
        routes: () => Promise.resolve([...routes]),
      },
      seen,
      [SERVICE],
      connectionTable(WAITING),
    );
  }
  const fine = route(CLIENT, "unicast", 1, "192.0.2.254");
  const find = (network: Network, given: Partial<Facts> = {}) =>
    answerWays.examine(facts({ network, groups: WAITING, ...given }));

  test("answers that have a way are no finding", async () => {
    const queries: RouteQuery[] = [];
    const network = await asked((query) => {
      queries.push(query);
      return fine;
    });
    assert.deepEqual(queries, [
      { to: address(CLIENT), from: address("10.0.0.11"), incoming: 2 },
      { to: address(CLIENT), from: address("192.0.2.1") },
    ]);
    assert.deepEqual(find(network), []);
    assert.notDeepEqual(
      unanswered.examine(facts({ network, groups: WAITING })),
      [],
    );
  });

  test("a routing rule for the servers' network leads to a blackhole", async () => {
    const network = await asked(
      ({ incoming }) => (incoming === undefined ? fine : "dropped"),
      [MAIN, RULE],
      [BLACKHOLE],
    );
    const [finding, ...others] = find(network);
    assert.deepEqual(others, []);
    assert.ok(finding);
    assert.equal(
      finding.seen,
      "clients 198.51.100.10 wait in SYN_RECV, and answers to 198.51.100.10 from 10.0.0.11 lead nowhere: routing rule 100 leads to table 100, whose route to default is of type blackhole",
    );
    assert.equal(finding.certainty, undefined);
    assert.deepEqual(told(finding), [
      "answers-unroutable tcp/192.0.2.1:80",
      "ip route del blackhole default table 100",
    ]);
    assert.deepEqual(
      finding.next?.map(({ command }) => command),
      ["ip route get 198.51.100.10 from 10.0.0.11 iif eth2"],
    );
    assert.deepEqual(
      unanswered.examine(facts({ network, groups: WAITING })),
      [],
      "the route is the cause",
    );
  });

  test("a rule for the virtual address counts only if IPVS looks for the route again", async () => {
    const rule: Rule = {
      ...RULE,
      action: "prohibit",
      from: { address: address("192.0.2.1"), bits: 32 },
    };
    const network = await asked(
      ({ incoming }) => (incoming === undefined ? "prohibited" : fine),
      [rule, MAIN],
    );
    assert.deepEqual(find(network).map(told), [
      [
        "answers-unroutable tcp/192.0.2.1:80",
        "ip rule del priority 100 prohibit",
      ],
    ]);
    assert.deepEqual(
      find(network, { sysctls: sysctls({ "net.ipv4.vs.snat_reroute": 0 }) }),
      [],
    );
    assert.notDeepEqual(
      unanswered.examine(
        facts({
          network: await asked(
            ({ incoming }) => (incoming === undefined ? "prohibited" : fine),
            [rule, MAIN],
          ),
          groups: WAITING,
          sysctls: sysctls({
            "net.ipv4.vs.snat_reroute": 0,
            "net.ipv4.ip_forward": 1,
          }),
        }),
      ),
      [],
      "the server is silent for another reason",
    );
  });

  test("a route for some clients is perhaps a ban, and does not explain that others wait", async () => {
    const ban = route(CLIENT, "blackhole", 0, undefined, {
      prefixBits: 32,
      table: 254,
      hops: [],
    });
    const network = await asked(() => "dropped", [MAIN], [ban]);
    const [finding] = find(network);
    assert.equal(finding?.certainty, "likely");
    assert.deepEqual(finding.evidence, [
      "it is no fault if somebody added this to ban these clients",
    ]);
    const others = [address(CLIENT), address("198.51.100.20")];
    const [group] = WAITING;
    assert.ok(group);
    const groups = [{ ...group, clients: others, openingClients: others }];
    assert.notDeepEqual(unanswered.examine(facts({ network, groups })), []);
  });

  test("without a default route, one is printed for the reader's router", async () => {
    const none = network(
      [route("192.0.2.1", "local", 1), route("10.0.0.11", "unicast", 2)],
      { devices: NETWORK.devices, addresses: NETWORK.addresses },
      { [CLIENT]: "no route", "192.0.0.8": "no route" },
    );
    const failed = await asked(() => "no route", [MAIN], [], none);
    assert.deepEqual(find(failed).map(told), [
      [
        "answers-unroutable tcp/192.0.2.1:80",
        "ip route add default via ROUTER",
      ],
    ]);
  });

  test("a rule for firewall marks makes it likely, and nothing is blamed", async () => {
    const mark = { value: 1, mask: 0xffffffff };
    const network = await asked(() => "dropped", [{ ...RULE, mark }, MAIN]);
    const [finding] = find(network);
    assert.equal(finding?.certainty, "likely");
    assert.deepEqual(finding.fix, []);
  });

  test("a machine that does not forward has another fault", async () => {
    const network = await asked(() => "unreachable");
    assert.deepEqual(
      find(network, { sysctls: sysctls({ "net.ipv4.ip_forward": 0 }) }),
      [],
    );
  });
});

suite("fixedNeighbors", () => {
  const withEntry = (state: "permanent" | "reachable"): Network => ({
    ...NETWORK,
    neighbors: [neighbor(2, "10.0.0.11", 0x99, state)],
  });

  test("a permanent entry of a silent server is likely the cause", () => {
    const all = facts({ network: withEntry("permanent"), groups: WAITING });
    const [finding, ...others] = fixedNeighbors.examine(all);
    assert.deepEqual(others, []);
    assert.ok(finding);
    assert.deepEqual(told(finding), [
      "neighbor-fixed 10.0.0.11",
      "ip neighbor del 10.0.0.11 dev eth2",
    ]);
    assert.match(finding.seen, /02:00:00:00:01:99/);
    assert.deepEqual(finding.evidence, [
      "3 connections to 10.0.0.11:80 wait in SYN_RECV",
    ]);
    assert.deepEqual(unanswered.examine(all), []);
  });

  test("the command that corrects an entry is printed as well, and where its hardware address is shown", () => {
    const all = facts({ network: withEntry("permanent"), groups: WAITING });
    const [finding] = fixedNeighbors.examine(all);
    assert.match(
      finding?.fix[0]?.effect ?? "",
      /"ip neighbor replace 10\.0\.0\.11 lladdr LLADDR dev eth2 nud permanent" corrects an entry that is fixed on purpose/,
    );
    assert.deepEqual(
      finding?.next?.slice(0, 2).map(({ command }) => command),
      ["ip -br link", "arping -c 2 -I eth2 10.0.0.11"],
    );
  });

  test("where all entries of the interface are permanent, the entry is corrected and stays permanent", () => {
    const find = (...others: Neighbor[]) =>
      fixedNeighbors
        .examine(
          facts({
            network: {
              ...NETWORK,
              neighbors: [
                neighbor(2, "10.0.0.11", 0x99, "permanent"),
                ...others,
              ],
            },
            groups: WAITING,
          }),
        )
        .map(({ fix }) => fix.map(({ command }) => command));
    const replace = [
      ["ip neighbor replace 10.0.0.11 lladdr LLADDR dev eth2 nud permanent"],
    ];
    const remove = [["ip neighbor del 10.0.0.11 dev eth2"]];
    const fixed = neighbor(2, "10.0.0.12", 0x12, "permanent");
    assert.deepEqual(find(fixed), replace);
    assert.deepEqual(
      find(
        fixed,
        neighbor(2, "10.0.0.13", undefined, "failed"),
        neighbor(1, "192.0.2.254", 0x54),
        neighbor(2, "2001:db8::12", 0x12),
      ),
      replace,
    );
    assert.deepEqual(find(fixed, neighbor(2, "10.0.0.13", 0x13)), remove);
    assert.deepEqual(find(neighbor(1, "192.0.2.7", 0x7, "permanent")), remove);
  });

  test("an entry that the kernel learned is none, nor a fixed one of a server that answers", () => {
    const learned = facts({ network: withEntry("reachable"), groups: WAITING });
    assert.deepEqual(fixedNeighbors.examine(learned), []);
    assert.notDeepEqual(unanswered.examine(learned), []);
    const groups = [
      connectionGroup({ TIME_WAIT: [100] }, { server: address("10.0.0.11") }),
    ];
    assert.deepEqual(
      fixedNeighbors.examine(
        facts({ network: withEntry("permanent"), groups }),
      ),
      [],
    );
  });

  test("entries of a VXLAN interface are made by programs", () => {
    const overlay: Network = {
      ...withEntry("permanent"),
      devices: [device(1), device(2, { kind: "vxlan" })],
    };
    const all = facts({ network: overlay, groups: WAITING });
    assert.deepEqual(fixedNeighbors.examine(all), []);
    assert.notDeepEqual(unanswered.examine(all), []);
  });

  test("the entry of a router behind which servers have answered clients is right", () => {
    const OTHER = masqueraded("10.0.0.12");
    const table = [serviceAt("192.0.2.1", [SERVER, OTHER])];
    const fixed: Network = {
      ...NETWORK,
      neighbors: [neighbor(1, "192.0.2.254", 0x99, "permanent")],
    };
    const find = (...groups: ConnectionGroup[]) =>
      fixedNeighbors
        .examine(
          facts({ table, network: fixed, groups: [...WAITING, ...groups] }),
        )
        .map(({ subject }) => subject);
    assert.deepEqual(find(), ["192.0.2.254"]);
    const answered = connectionGroup(
      { ESTABLISHED: [890] },
      { server: address("10.0.0.12"), clients: [address(CLIENT)] },
    );
    assert.deepEqual(find(answered), []);
  });

  test("a server that did not answer --probe counts, too", () => {
    const all = facts({
      network: withEntry("permanent"),
      probes: [{ service: SERVICE, server: SERVER, result: "no answer" }],
    });
    assert.equal(fixedNeighbors.examine(all).length, 1);
    assert.deepEqual(refusals.examine(all), []);
  });
});

suite("strayRoutes", () => {
  /** The network with other routes to these addresses, as a kernel has them. */
  async function astray(...ways: Route[]): Promise<Network> {
    const seen = network(
      [
        route("192.0.2.1", "local", 1),
        route(CLIENT, "unicast", 1, "192.0.2.254"),
        ...ways,
      ],
      { devices: NETWORK.devices, addresses: NETWORK.addresses },
    );
    return await withStrayRoutes(
      {
        routeTo: ({ to, asConfigured }) => {
          assert.equal(asConfigured, true);
          return Promise.resolve(
            ways.find(({ target }) => target.join() === to.join()) ??
              "no route",
          );
        },
      },
      seen,
      [address("10.0.0.11")],
      [address(CLIENT)],
    );
  }

  test("only the default route leads to a silent server", async () => {
    const whole = {
      ...{ devices: NETWORK.devices },
      addresses: [
        ownAddress(1, "192.0.2.2/24"),
        ownAddress(1, "192.0.2.1/32"),
        ownAddress(2, "10.0.0.1/32"),
      ],
    };
    const ways = [
      route("192.0.2.1", "local", 1),
      route(CLIENT, "unicast", 1, "192.0.2.254"),
      route("10.0.0.11", "unicast", 1, "192.0.2.254"),
    ];
    const seen = async (prefixBits: number) =>
      await withStrayRoutes(
        {
          routeTo: () =>
            Promise.resolve(
              route("0.0.0.0", "unicast", 1, "192.0.2.254", { prefixBits }),
            ),
        },
        network(ways, whole),
        [address("10.0.0.11")],
        [address(CLIENT)],
      );
    const all = facts({ network: await seen(0), groups: WAITING });
    const [finding, ...others] = strayRoutes.examine(all);
    assert.deepEqual(others, []);
    assert.ok(finding);
    assert.deepEqual(told(finding), [
      "server-by-default-route 10.0.0.11:80 of tcp/192.0.2.1:80",
    ]);
    assert.deepEqual(finding.evidence, [
      "3 connections to 10.0.0.11:80 wait in SYN_RECV",
      "eth2 has 10.0.0.1/32, which makes no route to other addresses: perhaps the length of its prefix is wrong",
    ]);
    assert.deepEqual(unanswered.examine(all), []);
    const OTHER = masqueraded("10.0.0.12");
    const behind = network(
      [...ways, route("10.0.0.12", "unicast", 1, "192.0.2.254")],
      whole,
    );
    const beside = (outPackets: bigint) =>
      facts({
        table: [
          serviceAt("192.0.2.1", [
            SERVER,
            { ...OTHER, stats: { ...OTHER.stats, outPackets } },
          ]),
        ],
        network: { ...behind, byDefault: new Set(["10.0.0.11", "10.0.0.12"]) },
        groups: WAITING,
      });
    assert.equal(strayRoutes.examine(beside(0n)).length, 1);
    assert.deepEqual(
      strayRoutes.examine(beside(9n)),
      [],
      "the router leads to another server",
    );
    assert.notDeepEqual(unanswered.examine(beside(9n)), []);
    const named = facts({ network: await seen(8), groups: WAITING });
    assert.deepEqual(strayRoutes.examine(named), []);
    assert.notDeepEqual(unanswered.examine(named), []);
  });

  test("a host route goes before the network of a silent server", async () => {
    const all = facts({
      network: await astray(route("10.0.0.11", "unicast", 1, "192.0.2.254")),
      groups: WAITING,
    });
    const [finding, ...others] = strayRoutes.examine(all);
    assert.deepEqual(others, []);
    assert.ok(finding);
    assert.deepEqual(told(finding), [
      "route-elsewhere 10.0.0.11",
      "ip route del 10.0.0.11/32 dev eth1",
    ]);
    assert.equal(
      finding.seen,
      "it is in the network of eth2, 10.0.0.1/24, and the route to 10.0.0.11/32 sends packets to it by eth1, through 192.0.2.254",
    );
    assert.equal(finding.certainty, "likely");
    assert.deepEqual(unanswered.examine(all), []);
    assert.deepEqual(
      strayRoutes.examine({ ...all, connections: connectionTable([]) }),
      [],
      "a server that is not silent",
    );
  });

  test("a machine that answers where a host route leads is no finding", async () => {
    const network = await astray(route("10.0.0.11", "unicast", 1));
    const asked = (owner: Uint8Array | undefined) =>
      facts({
        network,
        groups: WAITING,
        stations: { nextHops: new Map([["10.0.0.11", owner]]), strangers: [] },
      });
    assert.deepEqual(strayRoutes.examine(asked(mac(1))), []);
    assert.notDeepEqual(unanswered.examine(asked(mac(1))), []);
    const unasked = facts({ network, groups: WAITING });
    assert.equal(strayRoutes.examine(unasked).length, 1);
  });

  test("a server that is reached in its network is no finding", async () => {
    const all = facts({
      network: await astray(route("10.0.0.11", "unicast", 2)),
      groups: WAITING,
    });
    assert.deepEqual(strayRoutes.examine(all), []);
    assert.notDeepEqual(unanswered.examine(all), []);
  });

  test("the router to a client that waits does not answer", () => {
    const asked = (owner: Uint8Array | undefined) =>
      facts({
        groups: WAITING,
        stations: {
          nextHops: new Map([["192.0.2.254", owner]]),
          strangers: [],
        },
      });
    const [finding] = strayRoutes.examine(asked(undefined));
    assert.ok(finding);
    assert.deepEqual(told(finding), ["client-router-silent 192.0.2.254"]);
    assert.equal(
      finding.seen,
      "answers to client 198.51.100.10 leave by eth1, through 192.0.2.254, which does not answer there",
    );
    assert.deepEqual(unanswered.examine(asked(undefined)), []);
    assert.deepEqual(strayRoutes.examine(asked(mac(1))), []);
  });
});

suite("reach: server-network-down", () => {
  const down = (up: boolean): Network => ({
    ...network(
      [
        route("192.0.2.1", "local", 1),
        route("10.0.0.11", "unicast", 1, "192.0.2.254"),
      ],
      {
        devices: [device(1), device(2, { up })],
        addresses: NETWORK.addresses,
      },
    ),
  });

  test("an interface that is down has the network of a server", () => {
    const [finding] = reach.examine(facts({ network: down(false) }));
    assert.ok(finding);
    assert.deepEqual(told(finding), [
      "server-network-down 10.0.0.11:80 of tcp/192.0.2.1:80",
      "ip link set eth2 up",
    ]);
    assert.equal(
      finding.seen,
      "eth2, which has 10.0.0.1/24 in its network, is down, and packets to it leave by eth1, through 192.0.2.254",
    );
    assert.equal(finding.certainty, "likely", "that route can be meant");
    const cut = network([route("192.0.2.1", "local", 1)], around(down(false)), {
      "10.0.0.11": "no route",
    });
    const [proven] = reach.examine(facts({ network: cut }));
    assert.equal(proven?.id, "server-network-down");
    assert.equal(proven.certainty, undefined);
    assert.deepEqual(
      unanswered.examine(facts({ network: down(false), groups: WAITING })),
      [],
    );
  });

  test("a server that answers or is attached to another interface is no finding", () => {
    const { stats } = SERVER;
    const answering = {
      ...SERVER,
      stats: { ...stats, outPacketsPerSecond: 1n },
    };
    const table = [serviceAt("192.0.2.1", [answering])];
    assert.deepEqual(reach.examine(facts({ table, network: down(false) })), []);
    const cut = { ...down(false), ways: new Map([["10.0.0.11", "no route"]]) };
    assert.deepEqual(
      reach
        .examine(facts({ table, network: cut as Network }))
        .map(({ id }) => id),
      ["server-network-down"],
      "the rate is that of the last half minute",
    );
    const attached = network(
      [route("192.0.2.1", "local", 1), route("10.0.0.11", "unicast", 1)],
      around(down(false)),
    );
    assert.deepEqual(reach.examine(facts({ network: attached })), []);
  });

  test("an interface that is up is no fault, nor one beside another that is up", () => {
    assert.deepEqual(reach.examine(facts({ network: down(true) })), []);
    const both: Network = {
      ...down(false),
      addresses: [...NETWORK.addresses, ownAddress(1, "10.0.0.2/24")],
    };
    assert.deepEqual(reach.examine(facts({ network: both })), []);
  });
});

suite("shadowedServices", () => {
  const marked = serviceEntry({ family: INET, firewallMark: 7 }, {}, [SERVER]);
  const find = (conditions: string, mark: number, all = [SERVICE, marked]) =>
    shadowedServices
      .examine(
        facts({
          allServices: all,
          rules: `*mangle\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING ${conditions} -j MARK --set-mark ${mark}\nCOMMIT\n`,
        }),
      )
      .map((finding) => [...told(finding), finding.seen]);

  test("a rule gives the packets of a service to one by firewall mark", () => {
    const found = find("-d 192.0.2.1/32 -p tcp -m tcp --dport 80", 7);
    assert.equal(found.length, 1);
    assert.equal(found[0]?.[0], "service-shadowed tcp/192.0.2.1:80");
    assert.match(
      found[0][1] ?? "",
      /^rule 1 of chain PREROUTING .*, sets mark 7 for its packets, so fwm\/7 gets all of its new connections$/,
    );
  });

  test("another port, another mark, and a mark without a service are no finding", () => {
    assert.deepEqual(find("-d 192.0.2.1/32 -p tcp -m tcp --dport 443", 7), []);
    assert.deepEqual(find("-p tcp -m tcp --dport 80", 8), []);
    assert.deepEqual(find("-p tcp -m tcp --dport 80", 7, [SERVICE]), []);
    assert.deepEqual(
      find("-s 203.0.113.0/24 -p tcp -m tcp --dport 80", 7),
      [],
      "only some clients",
    );
  });
});

suite("schedulerPins", () => {
  const servers = (...counts: number[]) =>
    counts.map((inactiveConnections, i) =>
      masqueraded(`10.0.0.${11 + i}`, { inactiveConnections }),
    );
  const find = (settings: Partial<ServiceSettings>, ...counts: number[]) =>
    schedulerPins
      .examine(
        facts({
          table: [serviceAt("192.0.2.1", servers(...counts), settings)],
        }),
      )
      .map((finding) => [...told(finding), finding.seen]);

  test("dh has one destination, so one server gets everything", () => {
    assert.deepEqual(find({ scheduler: "dh" }, 4, 0), [
      [
        "scheduler-pins tcp/192.0.2.1:80",
        "ipvsadm -E -t 192.0.2.1:80 -s wlc",
        "dh chooses a server by the destination address, and this service has only one; 4 of 4 connections are at 10.0.0.11:80",
      ],
    ]);
    for (const scheduler of ["lblc", "lblcr"]) {
      assert.equal(find({ scheduler }, 20, 0).length, 1);
      assert.deepEqual(find({ scheduler }, 1, 1), []);
      assert.deepEqual(find({ scheduler }, 20, 10), [], "it is overloaded");
    }
    assert.deepEqual(find({ scheduler: "dh" }, 4), [], "a single server");
    assert.deepEqual(find({ scheduler: "rr" }, 40, 0), []);
  });

  test("a firewall mark can stand for many destinations", () => {
    const marked = serviceEntry(
      { family: INET, firewallMark: 7 },
      { scheduler: "dh" },
      servers(4, 0),
    );
    assert.deepEqual(schedulerPins.examine(facts({ table: [marked] })), []);
  });

  test("sh needs many connections at one server, and no flag for ports", () => {
    assert.deepEqual(find({ scheduler: "sh" }, 19, 0), []);
    assert.deepEqual(find({ scheduler: "sh" }, 30, 10), []);
    assert.equal(find({ scheduler: "sh" }, 20, 0).length, 1);
    assert.deepEqual(find({ scheduler: "sh", flags: 0x10 }, 20, 0), []);
  });
});

suite("onePacketAnswers", () => {
  const key = {
    family: INET,
    protocol: UDP,
    address: address("192.0.2.1"),
    port: 53,
  } as const;
  const dns = (flags: number) =>
    serviceEntry(key, { scheduler: "rr", flags }, [
      { ...SERVER, key: { ...SERVER.key, port: 53 } },
    ]);

  test("nobody translates the answers of masqueraded servers", () => {
    const table = [dns(ONE_PACKET)];
    assert.deepEqual(onePacketAnswers.examine(facts({ table })).map(told), [
      [
        "one-packet-masqueraded udp/192.0.2.1:53",
        "ipvsadm -E -u 192.0.2.1:53 -s rr",
      ],
    ]);
    assert.deepEqual(onePacketAnswers.examine(facts({ table: [dns(0)] })), []);
    const [finding] = onePacketAnswers.examine(facts({ table }));
    assert.equal(finding?.certainty, "likely");
    assert.deepEqual(finding.evidence, [
      "it is no fault if clients expect no answers, as with syslog or NetFlow",
    ]);
  });

  test("IPVS translates what servers send with a persistence engine", () => {
    const service = dns(ONE_PACKET);
    const settings = { ...service.settings, persistenceEngine: "sip" };
    const table = [{ ...service, settings }];
    assert.deepEqual(onePacketAnswers.examine(facts({ table })), []);
  });

  test("a rule of SNAT for the answers, direct routing, and a local server are no fault", () => {
    const rules = `*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -p udp -s 10.0.0.0/24 --sport 53 -j SNAT --to-source 192.0.2.1\nCOMMIT\n`;
    const table = [dns(ONE_PACKET)];
    assert.deepEqual(onePacketAnswers.examine(facts({ table, rules })), []);
    const direct = serviceEntry(key, { scheduler: "rr", flags: ONE_PACKET }, [
      serverEntry("10.0.0.11", 53),
    ]);
    assert.deepEqual(onePacketAnswers.examine(facts({ table: [direct] })), []);
  });
});

suite("localServers", () => {
  const at = (text: string, port = 80) =>
    serviceAt("192.0.2.1", [
      { ...masqueraded(text), key: { ...masqueraded(text).key, port } },
    ]);
  const any = { protocol: TCP, address: address("0.0.0.0"), port: 80 } as const;

  test("a masqueraded loopback address gets nothing from the network", () => {
    const [finding] = localServers.examine(
      facts({ table: [at("127.0.0.1")], listeners: [any] }),
    );
    assert.ok(finding);
    assert.deepEqual(told(finding), [
      "server-on-loopback 127.0.0.1:80 of tcp/192.0.2.1:80",
    ]);
    assert.deepEqual(finding.procedure?.[1], {
      commands: [
        "ipvsadm -a -t 192.0.2.1:80 -r 192.0.2.2:80 -m -w 1",
        "ipvsadm -d -t 192.0.2.1:80 -r 127.0.0.1:80",
      ],
    });
    const direct = serviceAt("192.0.2.1", [serverEntry("127.0.0.1", 80)]);
    assert.deepEqual(
      localServers.examine(facts({ table: [direct], listeners: [any] })),
      [],
    );
  });

  test("a temporary IPv6 address is no address for a server", () => {
    const seen: Network = {
      ...NETWORK,
      addresses: [
        ownAddress(1, "2001:db8::99/64", { secondary: true }),
        ownAddress(1, "2001:db8::2/64"),
      ],
    };
    const table = [serviceAt("2001:db8::1", [masqueraded("::1")])];
    const [finding] = localServers.examine(facts({ table, network: seen }));
    assert.match(
      JSON.stringify(finding?.procedure),
      / -r '\[2001:db8::2\]:80' /,
    );
  });

  test("programs of this machine reach a loopback address", () => {
    const [service] = [at("127.0.0.1")];
    const answering = service.servers.map((one) => ({
      ...one,
      stats: { ...one.stats, outPackets: 1n },
    }));
    const table = [{ ...service, servers: answering }];
    const [finding] = localServers.examine(facts({ table }));
    assert.equal(finding?.certainty, "likely");
    const own = serviceAt("127.0.0.2", [masqueraded("127.0.0.1")]);
    assert.deepEqual(localServers.examine(facts({ table: [own] })), []);
  });

  test("a local server with direct routing needs no program while another director has the virtual address", () => {
    const table = [serviceAt("192.0.2.1", [serverEntry("10.0.0.1", 80)])];
    const find = (network: Network) =>
      localServers.examine(facts({ table, network })).map(({ id }) => id);
    assert.deepEqual(find(NETWORK), ["local-server-unheard"]);
    assert.deepEqual(
      find(network([route("10.0.0.1", "local", 2)], around(NETWORK))),
      [],
    );
  });

  test("a local server needs a program", () => {
    const table = [at("10.0.0.1", 8080)];
    const there = (address_: string) =>
      localServers
        .examine(
          facts({
            table,
            listeners: [
              { protocol: TCP, address: address(address_), port: 8080 },
            ],
          }),
        )
        .map(({ id, seen }) => [id, seen]);
    assert.deepEqual(there("0.0.0.0"), []);
    assert.deepEqual(there("::"), []);
    assert.deepEqual(there("10.0.0.1"), []);
    assert.deepEqual(there("127.0.0.1"), [
      [
        "local-server-unheard",
        "it is this machine itself, and no program listens at tcp/10.0.0.1:8080; programs listen at this port only at 127.0.0.1",
      ],
    ]);
    assert.deepEqual(
      localServers.examine(facts({ listeners: [] })),
      [],
      "a server on another machine",
    );
  });
});

suite("local-server-unheard", () => {
  const local = {
    protocol: TCP,
    address: address("10.0.0.1"),
    port: 80,
  } as const;
  const find = (given: Partial<Facts> = {}) => {
    const [finding] = localServers.examine(
      facts({
        table: [serviceAt("192.0.2.1", [serverEntry("10.0.0.1", 80), SERVER])],
        listeners: [local],
        ...given,
      }),
    );
    assert.equal(finding?.id, "local-server-unheard");
    return finding;
  };
  const UNTIL = [
    "Until then give the server weight 0:",
    { commands: ["ipvsadm -e -t 192.0.2.1:80 -r 10.0.0.1:80 -g -w 0"] },
  ];

  test("local-server-unheard names the program that listens at another address, and removes no main address", () => {
    const programs = [{ port: 80, pid: 412, name: "python3" }];
    assert.deepEqual(find({ programs }).procedure, [
      "Let python3 (PID 412) listen at 0.0.0.0, or also at 192.0.2.1, because a local packet keeps the virtual address as its destination. Change that in the program's configuration and start it again.",
      ...UNTIL,
    ]);
    assert.deepEqual(find().evidence, []);
    assert.match(JSON.stringify(find().procedure), /Let the program listen/);
  });

  test("local-server-unheard without a program says to start it", () => {
    assert.deepEqual(find({ listeners: [] }).procedure, [
      "Start the program on this machine, and let it listen at 0.0.0.0 or at 192.0.2.1, port 80.",
      ...UNTIL,
    ]);
  });

  test("local-server-unheard gives the only server no weight 0, nor one of a scheduler that refuses its clients", () => {
    const server = serverEntry("10.0.0.1", 80);
    for (const service of [
      serviceAt("192.0.2.1", [server]),
      serviceAt("192.0.2.1", [server, SERVER], { scheduler: "dh" }),
    ])
      assert.equal(find({ table: [service] }).procedure?.length, 1);
  });

  test("local-server-unheard removes only an address that is not the machine's main one", () => {
    const text = "10.0.0.99";
    const seen = (bits: number, secondary = false): Network => ({
      ...NETWORK,
      ways: new Map([...NETWORK.ways, [text, route(text, "local", 2)]]),
      addresses: [
        ...NETWORK.addresses,
        ownAddress(2, `${text}/${bits}`, { secondary }),
      ],
    });
    const service = serviceAt("192.0.2.1", [serverEntry(text, 80), SERVER]);
    const last = (around: Network, more: Partial<Facts> = {}) =>
      find({
        table: [service],
        listeners: [],
        network: around,
        ...more,
      }).procedure?.slice(3);
    const remove = (bits: number) => [
      "If the server is meant to be another machine, remove its address from eth2 here:",
      { commands: [`ip address del ${text}/${bits} dev eth2`] },
    ];
    assert.deepEqual(last(seen(32)), remove(32));
    assert.deepEqual(last(seen(24, true)), remove(24));
    assert.deepEqual(last(seen(24)), []);
    const at = { ...local, address: address(text) };
    assert.deepEqual(last(seen(32), { listeners: [at] }), []);
    const virtual = serviceAt(text, [SERVER]);
    assert.deepEqual(last(seen(32), { allServices: [service, virtual] })?.[1], {
      commands: [
        `ipvsadm -D -t ${text}:80`,
        `ip address del ${text}/32 dev eth2`,
      ],
    });
  });
});

suite("defenses", () => {
  const find = (values: Record<string, number>) =>
    defenses
      .examine(
        facts({
          sysctls: sysctls(
            Object.fromEntries(
              Object.entries(values).map(([name, value]) => [
                `net.ipv4.vs.${name}`,
                value,
              ]),
            ),
          ),
        }),
      )
      .map((finding) => [...told(finding), finding.seen]);

  test("packets that open connections are dropped always, or while memory is low", () => {
    const fix = "sysctl -w net.ipv4.vs.drop_packet=0";
    const id = "defense-drops net.ipv4.vs.drop_packet";
    assert.deepEqual(find({ drop_packet: 3, am_droprate: 10 }), [
      [
        id,
        fix,
        "net.ipv4.vs.drop_packet is 3 and net.ipv4.vs.am_droprate is 10: the kernel drops one of 10 packets that open a connection",
      ],
    ]);
    assert.match(
      find({ drop_packet: 2, amemthresh: 1024 })[0]?.[2] ?? "",
      /because less memory is available than net\.ipv4\.vs\.amemthresh, 1024 pages$/,
    );
    for (const drop_packet of [0, 1])
      assert.deepEqual(find({ drop_packet, am_droprate: 1 }), []);
    assert.deepEqual(find({ drop_packet: 3, am_droprate: 0 }), []);
  });

  test("random connections are removed", () => {
    assert.deepEqual(
      find({ drop_entry: 3 }).map(([id]) => id),
      ["defense-drops net.ipv4.vs.drop_entry"],
    );
    const certainties = [2, 3].map(
      (value) =>
        defenses.examine(
          facts({ sysctls: sysctls({ "net.ipv4.vs.drop_entry": value }) }),
        )[0]?.certainty,
    );
    assert.deepEqual(certainties, [undefined, "likely"]);
    assert.deepEqual(find({ drop_entry: 1 }), []);
  });
});

suite("hangingServers", () => {
  const OTHER = masqueraded("10.0.0.12");
  const table = [serviceAt("192.0.2.1", [SERVER, OTHER])];
  const group = (states: Record<string, number[]>, server = "10.0.0.11") =>
    connectionGroup(states, {
      server: address(server),
      clients: [address(CLIENT)],
    });
  const find = (...groups: ConnectionGroup[]) =>
    hangingServers
      .examine(facts({ table, groups }))
      .map((finding) => [finding.subject, finding.seen]);

  test("three connections that only clients have closed are enough", () => {
    assert.deepEqual(find(group({ CLOSE_WAIT: [40, 50, 59] })), [
      [
        "10.0.0.11:80 of tcp/192.0.2.1:80",
        "clients have closed 3 connections, which wait in CLOSE_WAIT for the server to close its side, the oldest for 20 s; it has ended none meanwhile",
      ],
    ]);
    assert.deepEqual(find(group({ CLOSE_WAIT: [40, 50] })), []);
  });

  test("two are enough if another server ends connections meanwhile", () => {
    const two = group({ CLOSE_WAIT: [40, 50] });
    assert.equal(find(two, group({ TIME_WAIT: [119] }, "10.0.0.12")).length, 1);
    assert.deepEqual(find(two, group({ TIME_WAIT: [60] }, "10.0.0.12")), []);
  });

  test("a server that resets connections works", () => {
    assert.deepEqual(find(group({ CLOSE_WAIT: [40, 50, 59], CLOSE: [9] })), []);
  });

  test("a backup does not see how connections end", () => {
    const groups = [group({ CLOSE_WAIT: [40, 50, 59] })];
    const daemons = [
      { state: BACKUP, syncId: 0, multicastInterface: "eth1" },
    ] as const;
    assert.deepEqual(
      hangingServers.examine(facts({ table, groups, daemons })),
      [],
    );
  });

  test("a server that ends connections works, and one that has just begun to wait may", () => {
    assert.deepEqual(
      find(group({ CLOSE_WAIT: [40, 50, 59], TIME_WAIT: [110] })),
      [],
    );
    assert.deepEqual(find(group({ CLOSE_WAIT: [58, 59, 60] })), []);
  });
});

suite("timeoutLengths", () => {
  const find = (tcpSeconds: number, udpSeconds: number, table = [SERVICE]) =>
    timeoutLengths
      .examine(
        facts({
          table,
          timeouts: { tcpSeconds, tcpFinSeconds: 1, udpSeconds },
        }),
      )
      .map(told);

  test("a timeout that is shorter than slow answers is reported for its protocol", () => {
    assert.deepEqual(find(900, 300), []);
    assert.deepEqual(find(60, 1), [], "there is no UDP service");
    assert.deepEqual(find(59, 300), [
      ["timeout-short TCP", "ipvsadm --set 900 0 0"],
    ]);
    const marked = serviceEntry({ family: INET, firewallMark: 7 }, {}, [
      SERVER,
    ]);
    assert.deepEqual(find(900, 4, [marked]), [
      ["timeout-short UDP", "ipvsadm --set 0 0 300"],
    ]);
    assert.deepEqual(find(900, 5, [marked]), []);
    const udp = (flags: number, servers = [SERVER]) =>
      serviceEntry(
        {
          family: INET,
          protocol: UDP,
          address: address("192.0.2.1"),
          port: 53,
        },
        { flags },
        servers,
      );
    assert.equal(find(900, 4, [udp(0)]).length, 1);
    assert.deepEqual(
      find(900, 4, [udp(0, [serverEntry("10.0.0.11", 53)])]),
      [],
      "answers do not pass the director",
    );
    assert.deepEqual(find(900, 4, [udp(ONE_PACKET)]), [], "no entries");
  });
});

suite("unanswered: NOTRACK", () => {
  const find = (raw: string, conntrack = 1) =>
    unanswered
      .examine(
        facts({
          groups: WAITING,
          sysctls: sysctls({
            "net.ipv4.vs.conntrack": conntrack,
            "net.ipv4.ip_forward": 1,
          }),
          rules: `*raw\n:PREROUTING ACCEPT [0:0]\n${raw}COMMIT\n*nat\n:POSTROUTING ACCEPT [0:0]\n-A POSTROUTING -d 10.0.0.0/24 -p tcp -j SNAT --to-source 10.0.0.1\nCOMMIT\n`,
        }),
      )
      .flatMap(({ evidence = [] }) => evidence)
      .filter((one) => one.includes("connection tracking"));

  test("a rule that hides requests from the SNAT rule is named", () => {
    const [evidence = "", ...others] = find(
      "-A PREROUTING -p tcp -m tcp --dport 80 -j CT --notrack\n",
    );
    assert.deepEqual(others, []);
    assert.match(
      evidence,
      /^rule 1 of chain PREROUTING .* takes requests out of connection tracking, .* rule 1 of chain POSTROUTING /,
    );
  });

  test("rules for other packets are not, nor any with conntrack 0", () => {
    assert.deepEqual(
      find("-A PREROUTING -p udp -m udp --dport 53 -j CT --notrack\n"),
      [],
    );
    assert.deepEqual(
      find("-A PREROUTING -p tcp -m tcp --dport 80 -j CT --notrack\n", 0),
      [],
    );
    assert.deepEqual(find(""), []);
  });
});

suite("with many servers", () => {
  const SERVERS = Array.from({ length: 60 }, (_, i) =>
    masqueraded(`10.0.1.${i + 1}`),
  );
  const table = [serviceAt("192.0.2.1", SERVERS)];
  const names = SERVERS.map(({ key }) => key.address.join("."));

  test("refusals compares hardware addresses only for servers that seem to refuse", () => {
    const seen: Network = {
      ...network(
        names.map((name) => route(name, "unicast", 2)),
        around(NETWORK),
      ),
      get neighbors(): never {
        throw new Error("read the neighbors");
      },
    };
    assert.deepEqual(refusals.examine(facts({ table, network: seen })), []);
  });

  test("unanswered reads who answered a few times for each server", () => {
    let reads = 0;
    class Counted extends Map<string, Uint8Array | undefined> {
      override get(name: string) {
        reads++;
        return super.get(name);
      }
    }
    const nextHops = new Counted(names.map((name, i) => [name, mac(i)]));
    const groups = SERVERS.map(({ key }) =>
      connectionGroup({ SYN_RECV: [50, 51, 52] }, { server: key.address }),
    );
    const found = unanswered.examine(
      facts({
        ...{ table, groups },
        network: network(
          names.map((name) => route(name, "unicast", 2)),
          around(NETWORK),
        ),
        stations: { nextHops, strangers: [] },
      }),
    );
    assert.equal(found.length, SERVERS.length);
    assert.ok(reads < 20 * SERVERS.length, `${reads}`);
  });
});
