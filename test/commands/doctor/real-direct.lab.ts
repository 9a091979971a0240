import assert from "node:assert/strict";
import { suite } from "node:test";
import { DIRECTOR, type NetworkPlan } from "../../lab/network.js";
import { without } from "../../traffic/needs.js";
import { siteOf } from "../../traffic/site.js";
import { spread } from "../../traffic/spread.js";
import { wordsOf, type Found } from "./case.js";
import { forget, proverOf } from "./real-server-case.js";
import { startResident } from "./resident.js";

const VIP = "203.0.113.100";
const URL = `http://${VIP}/`;
const RULES = `
  -A -t ${VIP}:80 -s rr
  -a -t ${VIP}:80 -r 203.0.113.11 -g
  -a -t ${VIP}:80 -r 203.0.113.12 -g`;
const VIP6 = "2001:db8:1::100";
const URL6 = `http://[${VIP6}]/`;
const RULES6 = `
  -A -t [${VIP6}]:80 -s rr
  -a -t [${VIP6}]:80 -r [2001:db8:1::11]:80 -g
  -a -t [${VIP6}]:80 -r [2001:db8:1::12]:80 -g`;

/** All in one network, with clients of both families; the settings of ARP are those of the interface alone. */
const PLAN: NetworkPlan = {
  client: { addresses: { lan: ["203.0.113.10/24", "2001:db8:1::10/64"] } },
  [DIRECTOR]: {
    addresses: {
      lan: ["203.0.113.1/24", `${VIP}/32`, "2001:db8:1::1/64", `${VIP6}/128`],
    },
  },
  real1: realServer(11),
  real2: realServer(12),
};

function realServer(number: number) {
  return {
    addresses: {
      lan: [`203.0.113.${number}/24`, `2001:db8:1::${number}/64`],
      lo: [`${VIP}/32`, `${VIP6}/128`],
    },
    sysctls: {
      "net.ipv4.conf.lan.arp_ignore": 1,
      "net.ipv4.conf.lan.arp_announce": 2,
    },
  };
}

suite("doctor finds faults of a real server with direct routing", () => {
  const site = siteOf(PLAN, {
    real1: { http: [80] },
    real2: { http: [80], datagrams: [`${VIP}:53`] },
  });
  const proves = proverOf(site);
  const WORDS = `--real-server tcp/${VIP}:80 --method direct --client 203.0.113.10`;
  const WORDS6 = `--real-server tcp/[${VIP6}]:80 --client 2001:db8:1::10`;

  const LEGACY = without("iptables-legacy", "iptables");
  for (const [name, fault, seen] of [
    [
      "INPUT drops requests",
      "-A INPUT -p tcp --dport 80 -j DROP",
      /^rule 1 of chain INPUT .* packets?, drops them$/,
    ],
    [
      "the policy of INPUT",
      "-P INPUT DROP; iptables-legacy -A INPUT -p tcp --dport 22 -j ACCEPT",
      /^the policy of chain INPUT .* packets?, drops them$/,
    ],
    [
      "raw drops what is for the virtual address",
      `-t raw -A PREROUTING -d ${VIP} -j DROP`,
      /^rule 1 of chain PREROUTING \(iptables-legacy, table raw\)/,
    ],
    [
      "OUTPUT drops answers",
      `-A OUTPUT -s ${VIP} -j DROP`,
      /^rule 1 of chain OUTPUT .* packets?, drops them$/,
    ],
  ] as const)
    proves({
      id: "server-firewall-blocks",
      name,
      skip: LEGACY,
      seen,
      rules: RULES,
      words: WORDS,
      url: URL,
      fault: `iptables-legacy ${fault}`,
      lastly: () =>
        void site.network.sh(
          "real1",
          "for t in filter raw; do iptables-legacy -t $t -F; done; iptables-legacy -P INPUT ACCEPT",
        ),
    });

  proves({
    id: "server-firewall-blocks",
    name: "IPv6",
    skip: LEGACY,
    rules: RULES6,
    words: WORDS6,
    url: URL6,
    fault: "ip6tables-legacy -A INPUT -p tcp --dport 80 -j REJECT",
    lastly: () => void site.network.sh("real1", "ip6tables-legacy -F"),
  });

  const forgetAll = () => {
    forget(site, ["client", DIRECTOR, "real1"]);
  };
  proves({
    id: "server-neighbor-discovery-blocked",
    skip: LEGACY,
    rules: RULES6,
    words: WORDS6,
    url: URL6,
    seen: /^the policy of chain INPUT \(ip6tables-legacy, table filter\), [1-9]\d* packets, drops neighbor solicitations on lan, and neighbor advertisements on lan$/,
    fault() {
      site.network.sh(
        "real1",
        "ip6tables-legacy -A INPUT -p tcp -j ACCEPT; ip6tables-legacy -P INPUT DROP",
      );
      forgetAll();
      return Promise.resolve();
    },
    lastly() {
      site.network.sh(
        "real1",
        "ip6tables-legacy -F; ip6tables-legacy -P INPUT ACCEPT",
      );
      forgetAll();
    },
  });

  proves({
    id: "vip-absent",
    subject: VIP,
    rules: RULES,
    words: WORDS,
    url: URL,
    fault: `ip address del ${VIP}/32 dev lo`,
    seen: /^no interface has it, and packets to it would leave by lan$/,
  });

  proves({
    id: "vip-absent",
    subject: VIP6,
    rules: RULES6,
    words: `${WORDS6} --method direct`,
    url: URL6,
    fault: `ip address del ${VIP6}/128 dev lo`,
  });

  proves({
    id: "vip-absent",
    name: "the method is not said, and a masqueraded server needs no virtual address",
    subject: VIP6,
    certainty: "likely",
    rules: RULES6,
    words: WORDS6,
    url: URL6,
    fault: `ip address del ${VIP6}/128 dev lo`,
    async cure({ next }) {
      const command = next[0]?.command ?? "";
      assert.match(command, / --method METHOD$/);
      const words = wordsOf(command.replace("METHOD", "direct")).slice(1);
      const resident = startResident("real1");
      try {
        const { stdout } = await resident.run([...words, "-o", "json"]);
        const { findings } = JSON.parse(stdout) as { findings: Found[] };
        for (const { fix } of findings)
          for (const one of fix) site.network.sh("real1", one.command);
      } finally {
        await resident.stop();
      }
    },
  });

  proves({
    id: "vip-absent",
    name: "on a machine that has been set up in no way, and would tell everybody",
    rules: RULES,
    words: WORDS,
    url: URL,
    fault: `ip address del ${VIP}/32 dev lo; sysctl -w net.ipv4.conf.lan.arp_ignore=0 net.ipv4.conf.lan.arp_announce=0`,
  });

  proves({
    id: "vip-with-network",
    name: "on lo",
    subject: `${VIP} on lo`,
    rules: RULES,
    words: WORDS,
    url: URL,
    fault: `ip address add ${VIP}/24 dev lo; ip address del ${VIP}/32 dev lo`,
  });

  proves({
    id: "vip-with-network",
    name: "on a dummy",
    subject: `${VIP} on dummy7`,
    rules: RULES,
    words: WORDS,
    url: URL,
    fault: `ip address del ${VIP}/32 dev lo; ip link add dummy7 type dummy; ip link set dummy7 up; ip address add ${VIP}/24 dev dummy7; ip route del 203.0.113.0/24 dev lan; ip route add 203.0.113.0/24 dev lan metric 5`,
    lastly: () =>
      void site.network.sh(
        "real1",
        `ip link del dummy7 || true; ip address replace ${VIP}/32 dev lo; ip route replace 203.0.113.0/24 dev lan`,
      ),
  });

  /**
   * Has the client ask for the address where it hears only one answer, that of the real server, and sees that its
   * requests then go past the director. Of two answers the client takes one, and which one is chance.
   */
  async function pastTheDirector(url: string): Promise<void> {
    const separate = (state: "on" | "off") => {
      for (const port of ["client", DIRECTOR])
        site.network.sh(
          DIRECTOR,
          `ip -n switch-lan link set dev ${port} type bridge_slave isolated ${state}`,
        );
    };
    separate("on");
    try {
      forget(site);
      const replies = await site.client.get(url);
      assert.deepEqual(spread(replies), { real1: 1 });
    } finally {
      separate("off");
    }
    const replies = await site.client.get(url, { count: 4 });
    assert.deepEqual(spread(replies), { real1: 4 });
  }

  proves({
    id: "vip-answers",
    name: "ARP",
    subject: `${VIP} on lan`,
    seen: /^arp_ignore is 0 there \(the larger of all and lan\)$/,
    rules: RULES,
    words: WORDS,
    url: URL,
    fault: "sysctl -w net.ipv4.conf.lan.arp_ignore=0",
    fails: () => pastTheDirector(URL),
  });

  proves({
    id: "vip-answers",
    name: "ARP, of an address on the interface itself",
    subject: `${VIP} on lan`,
    rules: RULES,
    words: WORDS,
    url: URL,
    fault: `ip address del ${VIP}/32 dev lo; ip address add ${VIP}/32 dev lan`,
    fails: () => pastTheDirector(URL),
  });

  proves({
    id: "vip-answers",
    name: "neighbor discovery",
    subject: `${VIP6} on lan`,
    rules: RULES6,
    words: WORDS6,
    url: URL6,
    fault: `ip address del ${VIP6}/128 dev lo; ip address add ${VIP6}/128 dev lan nodad`,
    fails: () => pastTheDirector(URL6),
  });

  proves({
    id: "vip-announced",
    subject: `${VIP} on lan`,
    rules: RULES,
    words: WORDS,
    url: URL,
    fault: "sysctl -w net.ipv4.conf.lan.arp_announce=1",
    // The first answers ask for the client, and what it learns from that is wrong.
    fails: async () => {
      await site.client.get(URL, { count: 4 });
      const replies = await site.client.get(URL, { count: 4 });
      assert.deepEqual(spread(replies), { real1: 4 });
    },
  });
});
