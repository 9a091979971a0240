import assert from "node:assert/strict";
import { mkdtempSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { suite, test } from "node:test";
import { isAnswer, startServer } from "../../lab/http.js";
import { installPrograms } from "../../lab/installed.js";
import {
  buildNetwork,
  DIRECTOR,
  type Network,
  type NetworkPlan,
} from "../../lab/network.js";
import { sh } from "../../lab/namespaces.js";
import { ours } from "../../lab/program.js";
import { startCaller } from "../../traffic/caller.js";
import { forgetConnections } from "../../traffic/forget-connections.js";
import { without } from "../../traffic/needs.js";

/*
 * Bare machines: addresses and routes between them, and nothing that LVS needs. Only what `ipvsadm setup` prints is run on
 * them. Then requests are answered, doctor finds nothing, and after --undo nothing is left.
 */

/** Our programs, and iptables as the lab has it. */
const PATH = [tools(), installPrograms(), process.env["PATH"]].join(delimiter);

function tools(): string {
  const folder = mkdtempSync(join(tmpdir(), "tools."));
  for (const name of ["iptables", "ip6tables"])
    symlinkSync(`/usr/sbin/${name}-legacy`, join(folder, name));
  return folder;
}

interface Case {
  readonly name: string;
  readonly network: NetworkPlan;
  readonly rules: string;
  readonly options: readonly string[];
  /** Hosts of the real servers by address, and the port that they listen on */
  readonly servers: Readonly<Record<string, string>>;
  readonly port: number;
  readonly url: string;
  /** Which servers answer */
  readonly answers: readonly string[];
  readonly skip?: string | false;
}

const twoServers = (
  addresses: (n: number) => readonly string[],
  routes: readonly string[] = [],
): NetworkPlan => ({
  real1: { addresses: { lan: addresses(11) }, routes },
  real2: { addresses: { lan: addresses(12) }, routes },
});

/** The director between the clients and the servers. */
const BETWEEN: NetworkPlan = {
  client: {
    addresses: { front: ["192.0.2.10/24", "2001:db8:1::10/64"] },
  },
  [DIRECTOR]: {
    addresses: {
      front: ["192.0.2.1/24", "2001:db8:1::1/64"],
      lan: ["198.51.100.1/24", "2001:db8:2::1/64"],
    },
  },
  ...twoServers((n) => [`198.51.100.${n}/24`, `2001:db8:2::${n}/64`]),
};

/** All machines in one network. */
const ONE_NETWORK: NetworkPlan = {
  client: { addresses: { lan: ["203.0.113.10/24", "2001:db8:3::10/64"] } },
  [DIRECTOR]: {
    addresses: { lan: ["203.0.113.1/24", "2001:db8:3::1/64"] },
  },
  ...twoServers((n) => [`203.0.113.${n}/24`, `2001:db8:3::${n}/64`]),
};

/** The servers behind a router, which also is their way to the clients. */
const BEHIND_ROUTER: NetworkPlan = {
  client: {
    addresses: { front: ["192.0.2.10/24"] },
    routes: ["198.51.100.0/24 via 192.0.2.2"],
  },
  [DIRECTOR]: {
    addresses: { front: ["192.0.2.1/24"] },
    routes: ["198.51.100.0/24 via 192.0.2.2"],
  },
  router: {
    addresses: { front: ["192.0.2.2/24"], lan: ["198.51.100.1/24"] },
    sysctls: { "net.ipv4.ip_forward": 1 },
  },
  ...twoServers((n) => [`198.51.100.${n}/24`], ["default via 198.51.100.1"]),
};

const HOSTS = { real1: "real1", real2: "real2" };

function tunnel(kind: string, options: string): Case {
  return {
    name: `tunneling by ${kind}`,
    network: BEHIND_ROUTER,
    rules: `-A -t 192.0.2.101:80 -s rr
-a -t 192.0.2.101:80 -r 198.51.100.11 -i ${options}
-a -t 192.0.2.101:80 -r 198.51.100.12 -i ${options}`,
    options: ["--interface", "front"],
    servers: { "198.51.100.11": "real1", "198.51.100.12": "real2" },
    port: 80,
    url: "http://192.0.2.101/",
    answers: Object.values(HOSTS),
  };
}

const CASES: readonly Case[] = [
  {
    name: "NAT",
    network: BETWEEN,
    rules: `-A -t 192.0.2.100:80 -s rr
-a -t 192.0.2.100:80 -r 198.51.100.11:8080 -m
-a -t 192.0.2.100:80 -r 198.51.100.12:8080 -m`,
    options: [
      "--interface=front",
      "--server-interface=lan",
      "--director=198.51.100.1",
    ],
    servers: { "198.51.100.11": "real1", "198.51.100.12": "real2" },
    port: 8080,
    url: "http://192.0.2.100/",
    answers: Object.values(HOSTS),
  },
  {
    name: "NAT with IPv6",
    network: BETWEEN,
    rules: `-A -t [2001:db8:1::100]:80 -s rr
-a -t [2001:db8:1::100]:80 -r [2001:db8:2::11]:8080 -m
-a -t [2001:db8:1::100]:80 -r [2001:db8:2::12]:8080 -m`,
    options: [
      "--interface=front",
      "--server-interface=lan",
      "--director=2001:db8:2::1",
    ],
    servers: { "2001:db8:2::11": "real1", "2001:db8:2::12": "real2" },
    port: 8080,
    url: "http://[2001:db8:1::100]/",
    answers: Object.values(HOSTS),
  },
  {
    name: "direct routing",
    network: ONE_NETWORK,
    rules: `-A -t 203.0.113.100:80 -s rr
-a -t 203.0.113.100:80 -r 203.0.113.11 -g
-a -t 203.0.113.100:80 -r 203.0.113.12 -g`,
    options: ["--interface", "lan"],
    servers: { "203.0.113.11": "real1", "203.0.113.12": "real2" },
    port: 80,
    url: "http://203.0.113.100/",
    answers: Object.values(HOSTS),
  },
  {
    name: "direct routing with IPv6",
    network: ONE_NETWORK,
    rules: `-A -t [2001:db8:3::100]:80 -s rr
-a -t [2001:db8:3::100]:80 -r [2001:db8:3::11]:80 -g
-a -t [2001:db8:3::100]:80 -r [2001:db8:3::12]:80 -g`,
    options: ["--interface", "lan"],
    servers: { "2001:db8:3::11": "real1", "2001:db8:3::12": "real2" },
    port: 80,
    url: "http://[2001:db8:3::100]/",
    answers: Object.values(HOSTS),
  },
  tunnel("ipip", ""),
  tunnel("gue", "--tun-type gue --tun-port 6080"),
  tunnel("gre", "--tun-type gre"),
  tunnel("gre with checksums", "--tun-type gre --tun-csum"),
  {
    name: "full NAT in one network",
    network: ONE_NETWORK,
    rules: `-A -t 203.0.113.101:80 -s rr
-a -t 203.0.113.101:80 -r 203.0.113.11:8080 -m
-a -t 203.0.113.101:80 -r 203.0.113.12:8080 -m`,
    options: ["--interface=lan", "--full-nat", "--director=203.0.113.1"],
    servers: { "203.0.113.11": "real1", "203.0.113.12": "real2" },
    port: 8080,
    url: "http://203.0.113.101/",
    answers: Object.values(HOSTS),
    skip: without("iptables-legacy", "iptables"),
  },
  {
    name: "a firewall mark with direct routing",
    network: ONE_NETWORK,
    rules: `-A -f 7 -s rr
-a -f 7 -r 203.0.113.11 -g
-a -f 7 -r 203.0.113.12 -g`,
    options: [
      "--interface=lan",
      "--mark=7=tcp/203.0.113.102:80,7=tcp/203.0.113.102:443",
    ],
    servers: { "203.0.113.11": "real1", "203.0.113.12": "real2" },
    port: 80,
    url: "http://203.0.113.102/",
    answers: Object.values(HOSTS),
    skip: without("iptables-legacy", "iptables"),
  },
  {
    name: "a backup director that is a real server too",
    network: {
      ...ONE_NETWORK,
      real2: { addresses: { lan: ["203.0.113.12/24"] } },
    },
    rules: `-A -t 203.0.113.103:80 -s rr
-a -t 203.0.113.103:80 -r 203.0.113.11 -g`,
    options: [
      "--interface=lan",
      "--director=203.0.113.1",
      "--backup=203.0.113.12",
    ],
    servers: { "203.0.113.11": "real1", backup: "real2" },
    port: 80,
    url: "http://203.0.113.103/",
    answers: ["real1"],
  },
];

suite("setup", () => {
  for (const one of CASES)
    test(
      `setup prints all that bare machines need: ${one.name}`,
      { skip: one.skip ?? false },
      () => proves(one),
    );
});

async function proves(one: Case): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "setup."));
  const file = join(folder, "table.rules");
  writeFileSync(file, `${one.rules}\n`);
  sh("modprobe -a ip_vs ipip ip_gre fou sit ip6_tunnel ip6_gre || true");
  using network = buildNetwork(one.network);
  const machines = { director: DIRECTOR, ...one.servers };
  const before = Object.values(machines).map((host) => stateOf(network, host));
  for (const [name, host] of Object.entries(machines))
    runOn(network, host, await printed(file, name, one.options));
  const servers = [
    await startServer("real1", [one.port]),
    await startServer("real2", [one.port]),
  ];
  const client = startCaller("client");
  try {
    const replies = await client.get(one.url, { count: 6 });
    const hosts = new Set(
      replies.map((reply) => (isAnswer(reply) ? reply.server : reply.failure)),
    );
    assert.deepEqual([...hosts].sort(), [...one.answers].sort());
    const { stdout } = await ours(["doctor", "-o", "json"]);
    const { findings } = JSON.parse(stdout) as { findings: unknown[] };
    assert.deepEqual(findings, []);
  } finally {
    await client.stop();
    for (const server of servers) await server.stop();
    for (const [name, host] of Object.entries(machines).reverse())
      runOn(
        network,
        host,
        await printed(file, name, [...one.options, "--undo"]),
      );
    await forgetConnections();
  }
  assert.deepEqual(
    Object.values(machines).map((host) => stateOf(network, host)),
    before,
  );
}

async function printed(
  file: string,
  machine: string,
  options: readonly string[],
): Promise<string> {
  const words = ["setup", file, "--for", machine, ...options];
  const { stdout, stderr, status } = await ours(words);
  assert.deepEqual([stderr, status], ["", 0], words.join(" "));
  return stdout;
}

/** Runs what was printed as an administrator would, who pastes it into a shell. */
function runOn(network: Network, host: string, text: string): void {
  network.sh(host, `export PATH=${PATH}\n${text}`);
}

/** All that setup may change on a host. */
function stateOf(network: Network, host: string): string {
  return network.sh(
    host,
    // The kernel makes link-local addresses and their routes on its own, some time after the link is up.
    `set +e
     { ip -o address show; ip route show; ip -6 route show; ip -o link show; } |
       grep -v fe80: | sed 's/ mtu .*//; s/ *valid_lft.*//'
     ip fou show; ip -6 fou show
     cd /proc/sys/net/ipv4
     grep . ip_forward conf/all/arp_* conf/all/send_redirects conf/*/rp_filter
     cat ../ipv6/conf/all/forwarding
     grep . vs/conntrack vs/backup_only
     iptables-legacy-save | grep -- '^-A'; ip6tables-legacy-save | grep -- '^-A'
     cat /proc/net/ip_vs; true`,
  );
}
