import assert from "node:assert/strict";
import { suite } from "node:test";
import type { FindingId } from "../../../src/doctor/findings.js";
import { eventually } from "../../lab/eventually.js";
import { DIRECTOR } from "../../lab/network.js";
import { without } from "../../traffic/needs.js";
import { ONE_NETWORK } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import { spread } from "../../traffic/spread.js";
import { answered, healthy, proves, unansweredForLong } from "./case.js";

const RULES = `
  -A -t 203.0.113.100:80 -s rr
  -a -t 203.0.113.100:80 -r 203.0.113.11 -g
  -a -t 203.0.113.100:80 -r 203.0.113.12 -g`;
const URL = "http://203.0.113.100/";

suite("doctor finds faults of direct routing", () => {
  const site = siteOf(ONE_NETWORK, {
    real1: { http: [80] },
    real2: { http: [80] },
  });

  /** Who answers clients that have just asked for the address. */
  async function asked(): Promise<Record<string, number>> {
    site.network.sh("client", "ip neigh flush to 203.0.113.100");
    return spread(await site.client.get(URL, { count: 4 }));
  }

  healthy(site, RULES, (at) => answered(at, URL), "IPv4");

  proves(site, {
    id: "vip-answered-elsewhere",
    subject: "203.0.113.100",
    seen: /^on lan, [0-9a-f:]{17} answers for it: real server 203\.0\.113\.12$/,
    rules: RULES,
    async works() {
      const replies = await site.client.get(URL, { count: 4 });
      assert.deepEqual(spread(replies), { real1: 2, real2: 2 });
    },
    fault() {
      site.network.sh("real2", "sysctl -w net.ipv4.conf.all.arp_ignore=0");
    },
    async fails() {
      // The director and the server both answer; now the one is quicker, now the other.
      const servers = await eventually(asked, (all) => all["real2"] === 4);
      assert.deepEqual(servers, { real2: 4 });
    },
    machines: {
      "real server 203.0.113.12": "real2",
      "the clients and routers of that network": "client",
    },
  });

  proves(site, {
    id: "server-silent",
    subject: "203.0.113.12:80 of tcp/203.0.113.100:80",
    rules: RULES,
    url: URL,
    fault: () => {
      site.network.sh("real2", "ip link set lan down");
    },
    lastly: () => {
      site.network.sh("real2", "ip link set lan up");
      // The director would refuse to send for some seconds.
      site.network.sh(DIRECTOR, "ip neigh flush dev lan");
    },
  });

  const legacy = without("iptables-legacy", "iptables");
  /** What makes both servers silent, and what doctor finds on each of them. */
  const silent: readonly {
    readonly name: string;
    readonly fault: string;
    readonly there: FindingId;
    readonly skip?: string | false;
    readonly undo: string;
  }[] = [
    {
      name: "INPUT drops requests",
      // As where the network looks at addresses: what is not for the machine itself does not reach it.
      fault: "iptables-legacy -A INPUT -i lan -d 203.0.113.100 -j DROP",
      there: "server-firewall-blocks",
      skip: legacy,
      undo: "iptables-legacy -F",
    },
    {
      name: "INPUT drops the port",
      fault: "iptables-legacy -A INPUT -p tcp --dport 80 -j DROP",
      there: "server-firewall-blocks",
      skip: legacy,
      undo: "iptables-legacy -F",
    },
    {
      name: "OUTPUT drops answers",
      fault: "iptables-legacy -A OUTPUT -p tcp --sport 80 -j DROP",
      there: "server-firewall-blocks",
      skip: legacy,
      undo: "iptables-legacy -F",
    },
    {
      name: "the virtual address is missing",
      fault:
        "sysctl -w net.ipv4.ip_forward=0; ip address del 203.0.113.100/32 dev lo",
      there: "vip-absent",
      undo: "ip address replace 203.0.113.100/32 dev lo",
    },
  ];
  for (const { name, fault, there, skip = false, undo } of silent)
    proves(site, {
      id: "direct-unanswered",
      name,
      skip,
      rules: RULES,
      url: URL,
      fault: () => {
        for (const host of ["real1", "real2"]) site.network.sh(host, fault);
      },
      fails: () => unansweredForLong(site, URL),
      machines: {
        "real server 203.0.113.11": "real1",
        "real server 203.0.113.12": "real2",
      },
      there,
      lastly: () => {
        for (const host of ["real1", "real2"]) site.network.sh(host, undo);
      },
    });
});
