import assert from "node:assert/strict";
import { suite } from "node:test";
import { isAnswer } from "../../lab/http.js";
import { DIRECTOR } from "../../lab/network.js";
import { balance } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import {
  DIRECT_BEHIND_ROUTER,
  ROUTED_VIP as VIP,
} from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import { proves } from "./case.js";

const URL = `http://${VIP}/`;
const RULES = `
  -A -t ${VIP}:80 -s rr
  -a -t ${VIP}:80 -r 203.0.113.11 -g
  -a -t ${VIP}:80 -r 203.0.113.12 -g`;

suite("doctor on a director with direct routing and a router", () => {
  const site = siteOf(DIRECT_BEHIND_ROUTER, {
    real1: { http: [80] },
    real2: { http: [80] },
  });
  const director = (command: string) => site.network.sh(DIRECTOR, command);

  proves(site, {
    id: "vip-unanswered",
    subject: VIP,
    seen: /^lan is in its network and does not answer for it: lo has the address, and arp_ignore is 1 there/,
    rules: RULES,
    url: URL,
    async fault() {
      director(
        `ip address del ${VIP}/32 dev lan; ip address add ${VIP}/32 dev lo; sysctl -w net.ipv4.conf.all.arp_ignore=1`,
      );
      site.network.sh("router", "ip neigh flush all");
      // A new service has got no packet.
      await balance(RULES);
    },
    lastly: () =>
      void director(
        `ip address del ${VIP}/32 dev lo; ip address replace ${VIP}/32 dev lan; sysctl -w net.ipv4.conf.all.arp_ignore=0`,
      ),
  });

  const FORGET =
    "ip route replace default via 203.0.113.254; ip neigh flush all";
  proves(site, {
    id: "asked-from-vip",
    subject: `${VIP} on lan`,
    seen: /^this machine asks for real servers from 203\.0\.113\.100\/24, the first address in their network$/,
    evidence:
      /^203\.0\.113\.11 does not answer\n203\.0\.113\.12 does not answer$/,
    rules: RULES,
    url: URL,
    fault: () =>
      void director(
        `ip address del 203.0.113.1/24 dev lan; ip address del ${VIP}/32 dev lan; ip address add ${VIP}/24 dev lan; ip address add 203.0.113.1/24 dev lan; ${FORGET}`,
      ),
    lastly: () =>
      void director(
        `ip address flush dev lan scope global; ip address add 203.0.113.1/24 dev lan; ip address add ${VIP}/32 dev lan; ${FORGET}`,
      ),
  });

  /** Has the client ask until the director has dropped a message of the router, and no answer was whole meanwhile. */
  async function failsLarge(): Promise<void> {
    const dropped = () =>
      /-p icmp -c [1-9]/.test(director("iptables-legacy -vS INPUT"));
    for (let attempts = 0; attempts < 40 && !dropped(); attempts++) {
      const replies = await site.client.get(URL, { patienceSeconds: 2 });
      assert.ok(!replies.some(isAnswer), JSON.stringify(replies));
    }
    assert.ok(dropped());
  }

  proves(site, {
    id: "too-big-answer-blocked",
    subject: `tcp/${VIP}:80`,
    seen: /^rule 2 of chain INPUT \(iptables-legacy, table filter\), "-p icmp -j DROP", [1-9]\d* packets?, drops ICMP messages fragmentation needed to 203\.0\.113\.100$/,
    evidence:
      /^the packets that it has dropped have [4-6]\d\d bytes on average: .*\nnet\.ipv4\.vs\.conntrack is 0, /,
    skip: without("iptables-legacy", "iptables"),
    rules: RULES,
    url: URL,
    prepare: () => void site.network.sh("router", "ip link set front mtu 1300"),
    fault() {
      director(
        "iptables-legacy -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; iptables-legacy -A INPUT -p icmp -j DROP",
      );
      for (const host of ["real1", "real2"])
        site.network.sh(host, "ip route flush cache");
    },
    fails: failsLarge,
    lastly() {
      director("iptables-legacy -F INPUT");
      site.network.sh("router", "ip link set front mtu 1500");
    },
  });
});
