import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DIRECTOR, type NetworkPlan } from "../../lab/network.js";
import { forgetConnections } from "../../traffic/forget-connections.js";
import { without } from "../../traffic/needs.js";
import { spread } from "../../traffic/spread.js";
import {
  bareSite,
  BEHIND_ROUTER,
  BETWEEN,
  ONE_NETWORK,
  printed,
  runOn,
  stateOf,
  tableFile,
  type BareSite,
} from "./bare-machines.js";

/*
 * Bare machines: addresses and routes between them, and nothing that LVS needs. Only what `ipvsadm setup` prints is run on
 * them. Then requests are answered, doctor finds nothing on any of them, and after --undo nothing is left.
 */

interface Case {
  readonly name: string;
  readonly rules: string;
  readonly options: readonly string[];
  /** Addresses of real1 and real2 */
  readonly servers: readonly [string, string];
  readonly url: string;
  /** How doctor is called on a real server. {} is its address, as in the table */
  readonly doctor: string;
  readonly skip?: string | false;
}

interface Group {
  readonly name: string;
  readonly network: NetworkPlan;
  readonly cases: readonly Case[];
}

const IPV4 = {
  vip: "192.0.2.101",
  servers: ["198.51.100.11", "198.51.100.12"],
} as const;
const IPV6 = {
  vip: "[2001:db8:1::101]",
  servers: ["[2001:db8:2::11]", "[2001:db8:2::12]"],
} as const;

/** The outer and the inner packets have the families of the real servers and of the service. */
function tunnel(
  kind: string,
  service: typeof IPV4 | typeof IPV6,
  outer: typeof IPV4 | typeof IPV6,
  options = "",
): Case {
  const family = (one: object) => (one === IPV4 ? "IPv4" : "IPv6");
  const [server1, server2] = outer.servers;
  const type = kind.split(" ")[0] ?? "";
  return {
    name: `tunneling by ${kind}, ${family(service)} over ${family(outer)}`,
    rules: `-A -t ${service.vip}:80 -s rr
-a -t ${service.vip}:80 -r ${server1}:80 -i ${options}
-a -t ${service.vip}:80 -r ${server2}:80 -i ${options}`,
    options: ["--interface", "front"],
    servers: [bare(server1), bare(server2)],
    url: `http://${service.vip}/`,
    // As the director prints it.
    doctor: `--real-server tcp/${service.vip}:80 --method ${type === "ipip" ? "tunnel" : type}${options.includes("--tun-csum") ? " --tun-csum" : ""}`,
  };
}

function bare(address: string): string {
  return address.replace(/[[\]]/g, "");
}

const FAMILIES = [
  [IPV4, IPV4],
  [IPV6, IPV6],
  [IPV4, IPV6],
  [IPV6, IPV4],
] as const;

const GROUPS: readonly Group[] = [
  {
    name: "the director between clients and servers",
    network: BETWEEN,
    cases: [
      {
        name: "NAT",
        rules: `-A -t 192.0.2.100:80 -s rr
-a -t 192.0.2.100:80 -r 198.51.100.11:8080 -m
-a -t 192.0.2.100:80 -r 198.51.100.12:8080 -m`,
        options: [
          "--interface=front",
          "--server-interface=lan",
          "--director=198.51.100.1",
        ],
        servers: ["198.51.100.11", "198.51.100.12"],
        url: "http://192.0.2.100/",
        doctor:
          "--real-server tcp/192.0.2.100:80 --method masq --server {}:8080 --director 198.51.100.1 --client 192.0.2.10",
      },
      {
        name: "NAT with IPv6",
        rules: `-A -t [2001:db8:1::100]:80 -s rr
-a -t [2001:db8:1::100]:80 -r [2001:db8:2::11]:8080 -m
-a -t [2001:db8:1::100]:80 -r [2001:db8:2::12]:8080 -m`,
        options: [
          "--interface=front",
          "--server-interface=lan",
          "--director=2001:db8:2::1",
        ],
        servers: ["2001:db8:2::11", "2001:db8:2::12"],
        url: "http://[2001:db8:1::100]/",
        doctor:
          "--real-server tcp/[2001:db8:1::100]:80 --method masq --server [{}]:8080 --director 2001:db8:2::1 --client 2001:db8:1::10",
      },
    ],
  },
  {
    name: "all machines in one network",
    network: ONE_NETWORK,
    cases: [
      {
        name: "direct routing",
        rules: `-A -t 203.0.113.100:80 -s rr
-a -t 203.0.113.100:80 -r 203.0.113.11 -g
-a -t 203.0.113.100:80 -r 203.0.113.12 -g`,
        options: ["--interface", "lan"],
        servers: ["203.0.113.11", "203.0.113.12"],
        url: "http://203.0.113.100/",
        doctor: "--real-server tcp/203.0.113.100:80 --client 203.0.113.10",
      },
      {
        name: "direct routing with IPv6",
        rules: `-A -t [2001:db8:3::100]:80 -s rr
-a -t [2001:db8:3::100]:80 -r [2001:db8:3::11]:80 -g
-a -t [2001:db8:3::100]:80 -r [2001:db8:3::12]:80 -g`,
        options: ["--interface", "lan"],
        servers: ["2001:db8:3::11", "2001:db8:3::12"],
        url: "http://[2001:db8:3::100]/",
        doctor:
          "--real-server tcp/[2001:db8:3::100]:80 --client 2001:db8:3::10",
      },
      {
        name: "full NAT",
        rules: `-A -t 203.0.113.101:80 -s rr
-a -t 203.0.113.101:80 -r 203.0.113.11:8080 -m
-a -t 203.0.113.101:80 -r 203.0.113.12:8080 -m`,
        options: ["--interface=lan", "--full-nat", "--director=203.0.113.1"],
        servers: ["203.0.113.11", "203.0.113.12"],
        url: "http://203.0.113.101/",
        // To a real server, the director is the client.
        doctor:
          "--real-server tcp/203.0.113.101:80 --method masq --server {}:8080 --client 203.0.113.1",
        skip: without("iptables-legacy", "iptables"),
      },
      {
        name: "a firewall mark with direct routing",
        rules: `-A -f 7 -s rr
-a -f 7 -r 203.0.113.11 -g
-a -f 7 -r 203.0.113.12 -g`,
        options: [
          "--interface=lan",
          "--mark=7=tcp/203.0.113.102:80,7=tcp/203.0.113.102:8080",
        ],
        servers: ["203.0.113.11", "203.0.113.12"],
        url: "http://203.0.113.102/",
        doctor:
          "--real-server tcp/203.0.113.102:80,tcp/203.0.113.102:8080 --client 203.0.113.10",
        skip: without("iptables-legacy", "iptables"),
      },
    ],
  },
  {
    name: "the servers behind a router",
    network: BEHIND_ROUTER,
    cases: FAMILIES.flatMap(([service, outer]) => [
      tunnel("ipip", service, outer),
      tunnel("gue", service, outer, "--tun-type gue --tun-port 6080"),
      tunnel("gre", service, outer, "--tun-type gre"),
      tunnel("gre with checksums", service, outer, "--tun-type gre --tun-csum"),
    ]),
  },
];

for (const { name, network, cases } of GROUPS)
  suite(`setup, ${name}`, () => {
    const machines = bareSite(network, ["real1", "real2"]);
    for (const one of cases)
      test(
        `setup prints all that bare machines need: ${one.name}`,
        { skip: one.skip ?? false },
        () => proves(machines, one),
      );
  });

async function proves(
  { site, doctor }: BareSite,
  { rules, options, servers, url, doctor: words }: Case,
): Promise<void> {
  const { network } = site;
  const file = tableFile(rules);
  const hosts = [
    ["director", DIRECTOR],
    [servers[0], "real1"],
    [servers[1], "real2"],
  ] as const;
  const states = () => hosts.map(([, host]) => stateOf(network, host));
  const before = states();
  try {
    for (const [name, host] of hosts)
      runOn(network, host, await printed(file, name, options));
    const replies = await site.client.get(url, { count: 6 });
    assert.deepEqual(spread(replies), { real1: 3, real2: 3 });
    assert.deepEqual(await doctor(DIRECTOR), []);
    for (const [name, host] of hosts.slice(1))
      assert.deepEqual(
        await doctor(host, words.replace("{}", name).split(" ")),
        [],
        host,
      );
  } finally {
    for (const [name, host] of hosts.toReversed())
      runOn(network, host, await printed(file, name, [...options, "--undo"]));
    await forgetConnections();
  }
  assert.deepEqual(states(), before);
}
