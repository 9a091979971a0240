import assert from "node:assert/strict";
import { suite, test } from "node:test";
import {
  reach,
  virtualAddresses,
} from "../../../../src/doctor/director/reach/reach.js";
import type { Network, Stations } from "../../../../src/doctor/network.js";
import { INET } from "../../../../src/ipvs/address.js";
import { schedulerFlag } from "../../../../src/ipvs/scheduler-flags.js";
import {
  BACKUP,
  LOCAL_NODE,
  MASTER,
  MASQUERADING,
  ONE_PACKET,
  PERSISTENT,
  type ServerEntry,
} from "../../../../src/ipvs/model.js";
import type { Device, DeviceAddress } from "../../../../src/rtnl/model.js";
import { serverEntry, serviceEntry, stats } from "../../../fixtures/entries.js";
import {
  device,
  mac,
  neighbor,
  network,
  ownAddress,
  route,
} from "../../made-up-network.js";
import { serviceAt, sysctls, told } from "../../made-up.js";

const NOBODY: Stations = { nextHops: new Map(), strangers: [] };
const SERVER = serverEntry("192.0.2.10", 80);
const BESIDE = route("192.0.2.10", "unicast", 1);
/** A server that nothing is wrong with */
const OTHER = serverEntry("192.0.2.20", 80);
const EDIT = "ipvsadm -e -t 192.0.2.1:80 -r 192.0.2.10:80";

function find(
  around: Network,
  server: ServerEntry = SERVER,
  stations: Stations = NOBODY,
): string[][] {
  const table = [serviceAt("192.0.2.1", [server, OTHER])];
  return reach
    .examine({ table, network: around, stations, sysctls: sysctls({}) })
    .map(told);
}

function answers(text: string, answer?: Uint8Array): Stations {
  return { nextHops: new Map([[text, answer]]), strangers: [] };
}

test("virtualAddresses: a local address is fine, and a firewall mark has none", () => {
  const table = [
    serviceAt("192.0.2.1"),
    serviceEntry({ family: INET, firewallMark: 7 }),
  ];
  const around = network([route("192.0.2.1", "local", 1)]);
  assert.deepEqual(
    virtualAddresses.examine({ table, daemons: [], network: around }),
    [],
  );
});

test("virtualAddresses: the fix adds a missing address to the interface of the route to it", () => {
  const table = [
    serviceAt("192.0.2.1"),
    serviceAt("2001:db8::1"),
    serviceAt("192.0.2.1"),
  ];
  const around = network(
    [route("192.0.2.1", "unicast", 1)],
    {},
    {
      "2001:db8::1": "no route",
    },
  );
  const found = virtualAddresses.examine({
    table,
    daemons: [],
    network: around,
  });
  assert.deepEqual(found.map(told), [
    ["vip-not-local 192.0.2.1", "ip address add 192.0.2.1/32 dev eth1"],
    [
      "vip-not-local 2001:db8::1",
      "ip address add 2001:db8::1/128 dev INTERFACE",
    ],
  ]);
});

suite("virtualAddresses: the interface for a missing address", () => {
  const VIP6 = "2001:db8:3::100";
  const kube = device(2, { name: "kube-ipvs0", kind: "dummy" });
  const find = (
    devices: readonly Device[],
    addresses: readonly DeviceAddress[],
    values: Record<string, number> = {},
    text = VIP6,
  ) => {
    const table = [serviceAt(text), serviceAt("192.0.2.1")];
    const [finding] = virtualAddresses.examine({
      table,
      allServices: table,
      daemons: [],
      network: network(
        [
          route("192.0.2.1", "local", 1),
          route(text, "unicast", 1, "2001:db8:1::fe"),
        ],
        {
          devices: [device(1), ...devices],
          addresses,
        },
      ),
      sysctls: sysctls(values),
    });
    assert.ok(finding);
    return finding;
  };
  const add = (name: string, text = VIP6) =>
    `ip address add ${text}/128 dev ${name}`;

  test("virtualAddresses: it goes to kube-ipvs0, or to the dummy that has the other virtual addresses", () => {
    assert.deepEqual(told(find([kube], []))[1], add("kube-ipvs0"));
    const dummy = device(2, { name: "vips", kind: "dummy" });
    const own = ownAddress(2, "192.0.2.1/32");
    assert.deepEqual(told(find([dummy], [own]))[1], add("vips"));
    const other = ownAddress(2, "10.9.9.9/32");
    assert.deepEqual(told(find([dummy], [own, other]))[1], add("eth1"));
    assert.deepEqual(told(find([dummy], []))[1], add("eth1"));
    assert.deepEqual(
      told(find([device(2, { name: "vips" })], [own]))[1],
      add("eth1"),
    );
  });

  test("virtualAddresses: an address that neighbors ask for stays at the interface in whose network it is", () => {
    const near = ownAddress(1, "2001:db8:3::1/64");
    assert.deepEqual(told(find([kube], [near]))[1], add("eth1"));
    const sibling = ownAddress(2, "2001:db8:3::99/128");
    assert.deepEqual(told(find([kube], [near, sibling]))[1], add("kube-ipvs0"));
  });

  test("virtualAddresses: disable_ipv6 of that interface is the cause, and comes first in the fix", () => {
    const off = {
      "net.ipv6.conf.kube-ipvs0.disable_ipv6": 1,
      "net.ipv6.conf.default.disable_ipv6": 1,
    };
    const finding = find([kube], [], off);
    assert.equal(
      finding.seen,
      `the address of tcp/[${VIP6}]:80 is not local: packets to it would leave by eth1; kube-ipvs0 accepts no IPv6 address, because net.ipv6.conf.kube-ipvs0.disable_ipv6 is 1`,
    );
    assert.deepEqual(told(finding).slice(1), [
      "sysctl -w net.ipv6.conf.kube-ipvs0.disable_ipv6=0",
      add("kube-ipvs0"),
    ]);
    assert.match(finding.evidence?.[1] ?? "", /^net\.ipv6\.conf\.default\./);
    const eth1 = find([], [], { "net.ipv6.conf.eth1.disable_ipv6": 1 });
    assert.deepEqual(told(eth1).slice(1), [
      "sysctl -w net.ipv6.conf.eth1.disable_ipv6=0",
      add("eth1"),
    ]);
    const on = { "net.ipv6.conf.kube-ipvs0.disable_ipv6": 0 };
    assert.doesNotMatch(find([kube], [], on).seen, /disable_ipv6/);
    assert.deepEqual(told(find([kube], [], off, "198.51.100.7")).slice(1), [
      "ip address add 198.51.100.7/32 dev kube-ipvs0",
    ]);
  });
});

test("reach: a server in the director's network that answers is fine", () => {
  const known = { neighbors: [neighbor(1, "192.0.2.10", 1, "stale")] };
  assert.deepEqual(find(network([BESIDE], known)), []);
  assert.deepEqual(
    find(network([BESIDE]), SERVER, answers("192.0.2.10", mac(1))),
    [],
  );
});

test("reach: a server that does not answer is reported, also if only the kernel knows", () => {
  const silent = [
    "server-silent 192.0.2.10:80 of tcp/192.0.2.1:80",
    `${EDIT} -g -w 0`,
  ];
  assert.deepEqual(find(network([BESIDE]), SERVER, answers("192.0.2.10")), [
    silent,
  ]);
  const failed = [neighbor(1, "192.0.2.10", undefined, "failed")];
  assert.deepEqual(find(network([BESIDE], { neighbors: failed })), [silent]);
  // It has been asked since.
  assert.deepEqual(
    find(
      network([BESIDE], { neighbors: failed }),
      SERVER,
      answers("192.0.2.10", mac(1)),
    ),
    [],
  );
});

test("reach: a server without a route is reported", () => {
  for (const around of [
    network([], {}, { "192.0.2.10": "no route" }),
    network([route("192.0.2.10", "blackhole", 1)]),
  ])
    assert.deepEqual(find(around), [
      [
        "server-unroutable 192.0.2.10:80 of tcp/192.0.2.1:80",
        `${EDIT} -g -w 0`,
      ],
    ]);
});

test("reach: only tunneling and masquerading work through a router", () => {
  const behind = network([route("192.0.2.10", "unicast", 1, "192.0.2.254")]);
  assert.deepEqual(find(behind), [
    ["direct-via-router 192.0.2.10:80 of tcp/192.0.2.1:80"],
  ]);
  const masqueraded = serverEntry("192.0.2.10", 80, {
    forwarding: MASQUERADING,
  });
  assert.deepEqual(find(behind, masqueraded), []);
  const [found] = reach.examine({
    table: [serviceAt("192.0.2.1", [masqueraded])],
    network: behind,
    stations: answers("192.0.2.254"),
    sysctls: sysctls({}),
  });
  assert.equal(
    found?.seen,
    "the router to it, 192.0.2.254, does not answer on eth1",
  );
});

test("reach: a drained server and the director itself are not checked", () => {
  const nowhere = network([], {}, { "192.0.2.10": "no route" });
  for (const settings of [{ weight: 0 }, { forwarding: LOCAL_NODE }])
    assert.deepEqual(
      find(nowhere, serverEntry("192.0.2.10", 80, settings)),
      [],
    );
  const own = network([route("192.0.2.10", "local", 1)]);
  assert.deepEqual(find(own), []);
});

/** What is found of a server that does not answer, in a service with these flags. */
function dead(flags: number, given: Partial<ServerEntry>, quiescent = 0) {
  const server = { ...SERVER, ...given };
  return reach.examine({
    table: [serviceAt("192.0.2.1", [server, OTHER], { flags })],
    network: network([BESIDE]),
    stations: answers("192.0.2.10"),
    sysctls: sysctls({
      "net.ipv4.vs.expire_quiescent_template": quiescent,
    }),
  });
}

test("reach: a dead server with persistence templates needs more than weight 0", () => {
  const bound = { persistentConnections: 2 };
  assert.deepEqual(dead(PERSISTENT, bound).map(told), [
    [
      "persistence-to-dead-server 192.0.2.10:80 of tcp/192.0.2.1:80",
      "sysctl -w net.ipv4.vs.expire_quiescent_template=1",
      "ipvsadm -e -t 192.0.2.1:80 -r 192.0.2.10:80 -g -w 0",
    ],
  ]);
  const idsOf = (...given: Parameters<typeof dead>) =>
    dead(...given).map(({ id }) => id);
  // Weight 0 frees the clients here.
  assert.deepEqual(idsOf(PERSISTENT, bound, 1), ["server-silent"]);
  assert.deepEqual(idsOf(PERSISTENT, {}), ["server-silent"]);
  // The templates are those of an older setting.
  assert.deepEqual(idsOf(0, bound), ["server-silent"]);
});

test("reach: schedulers that refuse the clients of a server with weight 0 need it removed", () => {
  const fixOf = (scheduler: string, flags = 0) =>
    reach
      .examine({
        table: [serviceAt("192.0.2.1", [SERVER, OTHER], { scheduler, flags })],
        network: network([BESIDE]),
        stations: answers("192.0.2.10"),
        sysctls: sysctls({}),
      })
      .flatMap(({ fix }) => fix.map(({ command }) => command));
  const remove = ["ipvsadm -d -t 192.0.2.1:80 -r 192.0.2.10:80"];
  const drain = [`${EDIT} -g -w 0`];
  assert.deepEqual(fixOf("sh"), remove);
  assert.deepEqual(fixOf("dh"), remove);
  const fallback = schedulerFlag("sh-fallback")?.bit ?? 0;
  assert.deepEqual(fixOf("sh", fallback), drain);
  assert.deepEqual(fixOf("mh"), drain);
});

test("reach: a dead server of one-packet scheduling is a finding of its own, with the count of datagrams", () => {
  const [finding, ...rest] = dead(ONE_PACKET, {
    stats: stats({ connections: 12n }),
  });
  assert.deepEqual(rest, []);
  assert.equal(finding?.id, "one-packet-to-dead-server");
  assert.match(
    finding.seen,
    /does not answer on eth1, and it got 12 datagrams/,
  );
  assert.deepEqual(
    dead(ONE_PACKET | PERSISTENT, { persistentConnections: 1 }).map(
      ({ id }) => id,
    ),
    ["persistence-to-dead-server"],
  );
});

test("virtualAddresses: a backup need not have them", () => {
  const table = [serviceAt("192.0.2.1")];
  const around = network([route("192.0.2.1", "unicast", 1)]);
  const daemon = { multicastInterface: "eth1", syncId: 1 };
  const find = (...states: (1 | 2)[]) =>
    virtualAddresses.examine({
      table,
      daemons: states.map((state) => ({ ...daemon, state })),
      network: around,
    }).length;
  assert.deepEqual(
    [find(BACKUP), find(MASTER), find(MASTER, BACKUP)],
    [0, 1, 1],
  );
});

test("virtualAddresses: a duplicate is reported, local or not", () => {
  const table = [serviceAt("2001:db8::1")];
  const own = ownAddress(1, "2001:db8::1/128", { duplicate: true });
  const around = network([route("2001:db8::1", "local", 1)], {
    addresses: [own],
  });
  assert.deepEqual(
    virtualAddresses.examine({ table, daemons: [], network: around }).map(told),
    [
      [
        "vip-duplicate 2001:db8::1",
        "the other machine: ip address del 2001:db8::1/128 dev INTERFACE",
        "ip address del 2001:db8::1/128 dev eth1 && ip address add 2001:db8::1/128 dev eth1",
        "the clients and routers of that network: ip neighbor flush to 2001:db8::1",
      ],
    ],
  );
});

test("reach: the last server of a service is not taken out", () => {
  const fixesOf = (others: ServerEntry[]) => {
    const [finding] = reach.examine({
      table: [serviceAt("192.0.2.1", [SERVER, ...others])],
      network: network([BESIDE]),
      stations: answers("192.0.2.10"),
      sysctls: sysctls({}),
    });
    assert.equal(finding?.id, "server-silent");
    return finding.fix.length;
  };
  assert.equal(fixesOf([OTHER]), 1);
  assert.equal(fixesOf([]), 0);
  assert.equal(fixesOf([serverEntry("192.0.2.20", 80, { weight: 0 })]), 0);
});

test("reach: a VLAN whose parent is down needs the parent first", () => {
  const own = ownAddress(2, "192.0.2.5/24");
  const parent = device(1, { up: false });
  const vlan = device(2, { name: "eth1.5", kind: "vlan", lower: 1, up: false });
  const fixOf = (given: Partial<typeof vlan> = {}) =>
    find(
      network(
        [],
        { devices: [parent, { ...vlan, ...given }], addresses: [own] },
        { "192.0.2.10": "no route" },
      ),
    );
  const subject = "server-network-down 192.0.2.10:80 of tcp/192.0.2.1:80";
  const up = "ip link set eth1.5 up";
  assert.deepEqual(fixOf(), [[subject, "ip link set eth1 up", up]]);
  // The index is one of another network namespace.
  assert.deepEqual(fixOf({ lowerElsewhere: true }), [[subject, up]]);
});
