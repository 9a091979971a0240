import { before, suite } from "node:test";
import { ipvsadm } from "../../traffic/ipvsadm.js";
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

suite("doctor of a director that tunnels", () => {
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
    seen: /^it has -g, and the way to it goes over 192\.0\.2\.2 on front$/,
    rules: ONE,
    url: URL,
    fault: async () => {
      await ipvsadm("-e -t 192.0.2.101:80 -r 198.51.100.11 -g");
    },
  });

  proves(site, {
    id: "tunnel-unanswered",
    subject: "198.51.100.11:80 of tcp/192.0.2.101:80",
    rules: ONE,
    url: URL,
    fault: () => void site.network.sh("real1", "ip link set tunnel down"),
    fails: () => unansweredForLong(site, URL),
    machines: { "real server 198.51.100.11": "real1" },
    lastly: () =>
      void site.network.sh(
        "real1",
        "ip link set tunl0 down; ip link set tunnel up",
      ),
  });
});
