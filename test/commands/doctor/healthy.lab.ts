import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { DIRECTOR } from "../../lab/network.js";
import { balance, ipvsadm } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { BEHIND_DIRECTOR, ONE_NETWORK } from "../../traffic/places.js";
import { siteOf, type Site } from "../../traffic/site.js";
import { answered, silent } from "./case.js";

/** A set-up that works, and about which doctor has nothing to say. */
interface Healthy {
  readonly what: string;
  readonly rules?: string;
  /** Arguments of iptables-legacy, or of ip6tables-legacy */
  readonly firewall?: readonly string[];
  readonly firewall6?: readonly string[];
  /** Shell commands on the director, before and after */
  readonly setUp?: string;
  readonly tearDown?: string;
  /** Our own program's commands, after the rules */
  readonly commands?: readonly string[];
  readonly undo?: readonly string[];
  readonly url?: string;
  readonly works?: (site: Site) => Promise<void>;
}

const URL = "http://192.0.2.100/";
const SERVICE = "-t 192.0.2.100:80";
const NAT = `
  -A ${SERVICE} -s rr
  -a ${SERVICE} -r 198.51.100.11:8080 -m
  -a ${SERVICE} -r 198.51.100.12:8080 -m`;
const URL6 = "http://[2001:db8:1::100]/";
const NAT6 = `
  -A -t [2001:db8:1::100]:80 -s rr
  -a -t [2001:db8:1::100]:80 -r [2001:db8:2::11]:8080 -m
  -a -t [2001:db8:1::100]:80 -r [2001:db8:2::12]:8080 -m`;
const DNS = `
  -A -u 192.0.2.100:53 -s rr
  -a -u 192.0.2.100:53 -r 198.51.100.11:53 -m`;
const MARKED = `
  -A -f 7 -s rr
  -a -f 7 -r 198.51.100.11:8080 -m
  -a -f 7 -r 198.51.100.12:8080 -m`;
const WEB = "-d 192.0.2.100 -p tcp --dport 80";

async function resolves(site: Site): Promise<void> {
  const replies = await site.client.sendDatagrams("192.0.2.100:53", {
    count: 4,
  });
  assert.ok(
    replies.every((reply) => "server" in reply),
    JSON.stringify(replies),
  );
}

/** Tests that doctor finds nothing in any of these set-ups. */
function staySilent(site: Site, setUps: readonly Healthy[]): void {
  const director = (command: string) => site.network.sh(DIRECTOR, command);
  const run = (program: string, all: readonly string[] = []) => {
    for (const words of all) director(`${program} ${words}`);
  };
  for (const one of setUps) {
    const skip =
      one.firewall || one.firewall6
        ? without("iptables-legacy", "iptables")
        : false;
    test(`doctor finds nothing: ${one.what}`, { skip }, async () => {
      try {
        if (one.setUp) director(one.setUp);
        run("iptables-legacy", one.firewall);
        run("ip6tables-legacy", one.firewall6);
        await balance(one.rules ?? NAT);
        for (const command of one.commands ?? []) await ipvsadm(command);
        await (one.works ?? ((at) => answered(at, one.url ?? URL)))(site);
        await silent();
      } finally {
        for (const [program, used] of [
          ["iptables-legacy", one.firewall],
          ["ip6tables-legacy", one.firewall6],
        ] as const)
          if (used)
            director(
              `for t in filter mangle nat raw; do ${program} -t $t -F; ${program} -t $t -X; done; for c in INPUT FORWARD OUTPUT; do ${program} -P $c ACCEPT; done`,
            );
        if (one.tearDown) director(one.tearDown);
        for (const command of one.undo ?? []) await ipvsadm(command);
      }
    });
  }
}

suite("doctor is silent about healthy NAT", () => {
  const site = siteOf(BEHIND_DIRECTOR, {
    real1: { http: [8080], datagrams: ["198.51.100.11:53"] },
    real2: { http: [8080] },
  });
  const conntrack = {
    setUp: "sysctl -w net.ipv4.vs.conntrack=1",
    tearDown: "sysctl -w net.ipv4.vs.conntrack=0",
  };
  staySilent(site, [
    {
      what: "FORWARD as Docker makes it, with a rule for the servers in DOCKER-USER",
      firewall: [
        "-P FORWARD DROP",
        "-N DOCKER-USER",
        "-N DOCKER",
        "-A FORWARD -j DOCKER-USER",
        "-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-A FORWARD -o docker0 -j DOCKER",
        "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT",
        "-A DOCKER-USER -s 198.51.100.0/24 -j ACCEPT",
        "-A DOCKER-USER -j RETURN",
      ],
    },
    {
      what: "FORWARD accepts what comes from the servers' interface",
      firewall: ["-P FORWARD DROP", "-A FORWARD -i back -o front -j ACCEPT"],
    },
    {
      what: "FORWARD accepts established connections, and conntrack is on",
      ...conntrack,
      firewall: [
        "-P FORWARD DROP",
        "-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      ],
    },
    {
      what: "INPUT drops everything but some services, one of them the virtual one",
      firewall: [
        "-P INPUT DROP",
        "-A INPUT -i lo -j ACCEPT",
        "-A INPUT -p icmp -j ACCEPT",
        "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
        "-A INPUT -p tcp -m multiport --dports 22,80,443 -j ACCEPT",
      ],
    },
    {
      what: "INPUT accepts new connections only, which all packets for IPVS are",
      firewall: [
        "-P INPUT DROP",
        "-A INPUT -p tcp --dport 80 -m conntrack --ctstate NEW -j ACCEPT",
      ],
    },
    {
      what: "chains that call, go and return",
      firewall: [
        "-P INPUT DROP",
        "-N services",
        "-N web",
        "-A INPUT -i front -j services",
        "-A services -p udp -j RETURN",
        "-A services -p tcp -g web",
        "-A services -j DROP",
        "-A web -p tcp --dport 22 -j DROP",
        "-A web -p tcp -m tcp --dport 80:90 -j ACCEPT",
      ],
    },
    {
      what: "requests are not tracked, and what is not tracked is accepted",
      firewall: [
        "-t raw -A PREROUTING -d 192.0.2.100 -j NOTRACK",
        "-P INPUT DROP",
        "-A INPUT -m conntrack --ctstate UNTRACKED -j ACCEPT",
      ],
    },
    {
      what: "rules that drop other clients, ports and interfaces",
      firewall: [
        "-A INPUT -s 203.0.113.0/24 -j DROP",
        "-A INPUT -i back -p tcp --dport 80 -j DROP",
        "-A INPUT -p tcp --dport 81 -j DROP",
        "-A FORWARD -s 198.51.100.13 -j DROP",
        "-A FORWARD -p udp -j REJECT",
      ],
    },
    {
      what: "DNAT of another port",
      firewall: [
        "-t nat -A PREROUTING -d 192.0.2.100 -p tcp --dport 81 -j DNAT --to-destination 198.51.100.13:80",
      ],
    },
    {
      what: "connections of the servers themselves are masqueraded",
      firewall: [
        "-t nat -A POSTROUTING -s 198.51.100.0/24 -o front -j MASQUERADE",
      ],
    },
    {
      what: "OUTPUT accepts what goes to the servers only",
      firewall: [
        "-P OUTPUT DROP",
        "-A OUTPUT -o lo -j ACCEPT",
        "-A OUTPUT -d 198.51.100.0/24 -j ACCEPT",
      ],
    },
    {
      what: "a rate limit that is not reached, and logging",
      firewall: [
        "-A INPUT -p tcp --syn -m limit --limit 1000/sec --limit-burst 1000 -j ACCEPT",
        "-A INPUT -p tcp --dport 80 -j LOG",
      ],
    },
    {
      what: "a firewall mark",
      rules: MARKED,
      firewall: [`-t mangle -A PREROUTING ${WEB} -j MARK --set-mark 7`],
    },
    {
      what: "a firewall mark of some bits, set in a chain",
      rules: MARKED,
      firewall: [
        "-t mangle -N marks",
        `-t mangle -A PREROUTING -i front -j marks`,
        `-t mangle -A marks ${WEB} -j MARK --set-xmark 0x7/0xff`,
      ],
    },
    {
      what: "a firewall mark that is set in INPUT",
      rules: MARKED,
      firewall: [`-t mangle -A INPUT ${WEB} -j MARK --set-mark 7`],
    },
    {
      what: "IPv6 with rules of ip6tables",
      rules: NAT6,
      url: URL6,
      firewall6: [
        "-P FORWARD DROP",
        "-A FORWARD -s 2001:db8:2::/64 -j ACCEPT",
        "-A INPUT -p tcp ! --dport 80 -j DROP",
      ],
    },
    {
      what: "rules of ip6tables that drop all, for a service of IPv4",
      firewall6: ["-P FORWARD DROP", "-P INPUT DROP"],
    },
    {
      what: "UDP behind rules for UDP",
      rules: DNS,
      works: resolves,
      firewall: [
        "-P FORWARD DROP",
        "-A FORWARD -p udp --sport 53 -j ACCEPT",
        "-A INPUT -p udp ! --dport 53 -j DROP",
      ],
    },
    {
      what: "one-packet scheduling of UDP, with a rule that translates the answers",
      rules: DNS.replace("-s rr", "-s rr -o"),
      works: resolves,
      firewall: [
        "-t nat -A POSTROUTING -p udp --sport 53 -j SNAT --to-source 192.0.2.100",
      ],
    },
    { what: "persistence", rules: NAT.replace("-s rr", "-s rr -p 300") },
    {
      what: "persistence beside a service without, one with other servers, and FTP",
      rules: `${NAT.replace("-s rr", "-s rr -p 300")}
        -A -t 192.0.2.100:443 -s rr
        -a -t 192.0.2.100:443 -r 198.51.100.11:8080 -m
        -a -t 192.0.2.100:443 -r 198.51.100.12:8080 -m
        -A -t 192.0.2.100:21 -s rr -p 300
        -a -t 192.0.2.100:21 -r 198.51.100.11:8080 -m
        -a -t 192.0.2.100:21 -r 198.51.100.12:8080 -m
        -A -t 192.0.2.100:25 -s rr -p 300
        -a -t 192.0.2.100:25 -r 198.51.100.11:8080 -m`,
    },
    {
      what: "source hashing",
      rules: NAT.replace("-s rr", "-s sh"),
    },
    {
      what: "a drained server that answers, with a connection",
      async works(at) {
        const held = await at.client.hold(URL);
        const number = held.server === "real1" ? 1 : 2;
        await ipvsadm(`-e ${SERVICE} -r 198.51.100.1${number}:8080 -m -w 0`);
        assert.ok("server" in (await held.ask()));
        await held.close();
      },
    },
    {
      what: "a master daemon, with backup_only for the other role",
      commands: ["--start-daemon master --mcast-interface front"],
      setUp: "sysctl -w net.ipv4.vs.backup_only=1",
      tearDown: "sysctl -w net.ipv4.vs.backup_only=0",
      undo: ["--stop-daemon master"],
    },
    {
      what: "the virtual address on a dummy interface",
      setUp:
        "ip address del 192.0.2.100/32 dev front; ip link add dummy0 type dummy; ip link set dummy0 up; ip address add 192.0.2.100/32 dev dummy0",
      tearDown: "ip link del dummy0; ip address add 192.0.2.100/32 dev front",
    },
    {
      what: "a server that was never used, and one of each family",
      rules: `${NAT}
        -A -t 192.0.2.100:443 -s wlc
        -a -t 192.0.2.100:443 -r 198.51.100.11:8080 -m
        ${NAT6.trim()}`,
    },
  ]);
});

suite("doctor is silent about healthy NAT in one network", () => {
  const VIP = "198.51.100.200";
  const host = (address: string) => ({
    addresses: { lan: [`${address}/24`] },
    routes: ["default via 198.51.100.1", "198.51.100.100 via 198.51.100.1"],
  });
  const site = siteOf(
    {
      client: { addresses: { lan: ["198.51.100.100/24"] } },
      [DIRECTOR]: {
        addresses: { lan: ["198.51.100.1/24", `${VIP}/32`] },
        sysctls: { "net.ipv4.ip_forward": 1 },
      },
      real1: host("198.51.100.11"),
    },
    { real1: { http: [80] } },
  );
  const redirects = (value: number) =>
    `sysctl -w net.ipv4.conf.all.send_redirects=${value} net.ipv4.conf.lan.send_redirects=${value}`;
  const rules = `
    -A -t ${VIP}:80 -s rr
    -a -t ${VIP}:80 -r 198.51.100.11:80 -m`;
  const url = `http://${VIP}/`;
  staySilent(site, [
    {
      what: "host routes to clients, and no redirects",
      rules,
      url,
      setUp: redirects(0),
      tearDown: redirects(1),
    },
    {
      what: "full NAT: SNAT and conntrack",
      rules,
      url,
      setUp: "sysctl -w net.ipv4.vs.conntrack=1",
      tearDown: "sysctl -w net.ipv4.vs.conntrack=0",
      firewall: [
        "-t nat -A POSTROUTING -s 198.51.100.0/24 -p tcp --dport 80 -j MASQUERADE",
      ],
    },
  ]);
});

suite("doctor is silent about healthy direct routing", () => {
  const site = siteOf(ONE_NETWORK, {
    real1: { http: [80] },
    real2: { http: [80] },
  });
  const rules = `
    -A -t 203.0.113.100:80 -s rr
    -a -t 203.0.113.100:80 -r 203.0.113.11 -g
    -a -t 203.0.113.100:80 -r 203.0.113.12 -g`;
  const url = "http://203.0.113.100/";
  staySilent(site, [
    {
      what: "a FORWARD that drops all, for answers do not pass it",
      rules,
      url,
      firewall: ["-P FORWARD DROP"],
    },
    {
      what: "an INPUT with a rule for the virtual address",
      rules,
      url,
      firewall: [
        "-P INPUT DROP",
        "-A INPUT -i lo -j ACCEPT",
        "-A INPUT -d 203.0.113.100 -j ACCEPT",
      ],
    },
    {
      what: "a backup director without the virtual address",
      rules,
      setUp: "ip address del 203.0.113.100/32 dev lan",
      tearDown:
        "ip address add 203.0.113.100/32 dev lan; sysctl -w net.ipv4.vs.backup_only=0",
      undo: ["--stop-daemon backup"],
      commands: ["--start-daemon backup --mcast-interface lan"],
      works: () => Promise.resolve(),
    },
  ]);
});
