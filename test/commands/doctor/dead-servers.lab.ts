import assert from "node:assert/strict";
import { suite } from "node:test";
import { eventually } from "../../lab/eventually.js";
import { isAnswer } from "../../lab/http.js";
import { DIRECTOR } from "../../lab/network.js";
import { ours } from "../../lab/program.js";
import { ipvsadm } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { BEHIND_DIRECTOR, otherClients } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import { proves, repairsByProbe } from "./case.js";

const DNS = "-u 192.0.2.100:53";

suite("doctor finds dead servers that keep their clients", () => {
  const site = siteOf(BEHIND_DIRECTOR, {
    real1: { http: [8080], datagrams: ["198.51.100.11:53"] },
    real2: { http: [8080], datagrams: ["198.51.100.12:53"] },
  });
  const director = (command: string) => site.network.sh(DIRECTOR, command);
  const on = (host: string, command: string) => site.network.sh(host, command);

  const revive = () => {
    on(
      "real1",
      "ip link set back up; ip address replace 2001:db8:2::11/64 dev back nodad; ip route replace default via 198.51.100.1; ip route replace 2001:db8:1::/64 via 2001:db8:2::1",
    );
    // What the director has asked meanwhile would end in an error for the next client.
    director("ip neigh flush dev back");
    director("sysctl -w net.ipv4.vs.expire_quiescent_template=0");
  };

  for (const { name, port, vip, real1, real2 } of [
    {
      name: "IPv4",
      port: 87,
      vip: "192.0.2.100",
      real1: "198.51.100.11:8080",
      real2: "198.51.100.12:8080",
    },
    {
      name: "IPv6",
      port: 87,
      vip: "[2001:db8:1::100]",
      real1: "[2001:db8:2::11]:8080",
      real2: "[2001:db8:2::12]:8080",
    },
  ] as const)
    proves(site, {
      id: "persistence-to-dead-server",
      name,
      subject: `${real1} of tcp/${vip}:${port}`,
      seen: /does not answer on back, and 1 persistence template binds clients to it$/,
      rules: `
        -A -t ${vip}:${port} -s rr -p 600
        -a -t ${vip}:${port} -r ${real1} -m`,
      url: `http://${vip}:${port}/`,
      async fault() {
        await ipvsadm(`-a -t ${vip}:${port} -r ${real2} -m`);
        on("real1", "ip link set back down");
      },
      lastly: revive,
    });

  const REFUSED = "http://192.0.2.100:88/";
  const ask = async (goesOn: () => boolean) => {
    while (goesOn()) await site.client.get(REFUSED, { count: 2 });
  };
  proves(site, {
    id: "server-refuses",
    name: "persistence binds a client",
    subject: "198.51.100.11:8080 of tcp/192.0.2.100:88",
    skip: without("iptables-legacy", "iptables"),
    rules: `
      -A -t 192.0.2.100:88 -s rr -p 600
      -a -t 192.0.2.100:88 -r 198.51.100.11:8080 -m`,
    url: REFUSED,
    async fault() {
      await ipvsadm("-a -t 192.0.2.100:88 -r 198.51.100.12:8080 -m");
      on(
        "real1",
        "iptables-legacy -A INPUT -p tcp --dport 8080 -j REJECT --reject-with tcp-reset",
      );
    },
    async fails() {
      const replies = await site.client.get(REFUSED, { count: 2 });
      assert.ok(!replies.some(isAnswer), JSON.stringify(replies));
      // The rates show it after some seconds, if requests go on.
      let asks = true as boolean;
      const requests = ask(() => asks);
      const { stdout } = await eventually(
        () => ours(["doctor", "--only", "server-refuses", "-o", "json"]),
        ({ stdout }) => stdout.includes('"id": "server-refuses"'),
      );
      asks = false;
      await requests;
      assert.match(stdout, /"id": "server-refuses"/);
    },
    traffic: ask,
    repair: repairsByProbe(site),
    also: ["persistence-pins"],
    lastly() {
      on("real1", "iptables-legacy -F INPUT");
      director("sysctl -w net.ipv4.vs.expire_quiescent_template=0");
    },
  });

  const BOUND = "http://192.0.2.100:89/";
  const askBound = async (goesOn: () => boolean) => {
    while (goesOn()) await site.client.get(BOUND, { count: 2 });
  };
  proves(site, {
    id: "drained-server-dead",
    name: "persistence binds a client to a drained server whose program has ended",
    subject: "198.51.100.11:8080 of tcp/192.0.2.100:89",
    seen: /^its weight is 0, it still has 1 persistence template, and each of its \d+ connections of the last 10 seconds was reset \(CLOSE\)$/,
    skip: without("iptables-legacy", "iptables"),
    rules: `
      -A -t 192.0.2.100:89 -s rr -p 600
      -a -t 192.0.2.100:89 -r 198.51.100.11:8080 -m`,
    url: BOUND,
    async fault() {
      await ipvsadm("-a -t 192.0.2.100:89 -r 198.51.100.12:8080 -m");
      await ipvsadm("-e -t 192.0.2.100:89 -r 198.51.100.11:8080 -m -w 0");
      on(
        "real1",
        "iptables-legacy -A INPUT -p tcp --dport 8080 -j REJECT --reject-with tcp-reset",
      );
    },
    traffic: askBound,
    async fails() {
      const replies = await site.client.get(BOUND, { count: 2 });
      assert.ok(!replies.some(isAnswer), JSON.stringify(replies));
      // The connections from before the fault have ended more than ten seconds ago.
      let asks = true as boolean;
      const requests = askBound(() => asks);
      const { stdout } = await eventually(
        () => ours(["doctor", "--only", "drained-server-dead", "-o", "json"]),
        ({ stdout }) => stdout.includes('"id": "drained-server-dead"'),
      );
      asks = false;
      await requests;
      assert.match(stdout, /"id": "drained-server-dead"/);
    },
    repair: repairsByProbe(site),
    lastly() {
      on("real1", "iptables-legacy -F INPUT");
      director("sysctl -w net.ipv4.vs.expire_quiescent_template=0");
    },
  });

  // With one-packet scheduling IPVS does not translate the answers of masqueraded servers.
  const translate = () =>
    void director(
      "iptables-legacy -t nat -A POSTROUTING -p udp --sport 53 -j SNAT --to-source 192.0.2.100",
    );
  const reviveAndForget = () => {
    revive();
    director("iptables-legacy -t nat -F POSTROUTING");
  };

  /** Sends four datagrams from one socket. @returns who answered */
  async function answers(
    from: string,
    patienceSeconds = 15,
  ): Promise<(string | undefined)[]> {
    const replies = await site.client.sendDatagrams("192.0.2.100:53", {
      count: 4,
      from,
      patienceSeconds,
    });
    return replies.map((one) => ("server" in one ? one.server : undefined));
  }

  proves(site, {
    id: "one-packet-to-dead-server",
    name: "each client loses a part of its datagrams",
    subject: "198.51.100.11:53 of udp/192.0.2.100:53",
    rules: `
      -A ${DNS} -s rr -o
      -a ${DNS} -r 198.51.100.11:53 -m
      -a ${DNS} -r 198.51.100.12:53 -m`,
    skip: without("iptables-legacy", "iptables"),
    prepare: translate,
    async works() {
      const servers = await answers("192.0.2.10");
      assert.ok(!servers.includes(undefined), servers.join());
    },
    fault: () => void on("real1", "ip link set back down"),
    async fails() {
      const servers = await answers("192.0.2.10", 5);
      assert.deepEqual(new Set(servers), new Set(["real2", undefined]));
    },
    lastly: reviveAndForget,
  });

  let bound = "";
  proves(site, {
    id: "one-packet-to-dead-server",
    name: "source hashing always sends a client to the dead server",
    subject: "198.51.100.11:53 of udp/192.0.2.100:53",
    rules: `
      -A ${DNS} -s sh -o
      -a ${DNS} -r 198.51.100.11:53 -m
      -a ${DNS} -r 198.51.100.12:53 -m`,
    skip: without("iptables-legacy", "iptables"),
    async prepare() {
      translate();
      for (const from of otherClients(20)) {
        const servers = await answers(from);
        if (servers.every((server) => server === "real1")) bound = from;
        if (bound !== "") return;
      }
      assert.fail("source hashing sends no client to real1");
    },
    async works() {
      const servers = await answers(bound);
      assert.ok(!servers.includes(undefined), servers.join());
    },
    fault: () => void on("real1", "ip link set back down"),
    async fails() {
      assert.deepEqual(new Set(await answers(bound, 1)), new Set([undefined]));
    },
    lastly: reviveAndForget,
  });
});
