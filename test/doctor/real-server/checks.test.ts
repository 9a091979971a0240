import assert from "node:assert/strict";
import { test } from "node:test";
import { INET, INET6 } from "../../../src/ipvs/address.js";
import { TCP, UDP } from "../../../src/ipvs/model.js";
import { examine } from "../../../src/doctor/check.js";
import { REAL_SERVER_CHECKS } from "../../../src/doctor/real-server/checks.js";
import type { FouPort } from "../../../src/rtnl/fou.js";
import type { Device, Route } from "../../../src/rtnl/model.js";
import type { Listener } from "../../../src/doctor/real-server/listeners.js";
import type {
  RealServer,
  VirtualService,
} from "../../../src/doctor/real-server/real-server.js";
import { addressTwice } from "../../../src/doctor/real-server/address-twice.js";
import { rpFilter } from "../../../src/doctor/real-server/rp-filter.js";
import { portsToCompare } from "../../../src/doctor/real-server/tunnel.js";
import { wayBack } from "../../../src/doctor/real-server/way-back.js";
import type { Way } from "../../../src/doctor/network.js";
import { address } from "../../fixtures/entries.js";
import { mac } from "../made-up-network.js";
import { sysctls, told } from "../made-up.js";
import {
  device,
  foundOn,
  LAN,
  LO,
  owned,
  QUIET,
  realServer,
  route,
  seenOn,
  service,
  VIP,
  withWays,
} from "./made-up.js";

const OWN = owned(LAN, "192.0.2.11/24");
const THROUGH_LAN = route("unicast", LAN);

test("virtualAddress: a missing address is added to lo", () => {
  const direct = { addresses: [OWN], method: "direct" } as const;
  const server = withWays({ there: THROUGH_LAN }, direct);
  assert.deepEqual(foundOn(server), [
    [`vip-absent ${VIP}`, `ip address add ${VIP}/32 dev lo`],
  ]);
  assert.deepEqual(seenOn(server), [
    "no interface has it, and packets to it would leave by lan",
  ]);
  assert.deepEqual(seenOn(withWays({ there: "no route" }, direct)), [
    "no interface has it, and there is no route to it (no route)",
  ]);
});

test("virtualAddress: lo must accept IPv6 addresses before one is added", () => {
  const vip = "2001:db8::100";
  const server = withWays(
    { there: THROUGH_LAN },
    {
      services: [service(vip)],
      addresses: [owned(LAN, "2001:db8::11/64")],
      method: "direct",
    },
  );
  const add = `ip address add ${vip}/128 dev lo`;
  const off = { "net.ipv6.conf.lo.disable_ipv6": 1 };
  assert.deepEqual(foundOn(server, off), [
    [`vip-absent ${vip}`, "sysctl -w net.ipv6.conf.lo.disable_ipv6=0", add],
  ]);
  assert.deepEqual(foundOn(server), [[`vip-absent ${vip}`, add]]);
});

test("virtualAddress: arp_ignore and arp_announce are set before the address is added", () => {
  const server = withWays(
    { there: THROUGH_LAN },
    { addresses: [OWN], method: "direct" },
  );
  const loud = {
    "net.ipv4.conf.lan.arp_ignore": 0,
    "net.ipv4.conf.lan.arp_announce": 0,
  };
  assert.deepEqual(foundOn(server, loud), [
    [
      `vip-absent ${VIP}`,
      "sysctl -w net.ipv4.conf.lan.arp_ignore=1",
      "sysctl -w net.ipv4.conf.lan.arp_announce=2",
      `ip address add ${VIP}/32 dev lo`,
    ],
  ]);
});

test("virtualAddress: without the method the server may be masqueraded, and no command adds the address", () => {
  const server = withWays({ there: THROUGH_LAN }, { addresses: [OWN] });
  const [finding, ...others] = examine(REAL_SERVER_CHECKS, {
    realServer: server,
    sysctls: sysctls({}),
    listeners: [],
  }).findings;
  assert.deepEqual(others, []);
  assert.equal(finding?.id, "vip-absent");
  assert.equal(finding.certainty, "likely");
  assert.deepEqual(finding.fix, []);
  assert.equal(
    finding.next?.[0]?.command,
    `ipvsadm doctor --real-server ${VIP} --method METHOD`,
  );
});

test("virtualAddress: other addresses on lo of no service may be the mistyped one", () => {
  const evidence = (
    services: readonly VirtualService[],
    ...more: readonly string[]
  ) =>
    examine(REAL_SERVER_CHECKS, {
      realServer: withWays(
        { there: THROUGH_LAN },
        {
          services,
          method: "direct",
          addresses: [
            OWN,
            owned(LO, "127.0.0.1/8", { scope: "host" }),
            owned(LO, "192.0.2.110/32"),
            owned(LO, "192.0.2.0/24"),
            owned(LO, "2001:db8::110/128"),
            owned(LAN, "192.0.2.111/32"),
            ...more.map((text) => owned(LO, text)),
          ],
        },
      ),
      sysctls: sysctls(QUIET),
      listeners: [],
    }).findings.find(({ id }) => id === "vip-absent")?.evidence;
  assert.deepEqual(evidence([service()]), [
    'lo has 192.0.2.110/32, which is of no service named here: if it is the mistyped address, remove it ("ip address del 192.0.2.110/32 dev lo") and correct it in the configuration',
  ]);
  assert.deepEqual(evidence([service(), service("192.0.2.110")]), []);
  // A command would be wrong for all but one of them.
  const others = [1, 2, 3].map((last) => `192.0.2.${last}/32`);
  assert.deepEqual(evidence([service()], ...others), [
    "lo has 192.0.2.110/32, lo has 192.0.2.1/32, lo has 192.0.2.2/32 and 1 more, which are of no service named here: one of them is perhaps the mistyped address",
  ]);
});

test("virtualAddress: an IPv6 duplicate is removed before it is added to lo", () => {
  const vip = "2001:db8::100";
  const duplicate = owned(LAN, `${vip}/64`, { duplicate: true });
  const server = withWays(
    { there: THROUGH_LAN },
    { services: [service(vip)], addresses: [OWN, duplicate] },
  );
  const [absent, ...others] = foundOn(server);
  // The kernel does not answer for it either.
  assert.deepEqual(others, []);
  assert.deepEqual(absent, [
    `vip-absent ${vip}`,
    `ip address del ${vip}/64 dev lan`,
    `ip address add ${vip}/128 dev lo`,
  ]);
  assert.match(
    seenOn(server)[0] ?? "",
    /^lan has it, but the kernel does not use it there: duplicate address detection found it at another station, such as the director$/,
  );
});

test("virtualAddress: masquerading needs none, and a local route is enough", () => {
  const addresses = [OWN];
  assert.deepEqual(
    foundOn(withWays({ there: THROUGH_LAN }, { addresses, method: "masq" })),
    [],
  );
  assert.deepEqual(foundOn(withWays({}, { addresses })), []);
});

test("virtualAddress: a whole network on lo or a dummy is reported", () => {
  const dummy = device(3, "dummy0");
  for (const where of [LO, dummy]) {
    const server = realServer({
      devices: [LO, LAN, dummy],
      addresses: [OWN, owned(where, `${VIP}/24`)],
    });
    assert.deepEqual(foundOn(server), [
      [
        `vip-with-network ${VIP} on ${where.name}`,
        `ip address add ${VIP}/32 dev ${where.name}`,
        `ip address del ${VIP}/24 dev ${where.name}`,
      ],
    ]);
  }
});

function listener(
  protocol: Listener["protocol"],
  text: string,
  port = 80,
): Listener {
  return { protocol, address: address(text), port };
}

test("listening: a program must listen at the port, and at the address or at any", () => {
  const services = [service(VIP, { protocol: TCP, port: 80 })];
  const seen = (...listeners: Listener[]) =>
    seenOn(realServer({ services }), {}, listeners);
  assert.deepEqual(seen(listener(TCP, "0.0.0.0")), []);
  assert.deepEqual(seen(listener(TCP, "::")), []);
  assert.deepEqual(seen(listener(TCP, VIP)), []);
  assert.deepEqual(seen(), ["no program listens at this port"]);
  assert.deepEqual(seen(listener(UDP, "0.0.0.0")), [
    "no program listens at this port",
  ]);
  assert.deepEqual(seen(listener(TCP, "0.0.0.0", 81)), [
    "no program listens at this port",
  ]);
  assert.deepEqual(
    seen(listener(TCP, "192.0.2.11"), listener(TCP, "127.0.0.1")),
    ["programs listen at this port only at 192.0.2.11, 127.0.0.1"],
  );
});

test("listening: a socket at any IPv4 address does not get IPv6", () => {
  const vip = "2001:db8::100";
  const server = realServer({
    services: [service(vip, { protocol: TCP, port: 80 })],
    addresses: [owned(LO, `${vip}/128`)],
  });
  const listeners = [listener(TCP, "0.0.0.0")];
  assert.deepEqual(foundOn(server, {}, listeners), [
    [`nobody-listens tcp/[${vip}]:80`],
  ]);
});

test("listening: without a port, or for masquerading without --server, nothing is checked", () => {
  const services = [service(VIP, { protocol: TCP, port: 80 })];
  assert.deepEqual(foundOn(realServer()), []);
  assert.deepEqual(foundOn(realServer({ services, method: "masq" })), []);
});

test("listening: a service of any protocol needs a TCP or a UDP socket", () => {
  const services = [service(VIP, { port: 80 })];
  const found = (...listeners: Listener[]) =>
    foundOn(realServer({ services }), {}, listeners).map(([id]) => id);
  assert.deepEqual(found(listener(TCP, VIP)), []);
  assert.deepEqual(found(listener(UDP, VIP)), []);
  assert.deepEqual(found(), [`nobody-listens ${VIP}:80`]);
});

test("listening: without the virtual address and the method it is only likely that a program must listen there", () => {
  const services = [service(VIP, { protocol: TCP, port: 80 })];
  const certainty = (server: RealServer) =>
    examine(
      REAL_SERVER_CHECKS,
      { realServer: server, listeners: [] },
      (id) => id === "nobody-listens",
    ).findings[0]?.certainty;
  assert.equal(certainty(realServer({ services })), undefined);
  const absent = { services, addresses: [OWN] };
  assert.equal(certainty(withWays({ there: THROUGH_LAN }, absent)), "likely");
  assert.equal(
    certainty(
      withWays({ there: THROUGH_LAN }, { ...absent, method: "direct" }),
    ),
    undefined,
  );
});

test("listening: where a program must listen depends on the method", () => {
  const cureOn = (change: Partial<RealServer>, ...listeners: Listener[]) => {
    const services = [service(VIP, { protocol: TCP, port: 80 })];
    const { findings } = examine(
      REAL_SERVER_CHECKS,
      { realServer: realServer({ services, ...change }), listeners },
      (id) => id === "nobody-listens",
    );
    return findings[0];
  };
  const masq = {
    method: "masq",
    server: { address: address("192.0.2.11"), port: 8080 },
  } as const;
  const inside = cureOn(masq, listener(TCP, "127.0.0.1", 8080));
  assert.equal(
    inside?.seen,
    "programs listen at this port only at 127.0.0.1, where only programs on this machine reach them",
  );
  assert.equal(
    inside.cure,
    "Change the address in the program's configuration: it must listen at port 8080 of the server's own address 192.0.2.11, where masqueraded requests arrive, or of any address (0.0.0.0 or [::]).",
  );
  const elsewhere = cureOn({}, listener(TCP, "0.0.0.0", 8080));
  assert.equal(
    elsewhere?.cure,
    `Start the program: it must listen at port 80 of the virtual address ${VIP}, to which requests are still addressed, or of any address (0.0.0.0 or [::]).`,
  );
  assert.deepEqual(elsewhere.evidence, [
    "programs listen for other machines at tcp/0.0.0.0:8080; direct routing and tunneling do not change the port of requests, only masquerading does",
  ]);
});

test("listening: a UDP socket for any address is a warning", () => {
  const services = [service(VIP, { protocol: UDP, port: 53 })];
  const found = (...listeners: Listener[]) =>
    foundOn(realServer({ services }), {}, listeners).map(([id]) => id);
  const wanted = [`udp-wildcard udp/${VIP}:53`];
  assert.deepEqual(found(listener(UDP, "0.0.0.0", 53)), wanted);
  assert.deepEqual(found(listener(UDP, "::", 53)), wanted);
  assert.deepEqual(
    found(listener(UDP, "0.0.0.0", 53), listener(UDP, VIP, 53)),
    [],
  );
});

const TUNL0 = device(3, "tunl0", { kind: "ipip" });

/** A real server with a tunnel that has these ends. */
function tunneled(
  local: string | undefined,
  remote: string | undefined,
  up = true,
) {
  const tunnel = {
    local: local === undefined ? undefined : address(local),
    remote: remote === undefined ? undefined : address(remote),
    inside: undefined,
    anyMetadata: false,
    wantsChecksum: false,
  };
  return realServer({
    method: "tunnel",
    director: address("10.0.0.1"),
    devices: [LO, LAN, { ...TUNL0, name: "tunnel7", up, tunnel }],
  });
}

test("tunnel: an interface must be up, between this machine and the director", () => {
  const found = (...ends: Parameters<typeof tunneled>) =>
    foundOn(tunneled(...ends));
  const bad = [
    "no-decapsulation IPv4",
    "modprobe ipip",
    "ip link set tunl0 up",
  ];
  assert.deepEqual(found(undefined, undefined), []);
  assert.deepEqual(found("192.0.2.11", "10.0.0.1"), []);
  assert.deepEqual(found("192.0.2.99", undefined), [bad]);
  assert.deepEqual(found("192.0.2.11", "10.0.0.9", false), [bad]);
  assert.deepEqual(found("192.0.2.99", "10.0.0.9"), [bad]);
  assert.deepEqual(found(undefined, undefined, false), [bad]);
  assert.deepEqual(seenOn(tunneled("192.0.2.99", undefined)), [
    "tunnel7 is for packets to 192.0.2.99, which is not an address of this machine",
  ]);
});

test("tunnel: an interface that is only meant for another director gets its address", () => {
  const server = tunneled("192.0.2.11", "10.0.0.9");
  assert.deepEqual(foundOn(server), [
    ["no-decapsulation IPv4", "ip link set tunnel7 type ipip remote 10.0.0.1"],
  ]);
  assert.deepEqual(seenOn(server), [
    "tunnel7 is for packets from 10.0.0.9, and the director is 10.0.0.1",
  ]);
  const [, , tunnel7] = server.devices;
  assert.ok(tunnel7);
  // Nobody knows which of two was meant.
  const devices = [...server.devices, { ...tunnel7, name: "tunnel8" }];
  assert.deepEqual(foundOn({ ...server, devices }), [
    ["no-decapsulation IPv4", "modprobe ipip", "ip link set tunl0 up"],
  ]);
});

test("tunnel: the fix loads the module of the method and family", () => {
  const found = (method: "tunnel" | "gre", vip: string) =>
    foundOn(
      realServer({
        method,
        services: [service(vip)],
        addresses: [owned(LO, `${vip}/${vip.includes(":") ? 128 : 32}`)],
      }),
    );
  assert.deepEqual(found("tunnel", VIP), [
    ["no-decapsulation IPv4", "modprobe ipip", "ip link set tunl0 up"],
  ]);
  assert.deepEqual(found("gre", VIP), [
    ["no-decapsulation IPv4", "modprobe ip_gre", "ip link set gre0 up"],
  ]);
  assert.deepEqual(found("tunnel", "2001:db8::1"), [
    ["no-decapsulation IPv6", "modprobe ip6_tunnel", "ip link set ip6tnl0 up"],
  ]);
  assert.deepEqual(found("gre", "2001:db8::1"), [
    ["no-decapsulation IPv6", "modprobe ip6_gre", "ip link set ip6gre0 up"],
  ]);
});

const FILTER = "net.ipv4.conf.tunl0.rp_filter";

test("rpFilter: packets from a tunnel must pass, and the loose level needs an address", () => {
  const bare = realServer({ method: "tunnel", devices: [LO, LAN, TUNL0] });
  const { addresses } = bare;
  const dressed = {
    ...bare,
    addresses: [...addresses, owned(TUNL0, `${VIP}/32`)],
  };
  const dress = `ip address add ${VIP}/32 dev tunl0`;
  const loosen = `sysctl -w ${FILTER}=2`;
  const found = (
    server: RealServer,
    settings: Readonly<Record<string, number>>,
  ) =>
    rpFilter
      .examine({ realServer: server, sysctls: sysctls(settings) })
      .map(told);
  for (const all of [0, 1])
    for (const own of [0, 1, 2]) {
      const settings = {
        "net.ipv4.conf.all.rp_filter": all,
        [FILTER]: own,
      };
      const level = Math.max(all, own);
      assert.deepEqual(
        found(bare, settings),
        [
          [],
          [["reverse-path tunl0", dress, loosen]],
          [["reverse-path tunl0", dress]],
        ][level],
        `bare ${all} ${own}`,
      );
      assert.deepEqual(
        found(dressed, settings),
        level === 1 ? [["reverse-path tunl0", loosen]] : [],
        `dressed ${all} ${own}`,
      );
    }
});

test("rpFilter: to look comes first, and without the method no command loosens the filter", () => {
  const find = (method: RealServer["method"]) =>
    rpFilter.examine({
      realServer: realServer({ method, devices: [LO, LAN, TUNL0] }),
      sysctls: sysctls({ [FILTER]: 1 }),
    });
  const [sure] = find("tunnel");
  assert.equal(sure?.certainty, "proven");
  assert.match(sure.next?.[0]?.command ?? "", /^ip route get /);
  const [unsure] = find(undefined);
  assert.equal(unsure?.certainty, "likely");
  assert.deepEqual(unsure.fix, []);
  assert.match(
    unsure.cure ?? "",
    /give it the virtual address, and set net\.ipv4\.conf\.tunl0\.rp_filter to 2/,
  );
  assert.deepEqual(find("direct"), []);
});

test("rpFilter: without the method every tunnel that can unpack requests counts", () => {
  const filtered = (
    name: string,
    kind: string,
    director?: string,
    inside?: number,
  ) => {
    const tunnel = {
      local: undefined,
      remote: undefined,
      inside,
      anyMetadata: false,
      wantsChecksum: false,
    };
    return rpFilter
      .examine({
        realServer: realServer({
          director: director === undefined ? undefined : address(director),
          devices: [LO, LAN, device(3, name, { kind, tunnel })],
        }),
        sysctls: sysctls({ [`net.ipv4.conf.${name}.rp_filter`]: 1 }),
      })
      .map(({ subject }) => subject);
  };
  assert.deepEqual(filtered("tunl0", "ipip"), ["tunl0"]);
  assert.deepEqual(filtered("gre0", "gre"), ["gre0"]);
  assert.deepEqual(filtered("ip6gre0", "ip6gre"), ["ip6gre0"]);
  assert.deepEqual(filtered("tunl0", "ipip", "2001:db8::1"), []);
  assert.deepEqual(filtered("sit0", "sit"), [], "it is for IPv6 inside");
  assert.deepEqual(filtered("ip6tnl0", "ip6tnl"), ["ip6tnl0"]);
  assert.deepEqual(filtered("ip6tnl0", "ip6tnl", "2001:db8::1", 4), [
    "ip6tnl0",
  ]);
  assert.deepEqual(filtered("ip6tnl0", "ip6tnl", "2001:db8::1", 41), []);
});

test("rpFilter: the interface where the kernel drops a client's packets is named", () => {
  const server = withWays(
    { arrivals: [{ device: LAN, way: "wrong interface" }] },
    { client: address("198.51.100.7") },
  );
  assert.deepEqual(foundOn(server, { "net.ipv4.conf.all.rp_filter": 1 }), [
    ["reverse-path lan"],
  ]);
  const [finding] = rpFilter.examine({
    realServer: server,
    sysctls: sysctls({ "net.ipv4.conf.all.rp_filter": 1 }),
  });
  assert.deepEqual(
    finding?.next?.map(({ command }) => command),
    [`ip route get ${VIP} from 198.51.100.7 iif lan`],
  );
  assert.match(
    finding.cure ?? "",
    /^Prefer a way back by lan: .* set net\.ipv4\.conf\.lan\.rp_filter to 2\./,
  );
});

test("wayBack: there must be a route to the client", () => {
  const client = address("198.51.100.7");
  const found = (back: Way) => foundOn(withWays({ back }, { client }));
  assert.deepEqual(found(THROUGH_LAN), []);
  assert.deepEqual(found(route("local", LO)), []);
  assert.deepEqual(found("no route"), [
    ["no-way-back 198.51.100.7", "ip route add default via ROUTER"],
  ]);
  for (const way of [
    "unreachable",
    route("blackhole", LO, undefined, { hops: [] }),
  ] as const)
    assert.deepEqual(found(way), [
      ["no-way-back 198.51.100.7", "ip route replace 198.51.100.7 via ROUTER"],
    ]);
});

test("wayBack: a routing rule for the server's address leads to the table that lacks the route", () => {
  const client = address("198.51.100.7");
  const rules: RealServer["rules"] = [
    {
      family: INET,
      priority: 100,
      action: "table",
      table: 77,
      from: { address: address("192.0.2.11"), bits: 32 },
      to: undefined,
      incoming: undefined,
      outgoing: undefined,
      mark: undefined,
      inverted: false,
    },
  ];
  const change = {
    method: "masq",
    client,
    director: address("192.0.2.1"),
    server: { address: address("192.0.2.11"), port: 8080 },
    rules,
  } as const;
  const [finding] = wayBack.examine({
    realServer: withWays({ back: "unreachable" }, change),
  });
  assert.equal(
    finding?.fix[0]?.command,
    "ip route replace 198.51.100.7 via 192.0.2.1 table 77",
  );
  const barrier = route("unreachable", LO, undefined, { table: 77, hops: [] });
  const [other] = wayBack.examine({
    realServer: withWays(
      { back: "unreachable" },
      { ...change, routes: [barrier] },
    ),
  });
  assert.equal(
    other?.fix[0]?.command,
    "ip route replace default via 192.0.2.1 table 77",
  );
  assert.match(
    finding.evidence?.[0] ?? "",
    /^routing rule 100 sends packets from 192\.0\.2\.11 to table 77/,
  );
  assert.equal(
    finding.next?.[0]?.command,
    "ip route get 198.51.100.7 from 192.0.2.11",
  );
});

test("wayBack: masqueraded answers must go through the director", () => {
  const director = address("192.0.2.1");
  const client = address("198.51.100.7");
  const masq = { method: "masq", director } as const;
  const byDirector = route("unicast", LAN, "192.0.2.1");
  const byOther = route("unicast", LAN, "192.0.2.9");
  const back = (way: typeof byOther) =>
    foundOn(withWays({ back: way }, { ...masq, client }));
  assert.deepEqual(back(byDirector), []);
  const bad = [
    "way-back-elsewhere 198.51.100.7",
    "ip route replace 198.51.100.7 via 192.0.2.1",
  ];
  assert.deepEqual(back(byOther), [bad]);
  assert.deepEqual(back(THROUGH_LAN), [bad]);
  const routed = (...routes: (typeof byOther)[]) =>
    foundOn(realServer({ ...masq, routes }));
  const default_ = [
    "way-back-elsewhere default route",
    "ip route replace default via 192.0.2.1",
  ];
  assert.deepEqual(routed(byDirector), []);
  assert.deepEqual(routed(byOther), [default_]);
  assert.deepEqual(routed(), [default_]);
  assert.deepEqual(routed({ ...byOther, metric: 9 }, byDirector), []);
  assert.deepEqual(routed({ ...byDirector, table: 7 }), [default_]);
  assert.deepEqual(foundOn(realServer({ ...masq, director: undefined })), []);
});

test("wayBack: the fix does not apply with SNAT on the director, which the server does not know", () => {
  const director = address("192.0.2.1");
  const way = { back: route("unicast", LAN, "192.0.2.9") };
  for (const client of [address("198.51.100.7"), undefined]) {
    const given = { method: "masq", director, client } as const;
    const server = client
      ? withWays(way, given)
      : realServer({ ...given, routes: [way.back] });
    const [finding] = wayBack.examine({ realServer: server });
    assert.equal(finding?.id, "way-back-elsewhere");
    assert.equal(finding.certainty, "likely");
    assert.match(
      finding.fix[0]?.effect ?? "",
      /^only if the director does no SNAT for the service, which this server cannot see; /,
    );
  }
});

test("wayBack: a way that was learned from a redirect is forgotten, and the route stays", () => {
  const director = address("192.0.2.1");
  const client = address("198.51.100.7");
  const given = { method: "masq", director, client } as const;
  const back = route("unicast", LAN, "192.0.2.9");
  const found = (planned: string) =>
    wayBack.examine({
      realServer: withWays(
        { back },
        { ...given, routes: [route("unicast", LAN, planned)] },
      ),
    })[0];
  const learned = found("192.0.2.1");
  assert.match(
    learned?.seen ?? "",
    /has learned that way from an ICMP redirect$/,
  );
  assert.deepEqual(
    learned?.fix.map(({ command }) => command),
    ["ip route flush cache"],
  );
  assert.deepEqual(
    found("192.0.2.9")?.fix.map(({ command }) => command),
    ["ip route replace default via 192.0.2.1"],
  );
});

test("wayBack: a router that is another address of the director is none", () => {
  const director = address("192.0.2.1");
  const client = address("198.51.100.7");
  const back = route("unicast", LAN, "192.0.2.9");
  const at = (text: string, last: number | undefined) => ({
    address: address(text),
    device: LAN.index,
    hardwareAddress: last === undefined ? undefined : mac(last),
  });
  const examined = (...stations: ReturnType<typeof at>[]) =>
    wayBack.examine({
      realServer: withWays(
        { back },
        { method: "masq", director, client, stations },
      ),
    });
  assert.deepEqual(examined(at("192.0.2.9", 1), at("192.0.2.1", 1)), []);
  const [other] = examined(at("192.0.2.9", 9), at("192.0.2.1", 1));
  assert.equal(other?.fix.length, 1);
  assert.equal(examined(at("192.0.2.9", 1)).length, 1);
  const [alone] = examined(
    at("192.0.2.9", undefined),
    at("192.0.2.1", undefined),
  );
  assert.match(
    alone?.seen ?? "",
    /; neither 192\.0\.2\.9 nor the director 192\.0\.2\.1 answers/,
  );
  assert.match(alone?.cure ?? "", /^Check the interface first/);
  assert.deepEqual(alone?.fix, []);
  const [silent] = examined(at("192.0.2.9", undefined), at("192.0.2.1", 1));
  assert.match(
    silent?.seen ?? "",
    /^answers go through 192\.0\.2\.9, which does not answer/,
  );
  assert.deepEqual(silent?.fix, []);
  assert.match(
    silent.cure ?? "",
    /add it on the active director: 'ip address add 192\.0\.2\.9\/\d+ dev INTERFACE'.*Otherwise change the route on this server: 'ip route replace /,
  );
});

test("wayBack: a silent router whose address is formed from a hardware address is perhaps a card that was replaced", () => {
  const director = address("2001:db8:2::1");
  const find = (router: string) => {
    const back = route("unicast", LAN, router);
    const at = (text: string, hardwareAddress?: Uint8Array) => ({
      ...{ address: address(text), device: LAN.index, hardwareAddress },
    });
    const [finding] = wayBack.examine({
      realServer: withWays(
        { back },
        {
          method: "masq",
          director,
          client: address("2001:db8:1::10"),
          stations: [at(router), at("2001:db8:2::1", mac(1))],
        },
      ),
    });
    assert.ok(finding);
    return finding;
  };
  const replaced = find("fe80::5054:ff:fe0a:1");
  assert.match(
    replaced.seen,
    /^answers go through fe80::5054:ff:fe0a:1, which does not answer/,
  );
  assert.match(
    replaced.evidence?.at(-1) ?? "",
    /^fe80::5054:ff:fe0a:1 is formed from the hardware address 52:54:00:0a:00:01: /,
  );
  assert.match(replaced.fix[0]?.command ?? "", / via 2001:db8:2::1$/);
  for (const other of ["fe80::3", "2001:db8:2::ff:fe00:1"]) {
    assert.deepEqual(find(other).fix, []);
    assert.match(find(other).cure ?? "", /virtual_ipaddress/);
  }
});

test("wayBack: the link-local address of the director is the director, and that of another router is not", () => {
  const director = address("2001:db8:2::1");
  const client = address("2001:db8:1::10");
  const gateway = "fe80::5:1";
  const at = (text: string, last: number) => ({
    address: address(text),
    device: LAN.index,
    hardwareAddress: mac(last),
  });
  const examined = (last: number, change: Partial<Route>) => {
    const back = { ...route("unicast", LAN, gateway), ...change };
    const stations = [at(gateway, last), at("2001:db8:2::1", 1)];
    return wayBack.examine({
      realServer: withWays(
        { back },
        { method: "masq", director, client, stations, routes: [back] },
      ),
    });
  };
  const byDefault = { family: INET6, prefixBits: 0, metric: 1024 } as const;
  const target = address("::");
  const advertised = { ...byDefault, target, protocol: 9 };
  assert.deepEqual(examined(1, advertised), []);
  const [finding] = examined(9, advertised);
  assert.equal(
    finding?.seen,
    "answers go through fe80::5:1, past the director",
  );
  // The next advertisement adds its route again.
  assert.equal(
    finding.fix[0]?.command,
    "ip route replace default via 2001:db8:2::1 metric 512",
  );
  assert.match(finding.fix[0].effect ?? "", /router advertisement stays/);
  const [boot] = examined(9, { ...byDefault, target, protocol: 3 });
  assert.equal(
    boot?.fix[0]?.command,
    "ip route replace default via 2001:db8:2::1",
  );
});

test("wayBack: with SNAT the client that the server sees is the director", () => {
  const director = address("192.0.2.1");
  const at = (text: string) => ({
    address: address(text),
    device: LAN.index,
    hardwareAddress: mac(1),
  });
  const examined = (text: string, stations: ReturnType<typeof at>[]) =>
    wayBack.examine({
      realServer: withWays(
        { back: route("unicast", LAN) },
        { method: "masq", director, client: address(text), stations },
      ),
    });
  assert.deepEqual(examined("192.0.2.1", []), []);
  const both = [at("192.0.2.3"), at("192.0.2.1")];
  assert.deepEqual(examined("192.0.2.3", both), []);
  const [other] = examined("192.0.2.3", []);
  assert.match(other?.evidence?.join() ?? "", /^with SNAT .* with --client$/);
});

test("wayBack: a neighbor that does not answer is one by a wrong prefix length", () => {
  const director = address("192.0.2.1");
  const client = address("192.20.0.10");
  const at = (one: typeof client, last: number | undefined) => ({
    address: one,
    device: LAN.index,
    hardwareAddress: last === undefined ? undefined : mac(last),
  });
  const examined = (stations: ReturnType<typeof at>[], own = "192.0.2.11/8") =>
    wayBack.examine({
      realServer: withWays(
        { back: route("unicast", LAN) },
        {
          method: "masq",
          director,
          client,
          stations,
          addresses: [owned(LAN, own)],
        },
      ),
    })[0];
  const wide = examined([at(client, undefined), at(director, 1)]);
  assert.equal(
    wide?.seen,
    "answers go directly there, past the director: 192.0.2.11/8 on lan makes the client's network look directly attached; 192.20.0.10 does not answer there, and the director does",
  );
  assert.deepEqual(wide.fix, []);
  assert.match(
    wide.cure ?? "",
    /'ip address add 192\.0\.2\.11\/BITS dev lan'.*'ip address del 192\.0\.2\.11\/8 dev lan'.*'ip route replace 192\.20\.0\.10 via 192\.0\.2\.1'/,
  );
  // A client that answers is there; without an answer of the director nothing is known; no address makes it a neighbor.
  for (const one of [
    examined([at(client, 9), at(director, 1)]),
    examined([at(client, undefined), at(director, undefined)]),
    examined([]),
    examined([at(client, undefined), at(director, 1)], "192.0.2.11/24"),
  ]) {
    assert.equal(one?.seen, "answers go directly there, past the director");
    assert.equal(one.fix.length, 1);
  }
});

test("wayBack: the route that leads past the director is replaced, not one for a single client added", () => {
  const director = address("192.0.2.1");
  const client = address("198.51.100.7");
  const fixOf = (...routes: Route[]) => {
    const [back = THROUGH_LAN] = routes;
    const found = foundOn(
      withWays({ back }, { method: "masq", director, client, routes }),
    );
    return found[0]?.[1];
  };
  const default_ = route("unicast", LAN, "192.0.2.9");
  const connected = route("unicast", LAN, undefined, {
    target: address("198.51.100.0"),
    prefixBits: 24,
  });
  const specific = route("unicast", LAN, "192.0.2.9", {
    target: address("198.51.100.0"),
    prefixBits: 24,
  });
  assert.equal(fixOf(default_), "ip route replace default via 192.0.2.1");
  assert.equal(
    fixOf(specific, default_),
    "ip route replace 198.51.100.0/24 via 192.0.2.1",
  );
  assert.equal(
    fixOf(connected, default_),
    "ip route replace 198.51.100.7 via 192.0.2.1",
  );
  assert.equal(
    fixOf({ ...default_, table: 7 }),
    "ip route replace default via 192.0.2.1 table 7",
  );
});

test("ownSource: a director that sends from the virtual address needs accept_local", () => {
  const outer = [{ device: LAN, way: "dropped" }] as const;
  const server = (director: string) => ({
    ...tunneled(undefined, undefined),
    director: address(director),
    outer,
  });
  assert.deepEqual(foundOn(server(VIP)), [
    ["own-source lan", "sysctl -w net.ipv4.conf.lan.accept_local=1"],
  ]);
  assert.deepEqual(foundOn(server("10.0.0.1")), []);
  assert.deepEqual(foundOn({ ...server(VIP), outer: [] }), []);
});

test("tunnel: GUE needs a port of the family and an interface", () => {
  const server = realServer({ method: "gue", devices: [LO, LAN, TUNL0] });
  const port = { port: 6080, encapsulation: "gue" } as const;
  const fix = ["modprobe fou", "ip fou add port PORT gue"];
  assert.deepEqual(foundOn(server), [["no-gue-port IPv4", ...fix]]);
  const with4 = { ...server, fouPorts: [{ ...port, family: INET }] } as const;
  assert.deepEqual(foundOn(with4), []);
  const with6 = { ...server, fouPorts: [{ ...port, family: INET6 }] } as const;
  assert.deepEqual(foundOn(with6), [["no-gue-port IPv4", ...fix]]);
  const bare = { ...with4, devices: [LO, LAN] };
  assert.deepEqual(
    foundOn(bare).map(([id]) => id),
    ["no-decapsulation IPv4"],
  );
});

test("tunnel: GUE needs the port of the director, if that is given", () => {
  const found = (tunnelPort: number, ...fouPorts: FouPort[]) => {
    const server = realServer({
      method: "gue",
      tunnelPort,
      devices: [LO, LAN, TUNL0],
      fouPorts,
    });
    return [...foundOn(server), seenOn(server)];
  };
  const gue = (port: number): FouPort => ({
    port,
    encapsulation: "gue",
    family: INET,
  });
  assert.deepEqual(found(6080, gue(5555), gue(6080)), [[]]);
  assert.deepEqual(found(6080, gue(5555), gue(5556)), [
    ["gue-port-differs IPv4", "ip fou add port 6080 gue"],
    [
      "the director sends to UDP port 6080, and the kernel accepts GUE at 5555, 5556",
    ],
  ]);
  assert.deepEqual(found(6080), [
    ["no-gue-port IPv4", "modprobe fou", "ip fou add port 6080 gue"],
    ["the kernel accepts GUE at no UDP port"],
  ]);
  const fou: FouPort = { ...gue(6080), encapsulation: "fou" };
  assert.deepEqual(found(6080, gue(5555), fou), [
    [
      "gue-port-differs IPv4",
      "ip fou del port 6080",
      "ip fou add port 6080 gue",
    ],
    [
      "the director sends to UDP port 6080, and the kernel accepts GUE at 5555; at 6080 it accepts FOU, which has no header of GUE",
    ],
  ]);
});

test("portsToCompare() names the ports of GUE if the port of the director is not given", () => {
  const server = realServer({
    method: "gue",
    services: [service(), service("192.0.2.101")],
    fouPorts: [
      { port: 5555, encapsulation: "gue", family: INET },
      { port: 5556, encapsulation: "gue", family: INET },
      { port: 5557, encapsulation: "fou", family: INET },
      { port: 5558, encapsulation: "gue", family: INET6 },
    ],
  });
  assert.deepEqual(portsToCompare(server), [
    "whether the director sends GUE to a port where this kernel accepts it: 5555, 5556 (name the port of the director with --tun-port)",
  ]);
  assert.deepEqual(portsToCompare({ ...server, tunnelPort: 6080 }), []);
  assert.deepEqual(portsToCompare({ ...server, fouPorts: [] }), []);
  assert.deepEqual(portsToCompare({ ...server, method: undefined }), []);
});

test("tunnel: the port of the director over IPv6 is another one than over IPv4", () => {
  const six: FouPort = { port: 5555, encapsulation: "gue", family: INET6 };
  const server = realServer({
    method: "gue",
    tunnelPort: 6080,
    director: address("2001:db8::1"),
    devices: [LO, LAN, tunnelDevice("ip6tnl0", "ip6tnl")],
    fouPorts: [six, { ...six, port: 6080, family: INET }],
  });
  assert.deepEqual(foundOn(server), [
    ["gue-port-differs IPv6", "ip -6 fou add port 6080 gue"],
  ]);
});

/** A tunnel interface that takes packets of any remote end. */
function tunnelDevice(name: string, kind: string, inside?: number) {
  const tunnel = {
    local: undefined,
    remote: undefined,
    inside,
    anyMetadata: false,
    wantsChecksum: false,
  };
  return device(7, name, { kind, tunnel, asksNeighbors: false });
}

test("tunnel: the family outside is that of the director, and not that of the virtual address", () => {
  const VIP6 = "2001:db8::100";
  const found = (vip: string, director: string, ...devices: Device[]) =>
    foundOn(
      realServer({
        method: "tunnel",
        director: address(director),
        services: [service(vip)],
        devices: [LO, LAN, ...devices],
        addresses: [owned(LO, `${vip}/${vip.includes(":") ? 128 : 32}`)],
      }),
    );
  const sit0 = tunnelDevice("sit0", "sit", 41);
  const ip6tnl0 = tunnelDevice("ip6tnl0", "ip6tnl", 41);
  const tunl0 = tunnelDevice("tunl0", "ipip", 4);
  assert.deepEqual(found(VIP6, "10.0.0.1", sit0), []);
  assert.deepEqual(found(VIP6, "10.0.0.1", ip6tnl0), [
    ["no-decapsulation IPv6 in IPv4", "modprobe sit", "ip link set sit0 up"],
  ]);
  assert.deepEqual(found(VIP6, "2001:db8::1", ip6tnl0), []);
  // As it comes, ip6tnl0 takes only IPv6 packets.
  assert.deepEqual(found(VIP, "2001:db8::1", ip6tnl0, tunl0), [
    [
      "no-decapsulation IPv4 in IPv6",
      "ip -6 tunnel change ip6tnl0 mode any",
      "ip link set ip6tnl0 up",
    ],
  ]);
  assert.deepEqual(
    found(VIP, "2001:db8::1", tunnelDevice("ip6tnl0", "ip6tnl")),
    [],
  );
  assert.deepEqual(found(VIP, "10.0.0.1", tunl0), []);
});

test("tunnel: without a director, an interface of either family is enough", () => {
  const found = (vip: string, ...devices: Device[]) =>
    foundOn(
      realServer({
        method: "tunnel",
        services: [service(vip)],
        devices: [LO, LAN, ...devices],
        addresses: [owned(LO, `${vip}/${vip.includes(":") ? 128 : 32}`)],
      }),
    ).map(([id]) => id);
  assert.deepEqual(found("2001:db8::100", tunnelDevice("sit0", "sit", 41)), []);
  assert.deepEqual(found(VIP, tunnelDevice("ip6tnl0", "ip6tnl")), []);
  assert.deepEqual(found("2001:db8::100"), ["no-decapsulation IPv6"]);
});

test("tunnelsUp() without a method ignores tunnels with a remote end", () => {
  const { devices } = tunneled(undefined, "10.0.0.1");
  const strict = { "net.ipv4.conf.tunnel7.rp_filter": 1 };
  assert.deepEqual(foundOn(realServer({ devices }), strict), []);
  const open = tunneled(undefined, undefined).devices;
  assert.deepEqual(
    foundOn(realServer({ devices: open }), strict).map(([id]) => id),
    ["reverse-path tunnel7"],
  );
});

test("addressTwice: the director reaches a machine that is not this one", () => {
  const at = { address: address("192.0.2.11"), port: 8080 };
  const cards = [device(2, "lan", { hardwareAddress: mac(1) })];
  const find = (change: Partial<RealServer>) =>
    addressTwice.examine({
      realServer: realServer({
        method: "masq",
        server: at,
        director: address("192.0.2.1"),
        devices: [LO, ...cards],
        ...change,
      }),
    });
  const [finding] = find({ hardwareAddress: mac(9) });
  assert.ok(finding);
  assert.equal(
    finding.seen,
    "the director reaches it at 02:00:00:00:01:09, and no interface of this machine has that hardware address: lan has 02:00:00:00:01:01",
  );
  assert.equal(finding.certainty, "likely", "a router can answer for it");
  // What changes another machine is described, and not offered as a command.
  assert.deepEqual(told(finding), ["server-address-twice 192.0.2.11"]);
  assert.match(
    finding.cure ?? "",
    /"ip address del 192\.0\.2\.11\/24 dev INTERFACE"\. .*"ip neighbor flush to 192\.0\.2\.11" there; /,
  );
  assert.deepEqual(
    finding.next?.map(({ command, on }) => `${on ?? ""}: ${command}`),
    [
      "director 192.0.2.1: ip neighbor show | grep 02:00:00:00:01:09",
      "director 192.0.2.1: arping -c 3 -I INTERFACE 192.0.2.11",
    ],
  );
});

test("addressTwice: any interface of this machine will do, and without both options nothing is known", () => {
  const at = { address: address("192.0.2.11"), port: 8080 };
  const devices = [
    LO,
    device(2, "lan", { hardwareAddress: mac(1) }),
    device(3, "lan2", { hardwareAddress: mac(2) }),
    device(4, "vrrp.51", {
      hardwareAddress: Uint8Array.of(0, 0, 0x5e, 0, 1, 51),
    }),
  ];
  const of = (change: Partial<RealServer>) => ({
    realServer: realServer({ method: "masq", server: at, devices, ...change }),
  });
  for (const own of devices.slice(1)) {
    const facts = of({ hardwareAddress: own.hardwareAddress });
    assert.deepEqual(addressTwice.examine(facts), []);
    assert.equal(addressTwice.rulesOut(facts), true);
  }
  assert.deepEqual(addressTwice.examine(of({})), []);
  assert.equal(addressTwice.rulesOut(of({})), false);
  // The address may be missing here, which is another fault.
  const elsewhere = { address: address("192.0.2.12"), port: 8080 };
  assert.deepEqual(
    addressTwice.examine(of({ server: elsewhere, hardwareAddress: mac(9) })),
    [],
  );
});
