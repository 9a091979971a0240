import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { parseIptablesSave } from "../../../src/doctor/firewall/iptables-save.js";
import { serverFirewall } from "../../../src/doctor/real-server/firewall.js";
import { requestFlows } from "../../../src/doctor/real-server/flows.js";
import { listening } from "../../../src/doctor/real-server/listening.js";
import type { RealServer } from "../../../src/doctor/real-server/real-server.js";
import { serverNeighborDiscovery } from "../../../src/doctor/real-server/neighbor-discovery.js";
import { INET, INET6 } from "../../../src/ipvs/address.js";
import { TCP, UDP } from "../../../src/ipvs/model.js";
import { address } from "../../fixtures/entries.js";
import { told } from "../made-up.js";
import {
  device,
  LAN,
  LO,
  LOCAL,
  owned,
  realServer,
  route,
  service,
  VIP,
} from "./made-up.js";

const WEB = service(VIP, { protocol: TCP, port: 80 });

/** What is found on a real server with these rules of the table filter. */
function find(given: Partial<RealServer>, ...rules: string[]): string[][] {
  const text = `*filter\n${rules.join("\n")}\nCOMMIT\n`;
  return serverFirewall
    .examine({
      realServer: realServer({ services: [WEB], method: "direct", ...given }),
      firewall: {
        tables: parseIptablesSave(text, INET, "iptables"),
        unread: [],
      },
    })
    .map(told);
}

suite("serverFirewall", () => {
  test("serverFirewall finds the rule that drops requests to the virtual address", () => {
    assert.deepEqual(
      find(
        {},
        ":INPUT ACCEPT [0:0]",
        "[4:240] -A INPUT -p tcp -m tcp --dport 80 -j DROP",
      ),
      [
        [
          `server-firewall-blocks requests to tcp/${VIP}:80`,
          `iptables -t filter -I INPUT -d ${VIP}/32 -p tcp --dport 80 -j ACCEPT`,
        ],
      ],
    );
  });

  test("serverFirewall finds the rule that has dropped messages about large answers", () => {
    const drops = (counters: string) =>
      find({}, ":INPUT ACCEPT [0:0]", `[${counters}] -A INPUT -p icmp -j DROP`);
    assert.deepEqual(drops("4:2304"), [
      [
        `server-firewall-blocks ICMP messages fragmentation needed to ${VIP}`,
        `iptables -t filter -I INPUT -d ${VIP}/32 -p icmp --icmp-type fragmentation-needed -j ACCEPT`,
      ],
    ]);
    assert.deepEqual(drops("4:336"), []);
    assert.deepEqual(drops("4:6000"), []);
    assert.deepEqual(drops("0:0"), []);
    assert.deepEqual(
      find(
        {},
        ":INPUT ACCEPT [0:0]",
        "[2:120] -A INPUT -m conntrack --ctstate RELATED -j ACCEPT",
        "[4:2304] -A INPUT -p icmp -j DROP",
      ),
      [],
    );
  });

  test("serverFirewall judges a rule about the way back for requests from a tunnel, and exempts the tunnel", () => {
    const TUNNEL = device(3, "tunl0", { kind: "ipip" });
    const back = route("unicast", LAN, "192.0.2.1");
    const given = {
      method: "tunnel",
      director: address("192.0.2.5"),
      client: address("198.51.100.10"),
      toDirector: route("unicast", LAN),
      devices: [LO, LAN, TUNNEL],
      ways: [{ service: WEB, there: LOCAL, back, arrivals: [] }],
    } as const;
    const rules = (text: string) => {
      const save = `*raw\n:PREROUTING ACCEPT [0:0]\n[1:60] -A PREROUTING -i lo -j ACCEPT\n[4:240] -A PREROUTING ${text}\nCOMMIT\n`;
      return {
        tables: parseIptablesSave(save, INET, "iptables-legacy"),
        unread: [],
      };
    };
    const found = serverFirewall.examine({
      realServer: realServer({ services: [WEB], ...given }),
      firewall: rules("-m rpfilter --invert -j DROP"),
    });
    assert.deepEqual(found.map(told), [
      [
        `server-firewall-blocks requests to tcp/${VIP}:80`,
        `iptables-legacy -t raw -I PREROUTING 2 -i tunl0 -d ${VIP}/32 -p tcp --dport 80 -j ACCEPT`,
      ],
    ]);
    assert.deepEqual(found[0]?.evidence, [
      "the rule drops packets whose answers would leave by another interface: these come in by tunl0, and answers leave by lan",
    ]);
    assert.deepEqual(
      serverFirewall.examine({
        realServer: realServer({ services: [WEB], ...given }),
        firewall: rules("-m rpfilter --loose --invert -j DROP"),
      }),
      [],
    );
  });

  test("requestFlows() knows the other IPv6 routes of answers to the client", () => {
    const WAN = device(4, "wan");
    const everywhere = { family: INET6, target: address("::") } as const;
    const service = { ...WEB, address: address("2001:db8::100") };
    const back = route("unicast", LAN, "fe80::1", everywhere);
    const server = realServer({
      services: [service],
      method: "direct",
      client: address("2001:db8:1::10"),
      devices: [LO, LAN, WAN],
      routes: [
        back,
        route("unicast", WAN, "fe80::2", { ...everywhere, metric: 1024 }),
        route("unicast", LO, undefined, {
          ...{ family: INET6, target: address("2001:db8::"), prefixBits: 48 },
        }),
      ],
      ways: [{ service, there: LOCAL, back, arrivals: [] }],
    });
    const [packet] = requestFlows(server)[0]?.stages[0]?.packets ?? [];
    assert.deepEqual(packet?.reversePath, {
      type: "unicast",
      devices: ["lan"],
      others: ["lan", "wan"],
    });
  });

  test("serverFirewall finds the policy that drops answers", () => {
    assert.deepEqual(find({}, ":OUTPUT DROP [4:240]"), [
      [
        `server-firewall-blocks answers from tcp/${VIP}:80`,
        `iptables -t filter -I OUTPUT -s ${VIP}/32 -p tcp --sport 80 -j ACCEPT`,
      ],
    ]);
  });

  test("serverFirewall looks for the tunnel's packets in the family of the director", () => {
    const vip = "2001:db8::100";
    const tunnel = {
      method: "tunnel",
      director: address("192.0.2.1"),
      services: [service(vip, { protocol: TCP, port: 80 })],
    } as const;
    assert.deepEqual(
      find(tunnel, ":INPUT ACCEPT [0:0]", "[4:240] -A INPUT -p ipv6 -j DROP"),
      [
        [
          "server-firewall-blocks the tunnel's packets from 192.0.2.1",
          "iptables -t filter -I INPUT -s 192.0.2.1/32 -p 41 -j ACCEPT",
        ],
      ],
    );
    assert.deepEqual(
      find(
        tunnel,
        ":INPUT ACCEPT [0:0]",
        "[4:240] -A INPUT -p ipencap -j DROP",
      ),
      [],
    );
  });

  test("serverFirewall accepts rules by state, which know the connections of a real server", () => {
    assert.deepEqual(
      find(
        {},
        ":INPUT DROP [0:0]",
        ":OUTPUT DROP [0:0]",
        "[9:540] -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "[3:180] -A INPUT -p tcp -m tcp --dport 80 --tcp-flags FIN,SYN,RST,ACK SYN -m conntrack --ctstate NEW -j ACCEPT",
        "[9:540] -A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      ),
      [],
    );
  });

  test("serverFirewall checks the tunnel's packets and what is inside", () => {
    const director = address("192.0.2.254");
    const given = { method: "tunnel", director } as const;
    assert.deepEqual(
      find(given, ":INPUT ACCEPT [0:0]", "[4:240] -A INPUT -p ipencap -j DROP"),
      [
        [
          "server-firewall-blocks the tunnel's packets from 192.0.2.254",
          "iptables -t filter -I INPUT -s 192.0.2.254/32 -p 4 -j ACCEPT",
        ],
      ],
    );
    assert.equal(
      find(given, ":INPUT ACCEPT [0:0]", "[4:240] -A INPUT -p tcp -j DROP")
        .length,
      1,
    );
  });

  test("serverFirewall checks the server's own address for masquerading, if --server names it", () => {
    const rules = [
      ":INPUT ACCEPT [0:0]",
      "[4:240] -A INPUT -p tcp -m tcp --dport 8080 -j DROP",
    ];
    assert.deepEqual(find({ method: "masq" }, ...rules), []);
    const server = { address: address("10.0.0.11"), port: 8080 };
    assert.deepEqual(find({ method: "masq", server }, ...rules), [
      [
        "server-firewall-blocks requests to tcp/10.0.0.11:8080",
        "iptables -t filter -I INPUT -d 10.0.0.11/32 -p tcp --dport 8080 -j ACCEPT",
      ],
    ]);
  });

  test("serverFirewall says nothing about rules for some clients, unless --client is one", () => {
    const rules = [
      ":INPUT ACCEPT [0:0]",
      "[4:240] -A INPUT -s 203.0.113.0/24 -j DROP",
    ];
    assert.deepEqual(find({}, ...rules), []);
    assert.equal(find({ client: address("203.0.113.5") }, ...rules).length, 1);
    assert.deepEqual(find({ client: address("198.51.100.5") }, ...rules), []);
  });

  test("serverFirewall takes a redirection for the way in which the server gets requests", () => {
    const text =
      "*nat\n:PREROUTING ACCEPT [0:0]\n[4:240] -A PREROUTING -p tcp -m tcp --dport 80 -j REDIRECT --to-ports 8080\nCOMMIT\n";
    const found = serverFirewall.examine({
      realServer: realServer({ services: [WEB], method: "direct" }),
      firewall: {
        tables: parseIptablesSave(text, INET, "iptables"),
        unread: [],
      },
    });
    assert.deepEqual(found, []);
  });
});

test("listening: a masqueraded server is checked at the address of --server", () => {
  const server = { address: address("10.0.0.11"), port: 8080 };
  const find = (port: number, protocol: typeof TCP | typeof UDP) =>
    listening.examine({
      realServer: realServer({ services: [WEB], method: "masq", server }),
      listeners: [{ protocol, address: address("0.0.0.0"), port }],
    });
  assert.deepEqual(find(8080, TCP), []);
  assert.equal(find(80, TCP)[0]?.subject, "tcp/10.0.0.11:8080");
  assert.equal(find(8080, UDP)[0]?.id, "nobody-listens");
});

suite("serverNeighborDiscovery", () => {
  const VIP6 = "2001:db8::100";
  const blocked = (given: Partial<RealServer>, ...rules: string[]) =>
    serverNeighborDiscovery
      .examine({
        realServer: realServer({
          services: [service(VIP6, { protocol: TCP, port: 80 })],
          devices: [LO, LAN],
          addresses: [owned(LAN, "2001:db8::11/64"), owned(LO, `${VIP6}/128`)],
          ...given,
        }),
        firewall: {
          tables: parseIptablesSave(
            `*filter\n${rules.join("\n")}\nCOMMIT\n`,
            INET6,
            "ip6tables",
          ),
          unread: [],
        },
      })
      .map(told);
  const CLOSED = ":INPUT DROP [4:240]";
  const accept = (type: number) =>
    `ip6tables -t filter -I INPUT -p icmpv6 --icmpv6-type ${type} -j ACCEPT`;
  const id = "server-neighbor-discovery-blocked -";

  test("serverNeighborDiscovery finds the policy, and prints the rules that accept what it drops", () => {
    assert.deepEqual(blocked({}, CLOSED), [[id, accept(135), accept(136)]]);
    assert.deepEqual(
      blocked({}, CLOSED, "[0:0] -A INPUT -p ipv6-icmp -j ACCEPT"),
      [],
    );
  });

  test("serverNeighborDiscovery looks at what the families of the director and the service need", () => {
    const ipv4 = { services: [WEB] };
    assert.deepEqual(blocked(ipv4, CLOSED), []);
    assert.deepEqual(
      blocked({ ...ipv4, director: address("2001:db8::1") }, CLOSED),
      [[id, accept(135)]],
    );
    assert.deepEqual(blocked({ director: address("192.0.2.1") }, CLOSED), [
      [id, accept(136)],
    ]);
  });

  test("serverNeighborDiscovery does not report a rule for one of several interfaces", () => {
    const other = device(3, "other");
    const two = {
      devices: [LO, LAN, other],
      addresses: [owned(LAN, "2001:db8::11/64"), owned(other, "fd00::11/64")],
    };
    const rule = "[4:240] -A INPUT -i other -j DROP";
    assert.deepEqual(blocked(two, ":INPUT ACCEPT [0:0]", rule), []);
    assert.equal(blocked(two, CLOSED).length, 1);
  });
});
