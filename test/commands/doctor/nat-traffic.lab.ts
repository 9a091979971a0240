import assert from "node:assert/strict";
import { before, suite } from "node:test";
import { eventually } from "../../lab/eventually.js";
import { isAnswer } from "../../lab/http.js";
import { DIRECTOR } from "../../lab/network.js";
import { ours } from "../../lab/program.js";
import type { HeldConnection } from "../../traffic/caller.js";
import { balance, ipvsadm } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { BEHIND_DIRECTOR } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import { proves, unansweredForLong } from "./case.js";

const URL = "http://192.0.2.100/";
const SERVICE = "-t 192.0.2.100:80";
const RULES = `
  -A ${SERVICE} -s rr
  -a ${SERVICE} -r 198.51.100.11:8080 -m
  -a ${SERVICE} -r 198.51.100.12:8080 -m`;
const DNS = "-u 192.0.2.100:53";

suite("doctor finds what the connection table and counters show", () => {
  const site = siteOf(BEHIND_DIRECTOR, {
    real1: { http: [8080], datagrams: ["198.51.100.11:53"] },
    real2: { http: [8080], datagrams: ["198.51.100.12:53"] },
  });
  const director = (command: string) => site.network.sh(DIRECTOR, command);
  const on = (host: string, command: string) => site.network.sh(host, command);

  /** Waits until the counters show a finding: the kernel refreshes them every two seconds. */
  async function counted(id: string): Promise<void> {
    const { stdout } = await eventually(
      () => ours(["doctor", "--only", id, "-o", "json"]),
      ({ stdout }) => stdout.includes(`"id": "${id}"`),
    );
    assert.match(stdout, new RegExp(`"id": "${id}"`));
  }

  /** Makes ten requests, and sees that some are refused. */
  async function refused(url: string): Promise<void> {
    const replies = [];
    for (let i = 0; i < 10; i++) replies.push(...(await site.client.get(url)));
    assert.ok(!replies.every(isAnswer), JSON.stringify(replies));
  }

  for (const [options, certainty] of [
    ["", /^$/],
    ["--probe", /^since it was added/],
  ] as const)
    proves(site, {
      id: "server-refuses",
      name: `no program listens at the port ${options}`,
      subject: "198.51.100.12:8081 of tcp/192.0.2.100:80",
      rules: RULES,
      url: URL,
      options,
      evidence: certainty,
      async fault() {
        await ipvsadm(`-d ${SERVICE} -r 198.51.100.12:8080`);
        await ipvsadm(`-a ${SERVICE} -r 198.51.100.12:8081 -m`);
      },
      async fails() {
        await refused(URL);
        await counted("server-refuses");
      },
    });

  proves(site, {
    id: "server-refuses",
    name: "a server without any program",
    subject: "198.51.100.13:80 of tcp/192.0.2.100:80",
    rules: RULES,
    url: URL,
    fault: async () => {
      await ipvsadm(`-a ${SERVICE} -r 198.51.100.13:80 -m`);
    },
    async fails() {
      await refused(URL);
      await counted("server-refuses");
    },
  });

  const URL6 = "http://[2001:db8:1::100]/";
  proves(site, {
    id: "server-refuses",
    name: "IPv6",
    subject: "[2001:db8:2::12]:8081 of tcp/[2001:db8:1::100]:80",
    rules: `
      -A -t [2001:db8:1::100]:80 -s rr
      -a -t [2001:db8:1::100]:80 -r [2001:db8:2::11]:8080 -m`,
    url: URL6,
    fault: async () => {
      await ipvsadm("-a -t [2001:db8:1::100]:80 -r [2001:db8:2::12]:8081 -m");
    },
    async fails() {
      await refused(URL6);
      await counted("server-refuses");
    },
  });

  proves(site, {
    id: "server-probe-failed",
    name: "a firewall on the server drops connections",
    subject: "198.51.100.12:8080 of tcp/192.0.2.100:80",
    skip: without("iptables-legacy", "iptables"),
    options: "--probe",
    rules: RULES,
    url: URL,
    fault: () => void on("real2", "iptables-legacy -P INPUT DROP"),
    machines: { "real server 198.51.100.12": "real2" },
    there: "server-firewall-blocks",
    lastly: () =>
      void on("real2", "iptables-legacy -P INPUT ACCEPT; iptables-legacy -F"),
  });

  /** Sends a datagram from a port that stays the same. */
  function asksFrom(port: number): string {
    const program = `
      const socket = require("dgram").createSocket("udp4");
      const tell = (what) => { console.log(what); process.exit(); };
      socket.on("message", (message) => tell(JSON.parse(message).server));
      socket.bind(${port}, () => socket.send("who are you?", 53, "192.0.2.100"));
      setTimeout(() => tell("no answer"), 1500);`;
    return site.network
      .sh("client", `${process.execPath} -e '${program}'`)
      .trim();
  }

  const revive = () => {
    on(
      "real1",
      "ip link set back up; ip address replace 2001:db8:2::11/64 dev back nodad; ip route replace default via 198.51.100.1; ip route replace 2001:db8:1::/64 via 2001:db8:2::1",
    );
    // What the director has asked meanwhile would end in an error for the next client.
    director("ip neigh flush dev back");
    director(
      "sysctl -w net.ipv4.vs.expire_nodest_conn=0 net.ipv4.vs.expire_quiescent_template=0",
    );
  };

  proves(site, {
    id: "drained-server-dead",
    name: "a UDP client keeps its port",
    subject: "198.51.100.11:53 of udp/192.0.2.100:53",
    rules: `
      -A ${DNS} -s rr
      -a ${DNS} -r 198.51.100.11:53 -m -w 1
      -a ${DNS} -r 198.51.100.12:53 -m -w 0`,
    works: () => {
      assert.notEqual(asksFrom(5301), "no answer");
      return Promise.resolve();
    },
    async fault() {
      await ipvsadm(`-e ${DNS} -r 198.51.100.11:53 -m -w 0`);
      await ipvsadm(`-e ${DNS} -r 198.51.100.12:53 -m -w 1`);
      on("real1", "ip link set back down");
    },
    fails: () => {
      assert.equal(asksFrom(5301), "no answer");
      return Promise.resolve();
    },
    lastly: revive,
  });

  proves(site, {
    id: "drained-server-used",
    name: "a UDP client keeps its port, and the drained server refuses its datagrams",
    subject: "198.51.100.11:53 of udp/192.0.2.100:53",
    seen: /^its weight is 0, and 1 UDP client stays with it /,
    skip: without("iptables-legacy", "iptables"),
    rules: `
      -A ${DNS} -s rr
      -a ${DNS} -r 198.51.100.11:53 -m -w 1
      -a ${DNS} -r 198.51.100.12:53 -m -w 0`,
    works: () => {
      assert.notEqual(asksFrom(5302), "no answer");
      return Promise.resolve();
    },
    async fault() {
      await ipvsadm(`-e ${DNS} -r 198.51.100.11:53 -m -w 0`);
      await ipvsadm(`-e ${DNS} -r 198.51.100.12:53 -m -w 1`);
      on("real1", "iptables-legacy -A INPUT -p udp --dport 53 -j REJECT");
    },
    fails: () => {
      assert.equal(asksFrom(5302), "no answer");
      return Promise.resolve();
    },
    async repair() {
      director("sysctl -w net.ipv4.vs.expire_nodest_conn=1");
      await ipvsadm(`-d ${DNS} -r 198.51.100.11:53`);
    },
    lastly() {
      on("real1", "iptables-legacy -F");
      revive();
    },
  });

  let held: HeldConnection[] = [];
  proves(site, {
    id: "drained-server-dead",
    name: "a TCP connection hangs",
    subject: "198.51.100.11:8080 of tcp/192.0.2.100:80",
    rules: `
      -A ${SERVICE} -s rr
      -a ${SERVICE} -r 198.51.100.11:8080 -m`,
    async works() {
      held = [await site.client.hold(URL), await site.client.hold(URL)];
    },
    async fault() {
      await ipvsadm(`-a ${SERVICE} -r 198.51.100.12:8080 -m`);
      await ipvsadm(`-e ${SERVICE} -r 198.51.100.11:8080 -m -w 0`);
      on("real1", "ip link set back down");
    },
    async fails() {
      // The client closes the one that it asks; the other stays open.
      const reply = await held[0]?.ask();
      assert.ok(reply && !isAnswer(reply));
    },
    lastly: revive,
  });

  proves(site, {
    id: "drained-server-dead",
    name: "persistence binds a client",
    subject: "198.51.100.11:8080 of tcp/192.0.2.100:80",
    seen: /its weight is 0, it still has .*1 persistence template, and it does not answer/,
    rules: `
      -A ${SERVICE} -s rr -p 600
      -a ${SERVICE} -r 198.51.100.11:8080 -m -w 1
      -a ${SERVICE} -r 198.51.100.12:8080 -m -w 0`,
    url: URL,
    async fault() {
      await ipvsadm(`-e ${SERVICE} -r 198.51.100.11:8080 -m -w 0`);
      await ipvsadm(`-e ${SERVICE} -r 198.51.100.12:8080 -m -w 1`);
      on("real1", "ip link set back down");
    },
    lastly: revive,
  });

  for (const [name, subject, rules, url] of [
    ["IPv4", "tcp/192.0.2.100:80", RULES, URL],
    [
      "IPv6",
      "tcp/[2001:db8:1::100]:80",
      `-A -t [2001:db8:1::100]:80 -s rr
       -a -t [2001:db8:1::100]:80 -r [2001:db8:2::11]:8080 -m`,
      URL6,
    ],
  ] as const)
    proves(site, {
      id: "backup-only-active",
      name,
      subject,
      rules,
      url,
      async fault() {
        await ipvsadm("--start-daemon backup --mcast-interface front");
        director("sysctl -w net.ipv4.vs.backup_only=1");
      },
      async lastly() {
        await ipvsadm("--stop-daemon backup");
        director("sysctl -w net.ipv4.vs.backup_only=0");
      },
    });

  proves(site, {
    id: "backup-only-active",
    name: "a master daemon runs as well",
    rules: RULES,
    url: URL,
    async fault() {
      await ipvsadm("--start-daemon backup --mcast-interface front");
      await ipvsadm("--start-daemon master --mcast-interface front");
      director("sysctl -w net.ipv4.vs.backup_only=1");
    },
    async lastly() {
      await ipvsadm("--stop-daemon backup");
      await ipvsadm("--stop-daemon master");
      director("sysctl -w net.ipv4.vs.backup_only=0");
    },
  });

  const COUNT = "cat /proc/sys/net/netfilter/nf_conntrack_count";
  for (const { id, part } of [
    { id: "connections-at-limit", part: 1 },
    { id: "connections-near-limit", part: 0.95 },
  ] as const)
    proves(site, {
      id,
      subject: "net.netfilter.nf_conntrack_max",
      skip: without("iptables-legacy", "iptables"),
      rules: RULES,
      url: URL,
      async prepare() {
        director("sysctl -w net.ipv4.vs.conntrack=1");
        director("iptables-legacy -A INPUT -m conntrack --ctstate INVALID");
        await site.client.get(URL, { count: 20 });
      },
      fault() {
        const count = Number(director(COUNT));
        const most = Math.ceil(count / part);
        director(`sysctl -w net.netfilter.nf_conntrack_max=${most}`);
      },
      async fails() {
        if (id === "connections-near-limit") return;
        const replies = await site.client.get(URL, { patienceSeconds: 1 });
        assert.ok(!replies.some(isAnswer), JSON.stringify(replies));
      },
      lastly() {
        director("sysctl -w net.ipv4.vs.conntrack=0");
        director("sysctl -w net.netfilter.nf_conntrack_max=65536");
        director("iptables-legacy -F INPUT");
      },
    });

  proves(site, {
    id: "address-any",
    subject: "tcp/0.0.0.0:80",
    rules: RULES,
    url: URL,
    async fault() {
      await balance(RULES.replaceAll("192.0.2.100", "0.0.0.0"));
    },
    repair: () => balance(RULES),
  });

  proves(site, {
    id: "interface-forwarding-off",
    subject: "back",
    rules: RULES,
    url: URL,
    fault: () => void director("sysctl -w net.ipv4.conf.back.forwarding=0"),
  });
});

/** Clients, the virtual address and servers in one network. */
suite("doctor finds clients in the servers' own network", () => {
  const VIP = "198.51.100.200";
  const site = siteOf(
    {
      client: { addresses: { lan: ["198.51.100.100/24"] } },
      [DIRECTOR]: {
        addresses: { lan: ["198.51.100.1/24", `${VIP}/32`] },
        sysctls: { "net.ipv4.ip_forward": 1 },
      },
      real1: {
        addresses: { lan: ["198.51.100.11/24"] },
        routes: ["default via 198.51.100.1"],
        // A new namespace takes over that the director forwards, and with that no redirects are accepted.
        sysctls: { "net.ipv4.ip_forward": 0 },
      },
      real2: {
        addresses: { lan: ["198.51.100.12/24"] },
        routes: ["default via 198.51.100.1"],
      },
    },
    {
      real1: { http: [80], datagrams: ["198.51.100.11:53"] },
      real2: { http: [80] },
    },
  );
  const director = (command: string) => site.network.sh(DIRECTOR, command);
  const there = `http://${VIP}/`;
  const rules = `
    -A -t ${VIP}:80 -s rr
    -a -t ${VIP}:80 -r 198.51.100.11:80 -m`;
  const noRedirects = () =>
    void director(
      "sysctl -w net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.lan.send_redirects=0",
    );
  before(noRedirects);
  const reset = () => {
    director("iptables-legacy -t nat -F; sysctl -w net.ipv4.vs.conntrack=0");
    site.network.sh(
      "real1",
      "ip route del 198.51.100.100 2>/dev/null || true; ip route flush cache",
    );
    site.network.sh("real1", "ip neigh flush all");
  };
  /** With a host route to the client through the director the service works. */
  const hostRoute = () =>
    void site.network.sh(
      "real1",
      "ip route replace 198.51.100.100 via 198.51.100.1",
    );

  proves(site, {
    id: "clients-beside-server",
    name: "no SNAT",
    subject: `198.51.100.11:80 of tcp/${VIP}:80`,
    seen: /client 198\.51\.100\.100 is in the server's own network 198\.51\.100\.0\/24/,
    skip: without("iptables-legacy", "iptables"),
    rules,
    url: there,
    prepare: hostRoute,
    fault: () => void site.network.sh("real1", "ip route del 198.51.100.100"),
    fails: () => unansweredForLong(site, there),
    lastly: reset,
  });

  proves(site, {
    id: "clients-beside-server",
    name: "SNAT without conntrack",
    skip: without("iptables-legacy", "iptables"),
    rules,
    url: there,
    evidence:
      /would translate the client's address, but does not see packets of IPVS/,
    prepare() {
      director(
        "iptables-legacy -t nat -A POSTROUTING -s 198.51.100.0/24 -p tcp --dport 80 -j MASQUERADE; sysctl -w net.ipv4.vs.conntrack=1",
      );
    },
    fault: () => void director("sysctl -w net.ipv4.vs.conntrack=0"),
    fails: () => unansweredForLong(site, there),
    lastly: reset,
  });

  proves(site, {
    id: "clients-beside-server",
    name: "two servers",
    skip: without("iptables-legacy", "iptables"),
    rules: `${rules}
    -a -t ${VIP}:80 -r 198.51.100.12:80 -m`,
    url: there,
    prepare() {
      hostRoute();
      site.network.sh(
        "real2",
        "ip route replace 198.51.100.100 via 198.51.100.1",
      );
    },
    fault() {
      for (const host of ["real1", "real2"])
        site.network.sh(host, "ip route del 198.51.100.100");
    },
    fails: () => unansweredForLong(site, there),
    lastly: reset,
  });
});
