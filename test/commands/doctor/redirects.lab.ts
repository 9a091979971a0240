import assert from "node:assert/strict";
import { before, suite } from "node:test";
import { eventually } from "../../lab/eventually.js";
import { isAnswer } from "../../lab/http.js";
import { DIRECTOR, type NetworkPlan } from "../../lab/network.js";
import { siteOf, type Site } from "../../traffic/site.js";
import { proves } from "./case.js";

/** A new namespace takes over that the director forwards, and with that no redirects are accepted. */
const HOST = { "net.ipv4.ip_forward": 0 };
const FORWARDS = { "net.ipv4.ip_forward": 1 };

/** Settings of send_redirects on the director. */
function redirects(site: Site, all: number, lan: number): void {
  site.network.sh(
    DIRECTOR,
    `sysctl -w net.ipv4.conf.all.send_redirects=${all} net.ipv4.conf.lan.send_redirects=${lan}`,
  );
}

/** Proves the finding for a client that sends datagrams to a virtual address. The kernel sends few redirects to one host. */
function provesRedirects(
  site: Site,
  { vip, server }: { readonly vip: string; readonly server: string },
  one: {
    readonly name: string;
    readonly all: number;
    readonly lan: number;
    readonly seen: RegExp;
  },
): void {
  /** How many of five datagrams are answered by the virtual address: a connected client takes no others. */
  const answersOfFive = async (patienceSeconds: number) => {
    const replies = await site.client.sendDatagrams(`${vip}:53`, {
      count: 5,
      patienceSeconds,
    });
    return replies.filter(
      (reply) => "server" in reply && reply.source === `${vip}:53`,
    ).length;
  };
  proves(site, {
    id: "redirects-sent",
    name: one.name,
    subject: "lan",
    seen: one.seen,
    rules: `
      -A -u ${vip}:53 -s rr
      -a -u ${vip}:53 -r ${server}:53 -m`,
    works: async () => {
      assert.equal(await answersOfFive(15), 5);
    },
    fault: () => {
      redirects(site, one.all, one.lan);
    },
    async fails() {
      // The server takes a redirect once it knows the hardware address of the next hop.
      const answers = await eventually(
        () => answersOfFive(1),
        (count) => count < 2,
      );
      assert.ok(answers < 2, `${answers} answers`);
    },
    machines: { [`real server ${server}`]: "real1" },
    lastly() {
      redirects(site, 0, 0);
      site.network.sh("real1", "ip route flush cache; ip neigh flush all");
    },
  });
}

suite("doctor finds redirects to clients in the servers' own network", () => {
  const VIP = "198.51.100.200";
  const site = siteOf(
    {
      client: { addresses: { lan: ["198.51.100.100/24"] } },
      [DIRECTOR]: {
        addresses: { lan: ["198.51.100.1/24", `${VIP}/32`] },
        sysctls: FORWARDS,
      },
      real1: {
        addresses: { lan: ["198.51.100.11/24"] },
        routes: ["default via 198.51.100.1", "198.51.100.100 via 198.51.100.1"],
        sysctls: HOST,
      },
    },
    { real1: { datagrams: ["198.51.100.11:53"] } },
  );
  before(() => {
    redirects(site, 0, 0);
  });
  for (const one of [
    {
      name: "send_redirects is on for all",
      all: 1,
      lan: 1,
      where: "all and lan",
    },
    { name: "it is on for the interface", all: 0, lan: 1, where: "lan" },
    {
      name: "it is on for all, and off for the interface",
      all: 1,
      lan: 0,
      where: "all",
    },
  ])
    provesRedirects(
      site,
      { vip: VIP, server: "198.51.100.11" },
      {
        ...one,
        seen: new RegExp(
          `one of its clients are behind .* is 1 for ${one.where}$`,
        ),
      },
    );
});

/** The virtual address is on another interface than the client and the server. */
const TWO_NETWORKS: NetworkPlan = {
  client: {
    addresses: { lan: ["198.51.100.100/24"] },
    routes: ["default via 198.51.100.1"],
  },
  [DIRECTOR]: {
    addresses: {
      front: ["192.0.2.1/24", "192.0.2.100/32"],
      lan: ["198.51.100.1/24"],
    },
    sysctls: FORWARDS,
  },
  real1: {
    addresses: { lan: ["198.51.100.21/24"] },
    routes: ["default via 198.51.100.1", "198.51.100.100 via 198.51.100.1"],
    sysctls: HOST,
  },
};

suite(
  "doctor finds redirects if the virtual address is on another interface",
  () => {
    const site = siteOf(TWO_NETWORKS, {
      real1: { datagrams: ["198.51.100.21:53"] },
    });
    before(() => {
      redirects(site, 0, 0);
    });
    provesRedirects(
      site,
      { vip: "192.0.2.100", server: "198.51.100.21" },
      {
        name: "the virtual address is on another interface",
        all: 1,
        lan: 1,
        seen: /one of its clients/,
      },
    );
  },
);

/** A director with one interface. Clients come through a router in the network of the servers. */
const BEHIND_A_ROUTER: NetworkPlan = {
  client: {
    addresses: { far: ["203.0.113.10/24"] },
    routes: ["default via 203.0.113.1"],
  },
  router: {
    addresses: { far: ["203.0.113.1/24"], lan: ["198.51.100.254/24"] },
    routes: ["192.0.2.100 via 198.51.100.1"],
    sysctls: FORWARDS,
  },
  [DIRECTOR]: {
    addresses: { lan: ["198.51.100.1/24"], lo: ["192.0.2.100/32"] },
    routes: ["203.0.113.0/24 via 198.51.100.254"],
    sysctls: FORWARDS,
  },
  real1: {
    addresses: { lan: ["198.51.100.31/24"] },
    routes: ["default via 198.51.100.1"],
    sysctls: HOST,
  },
  // The kernel sends only nine redirects to one host, so the second case needs another one.
  real2: {
    addresses: { lan: ["198.51.100.32/24"] },
    routes: ["default via 198.51.100.1"],
    sysctls: HOST,
  },
};

suite("doctor finds redirects to a router in the servers' network", () => {
  const site = siteOf(BEHIND_A_ROUTER, {
    real1: { datagrams: ["198.51.100.31:53"] },
    real2: { http: [80], datagrams: ["198.51.100.32:53"] },
  });
  before(() => {
    redirects(site, 0, 0);
  });
  provesRedirects(
    site,
    { vip: "192.0.2.100", server: "198.51.100.31" },
    {
      name: "clients come through a router in the servers' network",
      all: 1,
      lan: 1,
      seen: /one of its clients/,
    },
  );

  const URL = "http://192.0.2.100/";
  /** How many requests have waited for more than three seconds: the kernel forgets them after a minute. */
  const waiting = () =>
    Number(
      site.network.sh(
        DIRECTOR,
        "awk '$8 == \"SYN_RECV\" && $9 < 57 { n++ } END { print n + 0 }' /proc/net/ip_vs_conn",
      ),
    );
  proves(site, {
    id: "redirects-followed",
    subject: "lan",
    seen: /one of its clients are behind this interface, and send_redirects is 1 for all and lan$/,
    rules: `
      -A -t 192.0.2.100:80 -s rr
      -a -t 192.0.2.100:80 -r 198.51.100.32:80 -m
      -A -u 192.0.2.100:53 -s rr
      -a -u 192.0.2.100:53 -r 198.51.100.32:53 -m`,
    url: URL,
    fault: () => {
      redirects(site, 1, 1);
    },
    async fails() {
      const unanswered = async () => {
        const replies = await site.client.get(URL, { patienceSeconds: 1 });
        return !replies.some(isAnswer);
      };
      // The kernel takes no redirect for a TCP connection that opens, or that a program is using: datagrams bring it about.
      const lost = await eventually(
        async () => {
          await site.client.sendDatagrams("192.0.2.100:53", {
            patienceSeconds: 1,
          });
          return unanswered();
        },
        (none) => none,
      );
      assert.ok(lost, "the server has learned the other way");
      for (let i = 0; i < 3; i++) assert.ok(await unanswered());
      const count = await eventually(
        () => Promise.resolve(waiting()),
        (some) => some >= 2,
      );
      assert.ok(count >= 2, `${count} requests wait`);
    },
    machines: { "real server 198.51.100.32": "real2" },
    lastly() {
      redirects(site, 0, 0);
      site.network.sh("real2", "ip route flush cache; ip neigh flush all");
    },
  });
});
