import { suite } from "node:test";
import { DIRECTOR } from "../../lab/network.js";
import { ipvsadm } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { BEHIND_DIRECTOR } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import { answered, healthy, proves, unansweredForLong } from "./case.js";

const RULES = `
  -A -t 192.0.2.100:80 -s rr
  -a -t 192.0.2.100:80 -r 198.51.100.11:8080 -m
  -a -t 192.0.2.100:80 -r 198.51.100.12:8080 -m`;
const URL = "http://192.0.2.100/";
const RULES6 = `
  -A -t [2001:db8:1::100]:80 -s rr
  -a -t [2001:db8:1::100]:80 -r [2001:db8:2::11]:8080 -m
  -a -t [2001:db8:1::100]:80 -r [2001:db8:2::12]:8080 -m`;
const URL6 = "http://[2001:db8:1::100]/";

const MARKED =
  "PREROUTING -d 192.0.2.100 -p tcp --dport 80 -j MARK --set-mark 7";

suite("doctor of a director that masquerades", () => {
  const site = siteOf(BEHIND_DIRECTOR, {
    real1: { http: [8080] },
    real2: { http: [8080] },
  });
  const director = (command: string) => site.network.sh(DIRECTOR, command);

  healthy(site, RULES, (at) => answered(at, URL), "IPv4");
  healthy(site, RULES6, (at) => answered(at, URL6), "IPv6");
  healthy(
    site,
    `-A -f 7 -s rr
     -a -f 7 -r 198.51.100.11:8080 -m
     -a -f 7 -r 198.51.100.12:8080 -m`,
    async (at) => {
      director(`iptables-legacy -t mangle -A ${MARKED}`);
      await answered(at, URL);
      director(`iptables-legacy -t mangle -D ${MARKED}`);
    },
    "firewall mark",
    without("iptables-legacy", "iptables"),
  );

  proves(site, {
    id: "forwarding-off",
    subject: "IPv4",
    rules: RULES,
    url: URL,
    fault: () => void director("sysctl -w net.ipv4.ip_forward=0"),
  });

  proves(site, {
    id: "forwarding-off",
    subject: "IPv6",
    rules: RULES6,
    url: URL6,
    fault: () => void director("sysctl -w net.ipv6.conf.all.forwarding=0"),
  });

  proves(site, {
    id: "no-servers",
    subject: "tcp/192.0.2.100:80",
    rules: RULES,
    url: URL,
    fault: async () => {
      await ipvsadm("-d -t 192.0.2.100:80 -r 198.51.100.11:8080");
      await ipvsadm("-d -t 192.0.2.100:80 -r 198.51.100.12:8080");
    },
    words: { SERVER: "198.51.100.11:8080 -m" },
  });

  proves(site, {
    id: "all-drained",
    subject: "tcp/192.0.2.100:80",
    rules: RULES,
    url: URL,
    fault: async () => {
      await ipvsadm("-e -t 192.0.2.100:80 -r 198.51.100.11:8080 -m -w 0");
      await ipvsadm("-e -t 192.0.2.100:80 -r 198.51.100.12:8080 -m -w 0");
    },
  });

  proves(site, {
    id: "all-overloaded",
    subject: "tcp/192.0.2.100:80",
    rules: RULES,
    url: URL,
    fault: async () => {
      await ipvsadm("-e -t 192.0.2.100:80 -r 198.51.100.11:8080 -m -x 4");
      await ipvsadm("-e -t 192.0.2.100:80 -r 198.51.100.12:8080 -m -x 4");
      // Connections that have ended count until they are forgotten.
      await site.client.get(URL, { count: 10 });
    },
  });

  proves(site, {
    id: "vip-not-local",
    subject: "192.0.2.100",
    rules: RULES,
    url: URL,
    fault: () => void director("ip address del 192.0.2.100/32 dev front"),
  });

  proves(site, {
    id: "vip-not-local",
    subject: "2001:db8:1::100",
    rules: RULES6,
    url: URL6,
    fault: () => void director("ip address del 2001:db8:1::100/128 dev front"),
  });

  proves(site, {
    id: "server-unroutable",
    subject: "198.51.100.12:8080 of tcp/192.0.2.100:80",
    rules: RULES,
    url: URL,
    fault: () => void director("ip route add unreachable 198.51.100.12"),
    lastly: () => void director("ip route del unreachable 198.51.100.12"),
  });

  proves(site, {
    id: "server-silent",
    subject: "[2001:db8:2::12]:8080 of tcp/[2001:db8:1::100]:80",
    rules: RULES6,
    url: URL6,
    fault: () => void site.network.sh("real2", "ip link set back down"),
    lastly: () =>
      void site.network.sh(
        "real2",
        "ip link set back up; ip address replace 2001:db8:2::12/64 dev back nodad; ip route replace default via 198.51.100.1; ip route replace 2001:db8:1::/64 via 2001:db8:2::1",
      ),
  });

  proves(site, {
    id: "nat-unanswered",
    subject: "198.51.100.12:8080 of tcp/192.0.2.100:80",
    rules: `
      -A -t 192.0.2.100:80 -s rr
      -a -t 192.0.2.100:80 -r 198.51.100.12:8080 -m`,
    url: URL,
    fault() {
      // Another router, which gets nowhere with answers that nobody asked for.
      site.network.sh("real3", "sysctl -w net.ipv4.ip_forward=0");
      site.network.sh("real2", "ip route replace default via 198.51.100.13");
    },
    fails: () => unansweredForLong(site, URL),
    machines: { "real server 198.51.100.12": "real2" },
  });
});
