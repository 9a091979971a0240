import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { DIRECTOR, type NetworkPlan } from "../../lab/network.js";
import { isAnswer } from "../../lab/http.js";
import { ours } from "../../lab/program.js";
import { balance } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { siteOf } from "../../traffic/site.js";
import { proves as provesOfDirector, unansweredForLong } from "./case.js";
import { startResident } from "./resident.js";
import { describedSetting, proverOf, shared } from "./real-server-case.js";

const VIP = "192.0.2.101";
const URL = `http://${VIP}/`;
const RULES = `
  -A -t ${VIP}:80 -s rr
  -a -t ${VIP}:80 -r 198.51.100.11 -i
  -a -t ${VIP}:80 -r 198.51.100.12 -i`;
const GRE_RULES = RULES.replace("11 -i", "11 -i --tun-type gre");
const GUE_PORT = 6080;
const GUE_RULES = RULES.replace(
  "11 -i",
  `11 -i --tun-type gue --tun-port ${GUE_PORT}`,
);
const GUE_ONE = `
  -A -t ${VIP}:80 -s rr
  -a -t ${VIP}:80 -r 198.51.100.11 -i --tun-type gue --tun-port ${GUE_PORT}`;
const VIP6 = "2001:db8:1::101";
const RULES6 = `
  -A -t [${VIP6}]:80 -s rr
  -a -t [${VIP6}]:80 -r [2001:db8:2::11]:80 -i
  -a -t [${VIP6}]:80 -r [2001:db8:2::12]:80 -i`;

/** What `doctor --client -o json` prints. */
interface Trace {
  readonly stopsAt: { readonly step: string } | null;
  readonly steps: readonly {
    readonly step: string;
    readonly state: string;
    readonly text: string;
  }[];
  readonly next: readonly { readonly command: string }[];
}

/** Real servers behind a router, as they are where tunnels are needed. */
const PLAN: NetworkPlan = {
  client: {
    addresses: {
      front: [
        "192.0.2.10/24",
        "192.0.2.77/24",
        "192.0.2.78/24",
        "2001:db8:1::10/64",
      ],
    },
  },
  [DIRECTOR]: {
    addresses: {
      front: ["192.0.2.1/24", `${VIP}/32`, "2001:db8:1::1/64", `${VIP6}/128`],
    },
    routes: [
      "198.51.100.0/24 via 192.0.2.2",
      "2001:db8:2::/64 via 2001:db8:1::2",
    ],
  },
  router: {
    addresses: {
      front: ["192.0.2.2/24", "2001:db8:1::2/64"],
      far: ["198.51.100.1/24", "2001:db8:2::1/64"],
    },
    sysctls: {
      "net.ipv4.ip_forward": 1,
      "net.ipv6.conf.all.forwarding": 1,
      "net.ipv4.conf.all.rp_filter": 0,
      "net.ipv4.conf.front.rp_filter": 0,
      "net.ipv4.conf.far.rp_filter": 0,
    },
  },
  real1: farAway(11),
  real2: farAway(12),
};

function farAway(number: number) {
  return {
    addresses: {
      far: [`198.51.100.${number}/24`, `2001:db8:2::${number}/64`],
      lo: [`${VIP}/32`, `${VIP6}/128`],
    },
    routes: ["default via 198.51.100.1", "default via 2001:db8:2::1"],
    sysctls: {
      "net.ipv4.conf.all.rp_filter": 0,
      "net.ipv4.conf.default.rp_filter": 0,
      "net.ipv4.conf.far.rp_filter": 0,
    },
  };
}

suite("doctor finds faults of a real server behind a tunnel", () => {
  const site = siteOf(PLAN, { real1: { http: [80] }, real2: { http: [80] } });
  const proves = proverOf(site);
  const WORDS = `--real-server ${VIP}:80 --method tunnel --director 192.0.2.1 --client 192.0.2.10`;
  before(() => {
    const modules =
      "modprobe ipip; modprobe sit; modprobe ip_gre; modprobe ip6_tunnel; modprobe fou";
    site.network.sh(DIRECTOR, modules);
    // Else it is the virtual address from which the director sends its tunnels.
    site.network.sh(
      DIRECTOR,
      `ip address change ${VIP6}/128 dev front preferred_lft 0`,
    );
    site.network.sh("real1", `ip fou add port ${GUE_PORT} gue`);
    for (const host of ["real1", "real2"])
      site.network.sh(
        host,
        "ip -6 tunnel change ip6tnl0 mode any; for link in tunl0 sit0 gre0 ip6tnl0; do ip link set $link up; done; sysctl -w net.ipv4.conf.tunl0.rp_filter=0 net.ipv4.conf.gre0.rp_filter=0 net.ipv4.conf.ip6tnl0.rp_filter=0 net.ipv4.conf.far.accept_local=1",
      );
  });

  /** Sets from which of its addresses the director sends to the real servers. */
  function sendFrom(source: string): void {
    site.network.sh(
      DIRECTOR,
      `ip route replace 198.51.100.0/24 via 192.0.2.2 src ${source}`,
    );
  }

  for (const [name, rules, words, protocol] of [
    ["IP in IP", RULES, WORDS, "-p 4"],
    ["GRE", GRE_RULES, WORDS.replace("tunnel", "gre"), "-p gre"],
    [
      "GUE",
      GUE_RULES,
      WORDS.replace("tunnel", "gue"),
      `-p udp --dport ${GUE_PORT}`,
    ],
  ] as const)
    proves({
      id: "server-firewall-blocks",
      name: `${name}: INPUT drops the tunnel's packets`,
      skip: without("iptables-legacy", "iptables"),
      seen: /^rule 1 of chain INPUT .* packets?, drops them$/,
      subject: "the tunnel's packets from 192.0.2.1",
      rules,
      words,
      url: URL,
      fault: `iptables-legacy -A INPUT ${protocol} -j DROP`,
      lastly: () => void site.network.sh("real1", "iptables-legacy -F"),
    });

  proves({
    id: "no-decapsulation",
    name: "the interface is down",
    subject: "IPv4",
    seen: /^tunl0 is down$/,
    rules: RULES,
    words: WORDS,
    url: URL,
    fault: "ip link set tunl0 down",
  });

  proves({
    id: "no-decapsulation",
    name: "the only one is for another director",
    seen: /tunnel7 is for packets from 192\.0\.2\.77, and the director is 192\.0\.2\.1$/,
    rules: RULES,
    words: WORDS,
    url: URL,
    fault:
      "ip link set tunl0 down; ip link add tunnel7 type ipip local 198.51.100.11 remote 192.0.2.77; ip link set tunnel7 up; sysctl -w net.ipv4.conf.tunnel7.rp_filter=0",
    lastly: () =>
      void site.network.sh(
        "real1",
        "ip link del tunnel7; ip link set tunl0 up",
      ),
  });

  proves({
    id: "no-decapsulation",
    name: "GRE",
    seen: /^gre0 is down$/,
    rules: GRE_RULES,
    words: WORDS.replace("tunnel", "gre"),
    url: URL,
    fault: "ip link set gre0 down",
  });

  const GRE7 = "ip link add gre7 type gre local 198.51.100.11 remote 192.0.2.1";
  const REMOVE7 = () =>
    void site.network.sh("real1", "ip link del gre7; ip link set gre0 up");

  proves({
    id: "no-decapsulation",
    name: "GRE with a key",
    seen: /gre7 takes only packets with a key, which IPVS does not send$/,
    rules: GRE_RULES,
    words: WORDS.replace("tunnel", "gre"),
    url: URL,
    fault: `ip link set gre0 down; ${GRE7} key 42; ip link set gre7 up; sysctl -w net.ipv4.conf.gre7.rp_filter=0`,
    lastly: REMOVE7,
  });

  proves({
    id: "no-decapsulation",
    name: "GRE with checksums",
    certainty: "likely",
    seen: /^gre7 takes only packets with checksums, and the director sends none/,
    rules: GRE_RULES,
    words: WORDS.replace("tunnel", "gre"),
    url: URL,
    fault: `${GRE7} icsum; ip link set gre7 up; sysctl -w net.ipv4.conf.gre7.rp_filter=0`,
    lastly: REMOVE7,
  });

  proves({
    id: "no-gue-port",
    subject: "IPv4",
    rules: GUE_RULES,
    words: WORDS.replace("tunnel", "gue"),
    url: URL,
    fault: `ip fou del port ${GUE_PORT}`,
    fills: { PORT: String(GUE_PORT) },
  });

  const OTHER_PORT = 5555;
  const GUE_WORDS = `${WORDS.replace("tunnel", "gue")} --tun-port ${GUE_PORT}`;
  const changePort = `ip fou del port ${GUE_PORT}; ip fou add port ${OTHER_PORT} gue`;
  const changePortBack = () =>
    void site.network.sh(
      "real1",
      `ip fou del port ${OTHER_PORT}; ip fou show | grep -q "port ${GUE_PORT} gue" || ip fou add port ${GUE_PORT} gue`,
    );

  proves({
    id: "no-gue-port",
    name: "the director's port is given",
    rules: GUE_RULES,
    words: GUE_WORDS,
    url: URL,
    fault: `ip fou del port ${GUE_PORT}`,
  });

  proves({
    id: "gue-port-differs",
    subject: "IPv4",
    seen: /^the director sends to UDP port 6080, and the kernel accepts GUE at 5555$/,
    evidence:
      /with -e in place of -a and with --tun-port 5555, because -e resets what it does not name$/,
    rules: GUE_RULES,
    words: GUE_WORDS,
    url: URL,
    fault: changePort,
    lastly: changePortBack,
  });

  test("doctor --real-server says that the port of GUE was not compared, unless it is given", async () => {
    const real1 = startResident("real1");
    try {
      const compared = async (words: string) => {
        const line = ["doctor", ...words.split(" "), "-o", "json"];
        const { stdout } = await real1.run(line);
        const { notChecked } = JSON.parse(stdout) as { notChecked: string[] };
        return notChecked.filter((text) => text.includes("GUE"));
      };
      assert.deepEqual(await compared(WORDS.replace("tunnel", "gue")), [
        `whether the director sends GUE to a port where this kernel accepts it: ${GUE_PORT} (name the port of the director with --tun-port)`,
      ]);
      assert.deepEqual(await compared(GUE_WORDS), []);
    } finally {
      await real1.stop();
    }
  });

  proves({
    id: "gue-port-differs",
    name: "the port takes FOU without a header",
    seen: /; at 6080 it accepts FOU, which has no header of GUE$/,
    rules: GUE_RULES,
    words: GUE_WORDS,
    url: URL,
    fault: `${changePort}; ip fou add port ${GUE_PORT} ipproto 4`,
    lastly: changePortBack,
  });

  /** Follows a client without older connections while it makes requests that fail. */
  async function traceFailing(from: string): Promise<Trace> {
    let follows = true as boolean;
    const line = `doctor --client ${from} --for 6s -o json`.split(" ");
    const doctor = ours(line).finally(() => (follows = false));
    while (follows) {
      const replies = await site.client.get(URL, { from, patienceSeconds: 1 });
      assert.ok(!replies.some(isAnswer), JSON.stringify(replies));
    }
    const { stdout, stderr, status } = await doctor;
    assert.equal(stderr, "");
    assert.equal(status, 1);
    return JSON.parse(stdout) as Trace;
  }

  provesOfDirector(site, {
    id: "tunnel-unanswered",
    name: "the real server accepts GUE at another port",
    rules: GUE_ONE,
    url: URL,
    evidence:
      /^counters of 198\.51\.100\.11:80 since it was added: [1-9]\d* packets out; answers do not pass the director, so packets out are ICMP errors .* unpacks UDP port 6080 \(GUE\), a firewall rejects it, or a router does not reach the server$/m,
    fault: () => void site.network.sh("real1", changePort),
    async fails() {
      const { stopsAt, steps, next } = await traceFailing("192.0.2.77");
      // Packets tell it if the client has sent its SYN again.
      assert.match(stopsAt?.step ?? "", /^(entries|packets)$/);
      const counters = steps.find(({ step }) => step === "counters");
      assert.equal(counters?.state, "unknown");
      assert.match(
        counters.text,
        /[1-9]\d* packets in, [1-9]\d* out; .* ICMP errors /,
      );
      const plain = next.map((one) => ({
        ...one,
        command: one.command.replace(/ --for 20s$/, ""),
      }));
      assert.deepEqual(plain, [
        {
          command: `ipvsadm doctor --real-server tcp/${VIP}:80 --method gue --tun-port ${GUE_PORT} --director 192.0.2.1 --client 192.0.2.77`,
          on: "real server 198.51.100.11",
          effect: null,
        },
      ]);
    },
    machines: { "real server 198.51.100.11": "real1" },
    there: "gue-port-differs",
    lastly: changePortBack,
  });

  // What is dropped leaves no trace in the counters.
  provesOfDirector(site, {
    id: "tunnel-unanswered",
    name: "a firewall on the server drops GUE",
    skip: without("iptables-legacy", "iptables"),
    rules: GUE_ONE,
    url: URL,
    fault: () =>
      void site.network.sh(
        "real1",
        `iptables-legacy -A INPUT -p udp --dport ${GUE_PORT} -j DROP`,
      ),
    async fails() {
      const { steps } = await traceFailing("192.0.2.78");
      const counters = steps.find(({ step }) => step === "counters");
      assert.equal(counters?.state, "ok");
      assert.match(
        counters.text,
        /packets in \(answers do not pass the director\)$/,
      );
      const { stdout } = await ours("doctor -o json".split(" "));
      const { findings } = JSON.parse(stdout) as {
        findings: { evidence: string[]; cure: string }[];
      };
      const [first] = findings;
      assert.ok(first);
      assert.doesNotMatch(first.evidence.join(), /ICMP/);
      assert.match(first.cure, / pass UDP port 6080 \(GUE\)\. /);
    },
    machines: { "real server 198.51.100.11": "real1" },
    there: "server-firewall-blocks",
    lastly: () => void site.network.sh("real1", "iptables-legacy -F"),
  });

  proves({
    id: "no-decapsulation",
    name: "IPv6",
    subject: "IPv6",
    seen: /^ip6tnl0 is down$/,
    rules: RULES6,
    words: `--real-server [${VIP6}]:80 --method tunnel --director 2001:db8:1::1 --client 2001:db8:1::10`,
    url: `http://[${VIP6}]/`,
    fault: "ip link set ip6tnl0 down",
  });

  const skipped = without("iptables-legacy", "iptables");
  proves({
    id: "server-firewall-blocks",
    name: "a rule about the way back drops what comes out of the tunnel, with IPv6",
    skip: skipped,
    subject: `requests to [${VIP6}]:80`,
    seen: /^rule 1 of chain PREROUTING \(ip6tables(-legacy)?, table raw\), "-m rpfilter --validmark --invert -j DROP", \d+ packets?, drops them$/,
    evidence: /these come in by ip6tnl0, and answers leave by far$/,
    rules: RULES6,
    words: `--real-server [${VIP6}]:80 --method tunnel --director 2001:db8:1::1 --client 2001:db8:1::10`,
    url: `http://[${VIP6}]/`,
    fault:
      "ip6tables-legacy -t raw -A PREROUTING -m rpfilter --validmark --invert -j DROP",
    lastly: () =>
      void site.network.sh("real1", "ip6tables-legacy -t raw -F PREROUTING"),
  });
  proves({
    id: "server-firewall-blocks",
    name: "a rule about the way back drops what comes out of the tunnel",
    skip: skipped,
    evidence: /these come in by tunl0, and answers leave by far$/,
    rules: RULES,
    words: WORDS,
    url: URL,
    healthy: () => {
      site.network.sh(
        "real1",
        "iptables-legacy -t raw -A PREROUTING -m rpfilter --loose --invert -j DROP",
      );
      return Promise.resolve();
    },
    fault: "iptables-legacy -t raw -A PREROUTING -m rpfilter --invert -j DROP",
    lastly: () =>
      void site.network.sh("real1", "iptables-legacy -t raw -F PREROUTING"),
  });

  // The family outside is that of the real server's address, and not that of the virtual address.
  proves({
    id: "no-decapsulation",
    name: "IPv6 in IPv4",
    subject: "IPv6 in IPv4",
    seen: /^sit0 is down$/,
    rules: `
      -A -t [${VIP6}]:80 -s rr
      -a -t [${VIP6}]:80 -r 198.51.100.11:80 -i
      -a -t [${VIP6}]:80 -r 198.51.100.12:80 -i`,
    words: `--real-server [${VIP6}]:80 --method tunnel --director 192.0.2.1 --client 2001:db8:1::10`,
    url: `http://[${VIP6}]/`,
    fault: "ip link set sit0 down",
  });

  for (const [name, seen, fault] of [
    ["the interface is down", /^ip6tnl0 is down$/, "ip link set ip6tnl0 down"],
    [
      "the interface takes only IPv6 packets",
      /^ip6tnl0 takes no IPv4 packets/,
      "ip -6 tunnel change ip6tnl0 mode ip6ip6",
    ],
  ] as const)
    proves({
      id: "no-decapsulation",
      name: `IPv4 in IPv6: ${name}`,
      subject: "IPv4 in IPv6",
      seen,
      rules: `
        -A -t ${VIP}:80 -s rr
        -a -t ${VIP}:80 -r [2001:db8:2::11]:80 -i
        -a -t ${VIP}:80 -r [2001:db8:2::12]:80 -i`,
      words: `--real-server ${VIP}:80 --method tunnel --director 2001:db8:1::1 --client 192.0.2.10`,
      url: URL,
      fault,
    });

  proves({
    id: "server-firewall-blocks",
    name: "IPv6 in IPv4: INPUT drops the tunnel's packets",
    skip: without("iptables-legacy", "iptables"),
    subject: "the tunnel's packets from 192.0.2.1",
    rules: `
      -A -t [${VIP6}]:80 -s rr
      -a -t [${VIP6}]:80 -r 198.51.100.11:80 -i
      -a -t [${VIP6}]:80 -r 198.51.100.12:80 -i`,
    words: `--real-server [${VIP6}]:80 --method tunnel --director 192.0.2.1 --client 2001:db8:1::10`,
    url: `http://[${VIP6}]/`,
    fault: "iptables-legacy -A INPUT -p 41 -j DROP",
    lastly: () => void site.network.sh("real1", "iptables-legacy -F"),
  });

  proves({
    id: "reverse-path",
    name: "the larger of two settings",
    subject: "tunl0",
    seen: /^rp_filter is 1 there \(the larger of all and tunl0\)/,
    rules: RULES,
    words: WORDS,
    url: URL,
    fault: "sysctl -w net.ipv4.conf.all.rp_filter=1",
    lastly: () =>
      void site.network.sh(
        "real1",
        `sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.tunl0.rp_filter=0; ip address del ${VIP}/32 dev tunl0`,
      ),
  });

  proves({
    id: "reverse-path",
    name: "the loose level, and no address",
    subject: "tunl0",
    seen: /^rp_filter is 2 there .*, it has no address of its own, and /,
    rules: RULES,
    words: WORDS,
    url: URL,
    fault: "sysctl -w net.ipv4.conf.tunl0.rp_filter=2",
    lastly: () =>
      void site.network.sh(
        "real1",
        `sysctl -w net.ipv4.conf.tunl0.rp_filter=0; ip address del ${VIP}/32 dev tunl0`,
      ),
  });

  // Without --method, each tunnel that is up may be the director's.
  const WORDS46 = `--real-server [${VIP6}]:80 --director 192.0.2.1 --client 2001:db8:1::10`;
  proves({
    id: "server-firewall-blocks",
    name: "IPv6 in IPv4, of which the method is not said",
    skip: without("iptables-legacy", "iptables"),
    subject: "the tunnel's packets from 192.0.2.1",
    certainty: "likely",
    rules: `
      -A -t [${VIP6}]:80 -s rr
      -a -t [${VIP6}]:80 -r 198.51.100.11:80 -i
      -a -t [${VIP6}]:80 -r 198.51.100.12:80 -i`,
    words: WORDS46,
    url: `http://[${VIP6}]/`,
    fault: "iptables-legacy -A INPUT -p 41 -j DROP",
    cure: (finding) => {
      assert.match(finding.cure, /^If the director uses this tunnel, accept /);
      site.network.sh("real1", "iptables-legacy -F");
    },
    lastly: () => void site.network.sh("real1", "iptables-legacy -F"),
  });

  proves({
    id: "reverse-path",
    name: "IPv4 in IPv6, of which the method is not said",
    subject: "ip6tnl0",
    certainty: "likely",
    rules: `
      -A -t ${VIP}:80 -s rr
      -a -t ${VIP}:80 -r [2001:db8:2::11]:80 -i
      -a -t ${VIP}:80 -r [2001:db8:2::12]:80 -i`,
    words: `--real-server ${VIP}:80 --director 2001:db8:1::1 --client 192.0.2.10`,
    url: URL,
    fault: "sysctl -w net.ipv4.conf.ip6tnl0.rp_filter=1",
    cure(finding) {
      site.network.sh("real1", `ip address add ${VIP}/32 dev ip6tnl0`);
      site.network.sh("real1", describedSetting(finding));
    },
    lastly: () =>
      void site.network.sh(
        "real1",
        `sysctl -w net.ipv4.conf.ip6tnl0.rp_filter=0; ip address del ${VIP}/32 dev ip6tnl0`,
      ),
  });

  provesOfDirector(site, {
    id: "tunnel-from-vip",
    subject: VIP6,
    seen: /^it is the source of the tunnel's packets to \[2001:db8:2::11\]:80 of tcp\/\[2001:db8:1::101\]:80, \[2001:db8:2::12\]:80 of /,
    rules: RULES6,
    url: `http://[${VIP6}]/`,
    async fault() {
      site.network.sh(
        DIRECTOR,
        `ip address change ${VIP6}/128 dev front preferred_lft forever valid_lft forever`,
      );
      // IPVS remembers the source for each server.
      await balance(RULES6);
    },
    fails: () => unansweredForLong(site, `http://[${VIP6}]/`),
  });

  proves({
    id: "own-source",
    subject: "far",
    seen: /^accept_local is 0 there, and packets of the director from 192\.0\.2\.101 seem to come from this machine$/,
    rules: RULES,
    words: WORDS.replace("--director 192.0.2.1", `--director ${VIP}`),
    url: URL,
    // The fault is on the director: the source of its tunnels is the virtual address.
    works: async () => {
      sendFrom(VIP);
      await shared(site, URL);
    },
    fault: "sysctl -w net.ipv4.conf.far.accept_local=0",
    lastly: () => {
      sendFrom("192.0.2.1");
    },
  });

  proves({
    id: "no-way-back",
    subject: "192.0.2.10",
    seen: /^the route to it: no route$/,
    rules: RULES,
    words: WORDS,
    url: URL,
    fault: "ip route del default via 198.51.100.1",
    fills: { ROUTER: "198.51.100.1" },
  });
});
