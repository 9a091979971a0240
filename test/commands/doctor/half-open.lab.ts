import assert from "node:assert/strict";
import { suite, test } from "node:test";
import type { FindingId } from "../../../src/doctor/findings.js";
import { eventually } from "../../lab/eventually.js";
import { isAnswer } from "../../lab/http.js";
import { DIRECTOR } from "../../lab/network.js";
import { forgetConnections } from "../../traffic/forget-connections.js";
import { balance } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { BEHIND_DIRECTOR, ONE_NETWORK } from "../../traffic/places.js";
import { siteOf, type Site } from "../../traffic/site.js";
import { examined, proves } from "./case.js";

const skip = without("iptables-legacy", "iptables");

/** A service, all of whose servers drop the requests. */
interface Dropped {
  readonly name: string;
  readonly id: FindingId;
  readonly rules: string;
  readonly url: string;
  /** The servers' names and addresses */
  readonly servers: Readonly<Record<string, string>>;
  readonly port: number;
  readonly requests: number;
}

/** Proves that few connections of each server are enough if all servers of the service are silent. */
function provesDropped(site: Site, one: Dropped): void {
  const { servers, port, url, requests } = one;
  const program = url.includes("[") ? "ip6tables-legacy" : "iptables-legacy";
  const hosts = Object.keys(servers);
  proves(site, {
    id: one.id,
    name: one.name,
    skip,
    rules: one.rules,
    url,
    async fault() {
      await connectionsAge(site);
      for (const host of hosts)
        site.network.sh(
          host,
          `${program} -A INPUT -p tcp --dport ${port} -j DROP`,
        );
    },
    async fails() {
      for (let i = 0; i < requests; i++) {
        const replies = await site.client.get(url, { patienceSeconds: 1 });
        assert.ok(!replies.some(isAnswer), JSON.stringify(replies));
      }
    },
    seen: /^[12] connections? waits? in SYN_RECV/,
    machines: Object.fromEntries(
      Object.entries(servers).map(([host, address]) => [
        `real server ${address}`,
        host,
      ]),
    ),
    there: "server-firewall-blocks",
    lastly() {
      for (const host of hosts) site.network.sh(host, `${program} -F INPUT`);
    },
  });
}

/**
 * Waits until the last packet of each connection is two seconds old. The kernel tells the time of a connection in whole
 * seconds. So doctor does not take an answered request and a dropped one of the same second for a silent server.
 */
async function connectionsAge(site: Site): Promise<void> {
  const ages = () => {
    const [, ...lines] = site.network
      .sh(DIRECTOR, "cat /proc/net/ip_vs_conn")
      .trim()
      .split("\n");
    return lines.map((line) => {
      const words = line.split(/ +/);
      return (FULL_SECONDS[words[7] ?? ""] ?? 0) - Number(words[8]);
    });
  };
  await eventually(
    () => Promise.resolve(ages()),
    (all) => all.every((age) => age >= 2),
  );
}

/** How long the kernel keeps a connection after its last packet, by state. */
const FULL_SECONDS: Readonly<Record<string, number>> = {
  ESTABLISHED: 900,
  FIN_WAIT: 120,
  TIME_WAIT: 120,
};

/** A service that was replaced by another one while its connections wait. */
interface Replaced {
  readonly name: string;
  readonly url: string;
  /** The service whose server drops the requests */
  readonly before: string;
  readonly host: string;
  readonly port: number;
  /** The finding for it */
  readonly id: FindingId;
  /** Shell commands on the director, before the other service is added, and afterwards */
  readonly mark?: string;
  readonly after: string;
}

/** Proves that connections of a deleted service do not count for another one with the same server. */
function provesUncounted(site: Site, one: Replaced): void {
  const program = one.url.includes("[")
    ? "ip6tables-legacy"
    : "iptables-legacy";
  const director = (command: string) => site.network.sh(DIRECTOR, command);
  test(
    `connections of a deleted service do not count for ${one.name}`,
    {
      skip,
    },
    async () => {
      await balance(one.before);
      const drop = `INPUT -p tcp --dport ${one.port} -j DROP`;
      site.network.sh(one.host, `${program} -A ${drop}`);
      try {
        for (let i = 0; i < 4; i++) {
          const replies = await site.client.get(one.url, {
            patienceSeconds: 1,
          });
          assert.ok(!replies.some(isAnswer), JSON.stringify(replies));
        }
        const { found } = await examined();
        assert.deepEqual(
          found.map(({ id }) => id),
          [one.id],
        );
        if (one.mark !== undefined)
          director(`${program} -t mangle -A PREROUTING ${one.mark}`);
        await balance(one.after);
        assert.match(
          director("cat /proc/net/ip_vs_conn"),
          /SYN_RECV/,
          "the kernel still has them",
        );
        // Nobody has used the new service.
        const now = await examined("all examined", "--skip service-unreached");
        assert.deepEqual(now.found, []);
      } finally {
        site.network.sh(one.host, `${program} -D ${drop}`);
        if (one.mark !== undefined)
          director(`${program} -t mangle -F PREROUTING`);
      }
    },
  );
}

suite("doctor counts half-open connections of masqueraded servers", () => {
  const site = siteOf(BEHIND_DIRECTOR, {
    real1: { http: [8080] },
    real2: { http: [8080] },
    real3: { http: [8080] },
  });
  const NAT = `
    -A -t 192.0.2.100:80 -s rr
    -a -t 192.0.2.100:80 -r 198.51.100.11:8080 -m
    -a -t 192.0.2.100:80 -r 198.51.100.12:8080 -m`;
  const TWO = { real1: "198.51.100.11", real2: "198.51.100.12" };

  provesDropped(site, {
    name: "two requests to each of two servers",
    id: "nat-unanswered",
    rules: NAT,
    url: "http://192.0.2.100/",
    servers: TWO,
    port: 8080,
    requests: 4,
  });
  provesDropped(site, {
    name: "one request to each of three servers",
    id: "nat-unanswered",
    rules: `${NAT.replaceAll(":80 ", ":91 ")}
      -a -t 192.0.2.100:91 -r 198.51.100.13:8080 -m`,
    url: "http://192.0.2.100:91/",
    servers: { ...TWO, real3: "198.51.100.13" },
    port: 8080,
    requests: 3,
  });
  provesDropped(site, {
    name: "two requests to each of two servers, with IPv6",
    id: "nat-unanswered",
    rules: `
      -A -t [2001:db8:1::100]:80 -s rr
      -a -t [2001:db8:1::100]:80 -r [2001:db8:2::11]:8080 -m
      -a -t [2001:db8:1::100]:80 -r [2001:db8:2::12]:8080 -m`,
    url: "http://[2001:db8:1::100]/",
    servers: { real1: "2001:db8:2::11", real2: "2001:db8:2::12" },
    port: 8080,
    requests: 4,
  });

  // A higher threshold would only let more requests wait.
  proves(site, {
    id: "all-overloaded",
    name: "half-open connections fill the upper threshold",
    skip,
    subject: "tcp/192.0.2.100:94",
    seen: /^its real servers are at their upper thresholds: 6 of 6$/,
    evidence: /^all connections to 198\.51\.100\.11:8080 wait in SYN_RECV: /,
    rules: `
      -A -t 192.0.2.100:94 -s rr
      -a -t 192.0.2.100:94 -r 198.51.100.11:8080 -m`,
    url: "http://192.0.2.100:94/",
    async fault() {
      await forgetConnections();
      await balance(`
        -A -t 192.0.2.100:94 -s rr
        -a -t 192.0.2.100:94 -r 198.51.100.11:8080 -m -x 6`);
      site.network.sh(
        "real1",
        "iptables-legacy -A INPUT -p tcp --dport 8080 -j DROP",
      );
    },
    async fails() {
      for (let i = 0; i < 7; i++) {
        const replies = await site.client.get("http://192.0.2.100:94/", {
          patienceSeconds: 1,
        });
        assert.ok(!replies.some(isAnswer), JSON.stringify(replies));
      }
    },
    also: ["nat-unanswered"],
    machines: { "real server 198.51.100.11": "real1" },
    there: "server-firewall-blocks",
    // The connections that wait count until the kernel forgets them, after a minute.
    async afterFix() {
      await forgetConnections();
      await balance(`
        -A -t 192.0.2.100:94 -s rr
        -a -t 192.0.2.100:94 -r 198.51.100.11:8080 -m -x 6`);
    },
    lastly: () => void site.network.sh("real1", "iptables-legacy -F INPUT"),
  });

  const before = `
    -A -t 192.0.2.100:92 -s rr
    -a -t 192.0.2.100:92 -r 198.51.100.12:8080 -m`;
  const dropped = {
    url: "http://192.0.2.100:92/",
    before,
    host: "real2",
    port: 8080,
    id: "nat-unanswered",
  } as const;
  provesUncounted(site, {
    ...dropped,
    name: "a firewall mark",
    mark: "-d 192.0.2.100 -p tcp --dport 92 -j MARK --set-mark 7",
    after: `
      -A -f 7 -s rr
      -a -f 7 -r 198.51.100.12:8080 -m`,
  });
  provesUncounted(site, {
    ...dropped,
    name: "another port of the same virtual address",
    after: before.replaceAll(":92", ":93"),
  });
  provesUncounted(site, {
    name: "a firewall mark of IPv6",
    url: "http://[2001:db8:1::100]:92/",
    before: `
      -A -t [2001:db8:1::100]:92 -s rr
      -a -t [2001:db8:1::100]:92 -r [2001:db8:2::12]:8080 -m`,
    host: "real2",
    port: 8080,
    id: "nat-unanswered",
    mark: "-d 2001:db8:1::100 -p tcp --dport 92 -j MARK --set-mark 7",
    after: `
      -A -f 7 -6 -s rr
      -a -f 7 -6 -r [2001:db8:2::12]:8080 -m`,
  });
});

suite("doctor counts half-open connections with direct routing", () => {
  const site = siteOf(ONE_NETWORK, {
    real1: { http: [80] },
    real2: { http: [80] },
  });
  const direct = `
    -A -t 203.0.113.100:80 -s rr
    -a -t 203.0.113.100:80 -r 203.0.113.11 -g
    -a -t 203.0.113.100:80 -r 203.0.113.12 -g`;
  provesDropped(site, {
    name: "two requests to each of two servers with direct routing",
    id: "direct-unanswered",
    rules: direct,
    url: "http://203.0.113.100/",
    servers: { real1: "203.0.113.11", real2: "203.0.113.12" },
    port: 80,
    requests: 4,
  });
  provesUncounted(site, {
    name: "a firewall mark with direct routing",
    url: "http://203.0.113.100/",
    before: `
      -A -t 203.0.113.100:80 -s rr
      -a -t 203.0.113.100:80 -r 203.0.113.12 -g`,
    host: "real2",
    port: 80,
    id: "direct-unanswered",
    mark: "-d 203.0.113.100 -p tcp --dport 80 -j MARK --set-mark 7",
    after: `
      -A -f 7 -s rr
      -a -f 7 -r 203.0.113.12 -g`,
  });
});
