import { suite } from "node:test";
import { DIRECTOR } from "../../lab/network.js";
import { ipvsadm } from "../../traffic/ipvsadm.js";
import { BEHIND_DIRECTOR } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import { proves } from "./case.js";

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

suite("doctor of a director that masquerades", () => {
  const site = siteOf(BEHIND_DIRECTOR, {
    real1: { http: [8080] },
    real2: { http: [8080] },
  });
  const director = (command: string) => site.network.sh(DIRECTOR, command);

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
});
