import assert from "node:assert/strict";
import { before, suite } from "node:test";
import { DIRECTOR } from "../../lab/network.js";
import { ipvsadm } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { FAR_AWAY } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import { answered, healthy, proves, unansweredForLong } from "./case.js";

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

  /** Has the client send a request of several packets. @param seconds to wait for the answer */
  function upload(seconds: number): string {
    const program = `
      const headers = { filling: "x".repeat(8000) };
      const signal = AbortSignal.timeout(${seconds} * 1000);
      const tell = (what) => { console.log(what); process.exit(); };
      require("http")
        .get("${URL}", { headers, signal }, (response) => tell(response.statusCode))
        .on("error", (error) => tell(error.name));`;
    return site.network
      .sh("client", `${process.execPath} -e '${program}'`)
      .trim();
  }

  proves(site, {
    id: "tunnel-fragments",
    skip: without("iptables-legacy", "iptables"),
    rules: ONE,
    prepare() {
      // Packets leave the client as small as an Ethernet would have them.
      site.network.sh("client", "ip link set front gso_max_segs 1");
      site.network.sh("router", "iptables-legacy -A FORWARD -f -j DROP");
    },
    works: async () => {
      await answered(site, URL);
      assert.equal(upload(30), "200");
    },
    fault: () =>
      void site.network.sh(DIRECTOR, "sysctl -w net.ipv4.vs.pmtu_disc=0"),
    async fails() {
      await answered(site, URL);
      site.network.sh("client", "ip route flush cache");
      assert.match(upload(3), /^(AbortError|TimeoutError)$/);
    },
    lastly() {
      site.network.sh("router", "iptables-legacy -F FORWARD");
      site.network.sh(DIRECTOR, "sysctl -w net.ipv4.vs.pmtu_disc=1");
    },
  });
});
