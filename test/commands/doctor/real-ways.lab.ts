import assert from "node:assert/strict";
import { suite } from "node:test";
import {
  DIRECTOR,
  type HostPlan,
  type NetworkPlan,
} from "../../lab/network.js";
import { eventually } from "../../lab/eventually.js";
import { BEHIND_DIRECTOR } from "../../traffic/places.js";
import { without } from "../../traffic/needs.js";
import { siteOf } from "../../traffic/site.js";
import { describedSetting, proverOf } from "./real-server-case.js";

const VIP = "192.0.2.100";
const URL = `http://${VIP}/`;

/** Another way between the two networks. */
const PAST_THE_DIRECTOR: HostPlan = {
  addresses: { front: ["192.0.2.2/24"], back: ["198.51.100.2/24"] },
  sysctls: { "net.ipv4.ip_forward": 1 },
};

suite("doctor finds faults of a masqueraded real server", () => {
  const site = siteOf(
    { ...BEHIND_DIRECTOR, router: PAST_THE_DIRECTOR },
    {
      real1: { http: [8080] },
      real2: { http: [8080] },
    },
  );
  const RULES = `
    -A -t ${VIP}:80 -s rr
    -a -t ${VIP}:80 -r 198.51.100.11:8080 -m
    -a -t ${VIP}:80 -r 198.51.100.12:8080 -m`;
  const proves = proverOf(site);
  const WORDS = `--real-server ${VIP}:80 --method masq --director 198.51.100.1`;

  for (const [name, chain] of [
    ["requests", "INPUT -p tcp --dport 8080"],
    ["answers", "OUTPUT -p tcp --sport 8080"],
  ] as const)
    proves({
      id: "server-firewall-blocks",
      name,
      skip: without("iptables-legacy", "iptables"),
      subject:
        name === "requests"
          ? "requests to tcp/198.51.100.11:8080"
          : "answers from tcp/198.51.100.11:8080",
      rules: RULES,
      words: `--real-server tcp/${VIP}:80 --method masq --director 198.51.100.1 --server 198.51.100.11:8080 --client 192.0.2.10`,
      url: URL,
      fault: `iptables-legacy -A ${chain} -j DROP`,
      lastly: () => void site.network.sh("real1", "iptables-legacy -F"),
    });

  proves({
    id: "way-back-elsewhere",
    certainty: "likely",
    subject: "192.0.2.10",
    seen: /^answers go through 198\.51\.100\.2, past the director$/,
    rules: RULES,
    words: `${WORDS} --client 192.0.2.10`,
    url: URL,
    fault: "ip route replace default via 198.51.100.2",
    lastly: () =>
      void site.network.sh(
        "real1",
        "ip route replace default via 198.51.100.1",
      ),
  });

  proves({
    id: "way-back-elsewhere",
    certainty: "likely",
    name: "a route to the clients' network",
    subject: "192.0.2.10",
    rules: RULES,
    words: `${WORDS} --client 192.0.2.10`,
    url: URL,
    fault: "ip route add 192.0.2.0/24 via 198.51.100.2",
    lastly: () => void site.network.sh("real1", "ip route del 192.0.2.0/24"),
  });

  // The servers' router is an address of the active director, which did not take it over.
  proves({
    id: "way-back-elsewhere",
    certainty: "likely",
    name: "the router's address was not taken over by this director",
    subject: "192.0.2.10",
    seen: /^answers go through 198\.51\.100\.3, which does not answer on back$/,
    rules: RULES,
    words: `${WORDS} --client 192.0.2.10`,
    url: URL,
    fault: "ip route replace default via 198.51.100.3",
    cure({ cure }) {
      const [, command = ""] =
        /director: '([^']+) dev INTERFACE'/.exec(cure) ?? [];
      assert.equal(command, "ip address add 198.51.100.3/24");
      site.network.sh(DIRECTOR, `${command} dev back`);
    },
    lastly() {
      site.network.sh("real1", "ip route replace default via 198.51.100.1");
      site.network.sh(DIRECTOR, "ip address del 198.51.100.3/24 dev back || :");
    },
  });

  // The network of this prefix length contains the client.
  proves({
    id: "way-back-elsewhere",
    certainty: "likely",
    name: "the prefix length of the server's address",
    subject: "192.0.2.10",
    seen: /^answers go directly there, past the director: 198\.51\.100\.11\/5 on back makes the client's network look directly attached; 192\.0\.2\.10 does not answer there, and the director does$/,
    rules: RULES,
    words: `${WORDS} --client 192.0.2.10`,
    url: URL,
    fault:
      "ip address add 198.51.100.11/5 dev back; ip address del 198.51.100.11/24 dev back; ip route replace default via 198.51.100.1",
    cure({ cure }) {
      const [, add = "", del = ""] =
        /'(ip address add [^']+)'.*'(ip address del [^']+)'/.exec(cure) ?? [];
      assert.equal(del, "ip address del 198.51.100.11/5 dev back");
      site.network.sh("real1", add.replace("BITS", "24"));
      site.network.sh("real1", del);
      site.network.sh("real1", "ip route replace default via 198.51.100.1");
    },
    lastly: () =>
      void site.network.sh(
        "real1",
        "ip address replace 198.51.100.11/24 dev back; ip address del 198.51.100.11/5 dev back || :; ip route replace default via 198.51.100.1",
      ),
  });

  // A routing rule for the server's own address leads to a table whose routes go past the director.
  proves({
    id: "way-back-elsewhere",
    certainty: "likely",
    name: "a routing rule",
    subject: "192.0.2.10",
    seen: /^answers go through 198\.51\.100\.2, past the director$/,
    rules: RULES,
    words: `${WORDS} --server 198.51.100.11:8080 --client 192.0.2.10`,
    url: URL,
    fault:
      "ip rule add from 198.51.100.11 table 77 priority 100; ip route add default via 198.51.100.2 table 77",
    lastly: () =>
      void site.network.sh(
        "real1",
        "ip rule del priority 100; ip route flush table 77",
      ),
  });

  proves({
    id: "way-back-elsewhere",
    certainty: "likely",
    subject: "default route",
    seen: /^answers go through 198\.51\.100\.2, past the director$/,
    rules: RULES,
    words: WORDS,
    url: URL,
    fault: "ip route replace default via 198.51.100.2",
  });
});

suite("doctor of a masqueraded real server with IPv6", () => {
  const site = siteOf(
    { ...BEHIND_DIRECTOR, router: PAST_THE_DIRECTOR },
    {
      real1: { http: [8080] },
      real2: { http: [8080] },
    },
  );
  const proves = proverOf(site);
  const NEAR = "2001:db8:1::/64";
  const URL6 = "http://[2001:db8:1::100]/";
  const RULES6 = `
    -A -t [2001:db8:1::100]:80 -s rr
    -a -t [2001:db8:1::100]:80 -r [2001:db8:2::11]:8080 -m
    -a -t [2001:db8:1::100]:80 -r [2001:db8:2::12]:8080 -m`;
  const WORDS6 =
    "--real-server [2001:db8:1::100]:80 --method masq --director 2001:db8:2::1 --client 2001:db8:1::10";

  /** Gives real1 a default route as a router advertisement of a host does: by its link-local address. */
  async function advertisedBy(host: string): Promise<void> {
    const addresses = await eventually(
      () =>
        Promise.resolve(
          site.network.sh(host, "ip -6 -o address show dev back scope link"),
        ),
      (text) => text.includes("fe80:") && !text.includes("tentative"),
      60,
    );
    const [, router = ""] = / inet6 (fe80:[^/]+)\//.exec(addresses) ?? [];
    site.network.sh(
      "real1",
      `ip -6 route del ${NEAR}; ip -6 route add default via ${router} dev back proto ra metric 1024`,
    );
  }

  proves({
    id: "way-back-elsewhere",
    name: "the link-local address of a card that was replaced",
    subject: "2001:db8:1::10",
    certainty: "likely",
    seen: /^answers go through fe80::5054:ff:fe0a:1, which does not answer on back$/,
    evidence:
      /^fe80::5054:ff:fe0a:1 is formed from the hardware address 52:54:00:0a:00:01: /m,
    rules: RULES6,
    words: WORDS6,
    url: URL6,
    fault: `ip -6 route del ${NEAR}; ip -6 route add default via fe80::5054:ff:fe0a:1 dev back`,
    lastly: () =>
      void site.network.sh(
        "real1",
        `ip -6 route del default || :; ip -6 route replace ${NEAR} via 2001:db8:2::1`,
      ),
  });

  proves({
    id: "way-back-elsewhere",
    name: "a router advertisement of another router",
    subject: "2001:db8:1::10",
    certainty: "likely",
    seen: /^answers go through fe80:[0-9a-f:]+, past the director$/,
    rules: RULES6,
    words: WORDS6,
    url: URL6,
    // The link-local address of the director is right.
    healthy: () => advertisedBy(DIRECTOR),
    fault: async () => {
      site.network.sh(
        "real1",
        `ip -6 route del default proto ra; ip -6 route add ${NEAR} via 2001:db8:2::1`,
      );
      await advertisedBy("router");
    },
    lastly: () =>
      void site.network.sh(
        "real1",
        `ip -6 route flush root ::/0 proto ra; ip -6 route del default metric 512 || :; ip -6 route replace ${NEAR} via 2001:db8:2::1`,
      ),
  });
});

/** A real server with a network to the director, and another to its router. */
function twoNetworks(number: number) {
  return {
    addresses: {
      back: [`198.51.100.${number}/24`],
      exit: [`10.0.0.${number}/24`],
      lo: [`${VIP}/32`],
    },
    routes: ["default via 10.0.0.1"],
    sysctls: {
      "net.ipv4.conf.all.arp_ignore": 1,
      "net.ipv4.conf.all.arp_announce": 2,
      "net.ipv4.conf.all.rp_filter": 0,
      "net.ipv4.conf.back.rp_filter": 0,
    },
  };
}

const TWO_NETWORKS: NetworkPlan = {
  client: { addresses: { front: ["192.0.2.10/24"] } },
  [DIRECTOR]: {
    addresses: {
      front: ["192.0.2.1/24", `${VIP}/32`],
      back: ["198.51.100.1/24"],
    },
  },
  router: {
    addresses: { front: ["192.0.2.2/24"], exit: ["10.0.0.1/24"] },
    sysctls: {
      "net.ipv4.ip_forward": 1,
      "net.ipv4.conf.all.rp_filter": 0,
      "net.ipv4.conf.exit.rp_filter": 0,
    },
  },
  real1: twoNetworks(11),
  real2: twoNetworks(12),
};

suite("doctor of a real server with two networks", () => {
  const site = siteOf(TWO_NETWORKS, {
    real1: { http: [80] },
    real2: { http: [80] },
  });
  const proves = proverOf(site);

  proves({
    id: "no-way-back",
    name: "a routing rule for the virtual address leads to a table that refuses the client",
    subject: "192.0.2.10",
    rules: `
      -A -t ${VIP}:80 -s rr
      -a -t ${VIP}:80 -r 198.51.100.11 -g
      -a -t ${VIP}:80 -r 198.51.100.12 -g`,
    words: `--real-server ${VIP} --method direct --director 198.51.100.1 --client 192.0.2.10`,
    url: URL,
    fault: `ip rule add from ${VIP} table 77 priority 100; ip route add unreachable default table 77`,
    evidence: /^routing rule 100 sends packets from 192\.0\.2\.100 to table 77/,
    fills: { ROUTER: "10.0.0.1" },
    lastly: () =>
      void site.network.sh(
        "real1",
        "ip rule del priority 100; ip route flush table 77",
      ),
  });

  const DIRECT = {
    subject: "192.0.2.10",
    rules: `
      -A -t ${VIP}:80 -s rr
      -a -t ${VIP}:80 -r 198.51.100.11 -g
      -a -t ${VIP}:80 -r 198.51.100.12 -g`,
    words: `--real-server ${VIP} --method direct --director 198.51.100.1 --client 192.0.2.10`,
    url: URL,
    fills: { ROUTER: "10.0.0.1" },
  };

  proves({
    ...DIRECT,
    id: "way-back-through-director",
    certainty: "likely",
    seen: /^answers go through the director, 198\.51\.100\.1$/,
    fault: "ip route replace default via 198.51.100.1",
  });

  proves({
    ...DIRECT,
    id: "router-silent",
    seen: /^answers go through 10\.0\.0\.9, which does not answer ARP on exit$/,
    fault: "ip route replace default via 10.0.0.9",
  });

  // A bridge of containers whose network contains the client.
  proves({
    ...DIRECT,
    id: "client-not-neighbor",
    seen: /^answers to it leave by br-office, without a router, as if it were in the network of bridge br-office, 192\.0\.2\.254\/24; it does not answer ARP there/,
    fault:
      "ip link add br-office type bridge; ip address add 192.0.2.254/24 dev br-office; ip link set br-office up",
    cure({ cure }) {
      const [, command = ""] =
        /Until then one client is reached with '([^']+)'/.exec(cure) ?? [];
      assert.equal(command, "ip route add 192.0.2.10 via 10.0.0.1");
      site.network.sh("real1", command);
    },
    lastly: () =>
      void site.network.sh(
        "real1",
        "ip route del 192.0.2.10; ip link del br-office",
      ),
  });

  proves({
    id: "reverse-path",
    name: "of direct routing",
    subject: "back",
    seen: /the kernel drops the packets of 192\.0\.2\.10, because/,
    rules: `
      -A -t ${VIP}:80 -s rr
      -a -t ${VIP}:80 -r 198.51.100.11 -g
      -a -t ${VIP}:80 -r 198.51.100.12 -g`,
    words: `--real-server ${VIP} --director 198.51.100.1 --client 192.0.2.10`,
    url: URL,
    fault: "sysctl -w net.ipv4.conf.back.rp_filter=1",
    cure(finding) {
      const [next] = finding.next;
      assert.throws(
        () => site.network.sh("real1", next?.command ?? ""),
        /Invalid cross-device link/,
      );
      site.network.sh("real1", describedSetting(finding));
      site.network.sh("real1", next?.command ?? "");
    },
  });
});
