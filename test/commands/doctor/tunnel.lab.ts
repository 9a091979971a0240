import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { DIRECTOR } from "../../lab/network.js";
import { ours } from "../../lab/program.js";
import { balance, ipvsadm } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { FAR_AWAY } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import {
  answered,
  healthy,
  proves,
  silent,
  unansweredForLong,
} from "./case.js";
import { NO_ANSWER, upload, uploadInVain } from "./upload.js";

const URL = "http://192.0.2.101/";
const RULES = `
  -A -t 192.0.2.101:80 -s rr
  -a -t 192.0.2.101:80 -r 198.51.100.11 -i
  -a -t 192.0.2.101:80 -r 198.51.100.12 -i`;
const ONE = `
  -A -t 192.0.2.101:80 -s rr
  -a -t 192.0.2.101:80 -r 198.51.100.11 -i`;

suite("doctor finds faults of tunneling", () => {
  const site = siteOf(FAR_AWAY, {
    real1: { http: [80] },
    real2: { http: [80] },
  });
  before(() => {
    for (const [host, number] of [
      ["real1", 11],
      ["real2", 12],
    ] as const)
      site.network.sh(
        host,
        `ip link add tunnel type ipip local 198.51.100.${number} remote 192.0.2.1; ip link set tunnel up`,
      );
  });

  healthy(site, RULES, (at) => answered(at, URL), "tunnels");

  proves(site, {
    id: "direct-via-router",
    subject: "198.51.100.11:80 of tcp/192.0.2.101:80",
    seen: /^it has -g, and the route to it goes through 192\.0\.2\.2 on front$/,
    rules: ONE,
    url: URL,
    fault: async () => {
      await ipvsadm("-e -t 192.0.2.101:80 -r 198.51.100.11 -g");
    },
    repair: async () => {
      await ipvsadm("-e -t 192.0.2.101:80 -r 198.51.100.11 -i");
    },
  });

  proves(site, {
    id: "tunnel-unanswered",
    subject: "198.51.100.11:80 of tcp/192.0.2.101:80",
    evidence:
      /^counters of 198\.51\.100\.11:80 since it was added: [1-9]\d* packets out; .* unpacks protocol 4 \(IP in IP\), a firewall rejects it, or a router does not reach the server$/m,
    rules: ONE,
    url: URL,
    fault: () => void site.network.sh("real1", "ip link set tunnel down"),
    fails: () => unansweredForLong(site, URL),
    machines: { "real server 198.51.100.11": "real1" },
    there: "no-decapsulation",
    lastly: () =>
      void site.network.sh(
        "real1",
        "ip link set tunl0 down; ip link set tunnel up",
      ),
  });

  proves(site, {
    id: "tunnel-unanswered",
    name: "a firewall on the server drops the tunnel's packets",
    skip: without("iptables-legacy", "iptables"),
    rules: ONE,
    url: URL,
    fault: () =>
      void site.network.sh("real1", "iptables-legacy -A INPUT -p 4 -j DROP"),
    fails: () => unansweredForLong(site, URL),
    machines: { "real server 198.51.100.11": "real1" },
    there: "server-firewall-blocks",
    lastly: () => void site.network.sh("real1", "iptables-legacy -F"),
  });

  proves(site, {
    id: "firewall-blocks",
    name: "the director's OUTPUT drops the tunnel's packets",
    skip: without("iptables-legacy", "iptables"),
    rules: ONE,
    url: URL,
    seen: /drops the tunnel's packets to 198\.51\.100\.11$/,
    fault: () =>
      void site.network.sh(DIRECTOR, "iptables-legacy -A OUTPUT -p 4 -j DROP"),
    lastly: () => void site.network.sh(DIRECTOR, "iptables-legacy -F"),
  });

  /** Packets leave the client as small as an Ethernet would have them. */
  const likeEthernet = () =>
    void site.network.sh("client", "ip link set front gso_max_segs 1");

  const worksLarge = async () => {
    await answered(site, URL);
    assert.equal(upload(site, URL, 30), "200");
  };

  const failsLarge = async () => {
    await answered(site, URL);
    site.network.sh("client", "ip route flush cache");
    assert.match(upload(site, URL, 3), NO_ANSWER);
  };

  const failsUnheard = async () => {
    await answered(site, URL);
    site.network.sh("client", "ip route flush cache");
    uploadInVain(site, URL);
  };

  proves(site, {
    id: "tunnel-fragments",
    skip: without("iptables-legacy", "iptables"),
    rules: ONE,
    prepare() {
      likeEthernet();
      site.network.sh("router", "iptables-legacy -A FORWARD -f -j DROP");
    },
    works: worksLarge,
    fault: () =>
      void site.network.sh(DIRECTOR, "sysctl -w net.ipv4.vs.pmtu_disc=0"),
    fails: failsLarge,
    lastly() {
      site.network.sh("router", "iptables-legacy -F FORWARD");
      site.network.sh(DIRECTOR, "sysctl -w net.ipv4.vs.pmtu_disc=1");
    },
  });

  const director = (command: string) => site.network.sh(DIRECTOR, command);
  const openFirewall = () =>
    void director(
      "iptables-legacy -F; iptables-legacy -t mangle -F; iptables-legacy -t raw -F",
    );

  proves(site, {
    id: "too-big-message-blocked",
    name: "OUTPUT drops all ICMP",
    subject: "tcp/192.0.2.101:80",
    seen: /^rule 1 of chain OUTPUT \(iptables-legacy, table filter\), "-p icmp -j DROP", [1-9]\d* packets?, drops ICMP messages fragmentation needed to clients$/,
    evidence:
      /^packets of up to 1480 bytes fit into the tunnel to 198\.51\.100\.11$\n^MTU 1500 of front, less 20 for the header of the tunnel; clients come in by front with MTU 1500$\n^the kernel has made [1-9]\d* messages destination unreachable .* have [3-5]\d\d bytes on average/m,
    skip: without("iptables-legacy", "iptables"),
    rules: ONE,
    prepare: likeEthernet,
    works: worksLarge,
    fault: () => void director("iptables-legacy -A OUTPUT -p icmp -j DROP"),
    fails: failsUnheard,
    lastly: openFirewall,
  });

  proves(site, {
    id: "too-big-message-blocked",
    name: "OUTPUT accepts only ICMP that is related to a connection",
    seen: /^rule 3 of chain OUTPUT \(iptables-legacy, table filter\), "-p icmp -j REJECT .*", [1-9]\d* packets?, rejects ICMP messages/,
    evidence: /^net\.ipv4\.vs\.conntrack is 0, .* untracked/m,
    skip: without("iptables-legacy", "iptables"),
    rules: ONE,
    prepare: likeEthernet,
    works: worksLarge,
    fault() {
      for (const words of [
        "-m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
        "-p icmp --icmp-type echo-reply -j ACCEPT",
        "-p icmp -j REJECT",
      ])
        director(`iptables-legacy -A OUTPUT ${words}`);
    },
    fails: failsUnheard,
    lastly: openFirewall,
  });

  proves(site, {
    id: "too-big-message-blocked",
    name: "mangle drops it in POSTROUTING",
    seen: /^rule 1 of chain POSTROUTING \(iptables-legacy, table mangle\), /,
    skip: without("iptables-legacy", "iptables"),
    rules: ONE,
    prepare: likeEthernet,
    works: worksLarge,
    fault: () =>
      void director("iptables-legacy -t mangle -A POSTROUTING -p icmp -j DROP"),
    fails: failsUnheard,
    lastly: openFirewall,
  });

  proves(site, {
    id: "too-big-message-would-be-blocked",
    name: "before a client sends a large packet",
    skip: without("iptables-legacy", "iptables"),
    rules: ONE,
    prepare: likeEthernet,
    works: worksLarge,
    fault: () =>
      void director(
        "iptables-legacy -t raw -A OUTPUT -p icmp --icmp-type 3 -j DROP",
      ),
    // The client knows the size that fits from its last request.
    fails: () => answered(site, URL),
    lastly: openFirewall,
  });

  test(
    "doctor finds nothing: OUTPUT lets fragmentation needed pass, and no other ICMP",
    { skip: without("iptables-legacy", "iptables") },
    async () => {
      likeEthernet();
      director("iptables-legacy -A INPUT -p icmp --icmp-type 8 -j DROP");
      director(
        "iptables-legacy -A OUTPUT -p icmp --icmp-type fragmentation-needed -j ACCEPT",
      );
      director("iptables-legacy -A OUTPUT -p icmp -j DROP");
      try {
        await balance(ONE);
        site.network.sh("client", "ip route flush cache");
        await worksLarge();
        await silent();
      } finally {
        openFirewall();
      }
    },
  );

  test(
    "doctor --client tells which packets fit, and names the rule that hides it from the client",
    { skip: without("iptables-legacy", "iptables") },
    async () => {
      await balance(ONE);
      const steps = async () => {
        const line = "doctor --client 192.0.2.10 --for 1s -o json";
        const { stdout } = await ours(line.split(" "));
        const trace = JSON.parse(stdout) as {
          steps: { step: string; state: string; text: string }[];
        };
        return trace.steps
          .filter(({ step }) => step === "firewall" || step === "size")
          .map(({ step, state, text }) => `${step} ${state}: ${text}`);
      };
      assert.deepEqual(await steps(), [
        "firewall ok: no rule on the director stops its packets",
        "size ok: packets of up to 1480 bytes fit into the tunnel to 198.51.100.11; for larger ones the director sends the client ICMP messages fragmentation needed",
      ]);
      director("iptables-legacy -A OUTPUT -p icmp -j DROP");
      try {
        const [step, ...others] = await steps();
        assert.deepEqual(others, []);
        assert.match(
          step ?? "",
          /^firewall unknown: rule 1 of chain OUTPUT .*, drops ICMP messages fragmentation needed: of the client's packets, up to 1480 bytes fit into the tunnel to 198\.51\.100\.11, and the client does not learn that larger ones are dropped; 'ipvsadm doctor' prints the fix$/,
        );
      } finally {
        openFirewall();
      }
    },
  );
});
