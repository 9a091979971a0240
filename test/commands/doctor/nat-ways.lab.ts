import assert from "node:assert/strict";
import { after, before, suite } from "node:test";
import { eventually } from "../../lab/eventually.js";
import { isAnswer, startServer, type Server } from "../../lab/http.js";
import { DIRECTOR } from "../../lab/network.js";
import { ipvsadm } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { BEHIND_DIRECTOR } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import { spread } from "../../traffic/spread.js";
import {
  answered,
  PROGRAMS,
  proves,
  unansweredForLong,
  type Found,
} from "./case.js";

const SERVICE = "-t 192.0.2.100:80";
const URL = "http://192.0.2.100/";
const ONE_SERVER = `
  -A ${SERVICE} -s rr
  -a ${SERVICE} -r 198.51.100.11:8080 -m`;
const RULES = `${ONE_SERVER}
  -a ${SERVICE} -r 198.51.100.12:8080 -m`;
const DNS = "-u 192.0.2.100:53";
const DNS_RULES = `
  -A ${DNS} -s rr
  -a ${DNS} -r 198.51.100.11:53 -m`;
/** A rule that gives requests to a port the mark 7. */
const marking = (port: number) =>
  `PREROUTING -d 192.0.2.100 -p tcp --dport ${port} -j MARK --set-mark 7`;
const HANGING_PORT = 8090;
/** Another port of a service by firewall mark */
const SECOND_PORT = 8092;
/** It, as /proc/net prints it */
const LISTENING = `:${HANGING_PORT.toString(16).toUpperCase().padStart(4, "0")} `;

suite("doctor finds where packets of masqueraded servers are lost", () => {
  const site = siteOf(BEHIND_DIRECTOR, {
    real1: { http: [8080, SECOND_PORT], datagrams: ["198.51.100.11:53"] },
    real2: { http: [8080, SECOND_PORT, HANGING_PORT] },
  });
  const director = (command: string) => site.network.sh(DIRECTOR, command);

  proves(site, {
    id: "answers-unroutable",
    subject: "tcp/192.0.2.100:80",
    seen: /answers to 192\.0\.2\.10 from 198\.51\.100\.11 lead nowhere: routing rule 100 leads to table 100, whose route to default is of type blackhole$/,
    rules: ONE_SERVER,
    url: URL,
    fault() {
      director("ip route add blackhole default table 100");
      director("ip rule add from 198.51.100.0/24 lookup 100 priority 100");
    },
    lastly() {
      director("ip rule del priority 100 2>/dev/null || true");
      director("ip route flush table 100 2>/dev/null || true");
    },
  });

  proves(site, {
    id: "answers-unroutable",
    name: "from the virtual address",
    seen: /answers to 192\.0\.2\.10 from 192\.0\.2\.100 lead nowhere: routing rule 100 is of type prohibit$/,
    rules: ONE_SERVER,
    url: URL,
    fault: () =>
      void director("ip rule add from 192.0.2.100 prohibit priority 100"),
    lastly: () => void director("ip rule del priority 100 2>/dev/null || true"),
  });

  proves(site, {
    id: "neighbor-fixed",
    subject: "198.51.100.11",
    seen: /^the neighbor entry of 198\.51\.100\.11 on back is permanent, with the hardware address 02:00:00:00:00:99: /,
    evidence: /^\d+ connections to 198\.51\.100\.11:8080 wait in SYN_RECV$/,
    rules: ONE_SERVER,
    url: URL,
    fault: () =>
      void director(
        "ip neighbor replace 198.51.100.11 lladdr 02:00:00:00:00:99 dev back nud permanent",
      ),
    fails: () => unansweredForLong(site, URL),
    lastly: () =>
      void director(
        "ip neighbor del 198.51.100.11 dev back 2>/dev/null || true",
      ),
  });

  proves(site, {
    id: "neighbor-fixed",
    name: "where all entries are fixed",
    subject: "198.51.100.11",
    rules: ONE_SERVER,
    url: URL,
    // What is printed stands for the address that the server shows.
    words: { LLADDR: "02:00:00:00:00:11" },
    fault() {
      site.network.sh(
        "real1",
        "ip link set dev back address 02:00:00:00:00:11",
      );
      director(`
        ip -4 neighbor flush dev back
        for host in 11 12; do
          ip neighbor replace 198.51.100.$host lladdr 02:00:00:00:00:99 dev back nud permanent
        done`);
    },
    fails: () => unansweredForLong(site, URL),
    afterFix: () => {
      assert.match(
        director("ip neighbor show 198.51.100.11 dev back"),
        / 02:00:00:00:00:11 PERMANENT/,
      );
    },
    lastly: () => void director("ip neighbor flush dev back nud permanent"),
  });

  proves(site, {
    id: "route-elsewhere",
    subject: "198.51.100.11",
    seen: /^it is in the network of back, 198\.51\.100\.1\/24, and the route to 198\.51\.100\.11\/32 sends packets to it by front, through 192\.0\.2\.10$/,
    rules: ONE_SERVER,
    url: URL,
    fault: () => void director("ip route add 198.51.100.11/32 via 192.0.2.10"),
    fails: () => unansweredForLong(site, URL),
    lastly: () =>
      void director("ip route del 198.51.100.11/32 2>/dev/null || true"),
  });

  const FAR_CLIENT = { from: "203.0.113.10", patienceSeconds: 1 };
  proves(site, {
    id: "client-router-silent",
    subject: "192.0.2.77",
    seen: /^answers to client 203\.0\.113\.10 leave by front, through 192\.0\.2\.77, which does not answer there$/,
    rules: ONE_SERVER,
    prepare() {
      site.network.sh("client", "ip address add 203.0.113.10/32 dev lo");
      director("ip route add 203.0.113.0/24 via 192.0.2.10");
    },
    async works() {
      const replies = await site.client.get(URL, {
        ...FAR_CLIENT,
        patienceSeconds: 15,
      });
      assert.ok(replies.every(isAnswer), JSON.stringify(replies));
    },
    fault: () =>
      void director("ip route replace 203.0.113.0/24 via 192.0.2.77"),
    async fails() {
      for (let i = 0; i < 4; i++) {
        const replies = await site.client.get(URL, FAR_CLIENT);
        assert.ok(!replies.some(isAnswer), JSON.stringify(replies));
      }
    },
    repair: () =>
      void director("ip route replace 203.0.113.0/24 via 192.0.2.10"),
    lastly() {
      director("ip route del 203.0.113.0/24 2>/dev/null || true");
      site.network.sh("client", "ip address del 203.0.113.10/32 dev lo");
    },
  });

  /** The servers that answer so many requests. */
  async function serversOf(count: number): Promise<string[]> {
    const replies = await site.client.get(URL, { count });
    assert.ok(replies.every(isAnswer), JSON.stringify(replies));
    return Object.keys(spread(replies));
  }
  proves(site, {
    id: "server-by-default-route",
    subject: "198.51.100.11:8080 of tcp/192.0.2.100:80",
    rules: ONE_SERVER,
    url: URL,
    evidence:
      /^back has 198\.51\.100\.1\/32, which makes no route to other addresses: /m,
    // Requests and answers use the same interface.
    also: ["redirects-sent"],
    fault() {
      director("ip route add default via 192.0.2.10");
      director("ip address add 198.51.100.1/32 dev back");
      director("ip address del 198.51.100.1/24 dev back");
    },
    fails: () => unansweredForLong(site, URL),
    repair: () => void director("ip address add 198.51.100.1/24 dev back"),
    lastly() {
      director("ip route del default 2>/dev/null || true");
      director("ip address replace 198.51.100.1/24 dev back");
      director("ip address del 198.51.100.1/32 dev back 2>/dev/null || true");
    },
  });

  proves(site, {
    id: "service-shadowed",
    subject: "tcp/192.0.2.100:80",
    skip: without("iptables-legacy", "iptables"),
    rules: `${ONE_SERVER}
      -A -f 7 -s rr
      -a -f 7 -r 198.51.100.12:8080 -m`,
    works: async () => {
      assert.deepEqual(await serversOf(2), ["real1"]);
    },
    prepare() {
      // Otherwise nothing sets the mark of the other service.
      director(`iptables-legacy -t mangle -A ${marking(81)}`);
    },
    fault: () => void director(`iptables-legacy -t mangle -A ${marking(80)}`),
    fails: async () => {
      assert.deepEqual(await serversOf(2), ["real2"]);
    },
    repair: () => void director(`iptables-legacy -t mangle -D ${marking(80)}`),
    lastly: () => void director("iptables-legacy -t mangle -F PREROUTING"),
  });

  /** Whether each of some requests for a port reaches this port of its server. */
  async function keepsPort(port: number): Promise<boolean> {
    const replies = await site.client.get(`http://192.0.2.100:${port}/`, {
      count: 4,
      patienceSeconds: 15,
    });
    assert.ok(replies.every(isAnswer), JSON.stringify(replies));
    return replies.every(({ addressedAs }) => addressedAs.endsWith(`:${port}`));
  }
  const bothServers = `
    -A -f 7 -s rr
    -a -f 7 -r 198.51.100.11:0 -m
    -a -f 7 -r 198.51.100.12:0 -m`;
  async function fixPort(): Promise<void> {
    await ipvsadm("-d -f 7 -r 198.51.100.12:0");
    await ipvsadm("-a -f 7 -r 198.51.100.12:8080 -m");
  }

  proves(site, {
    id: "port-fixed",
    subject: "198.51.100.12:8080 of fwm/7",
    skip: without("iptables-legacy", "iptables"),
    rules: bothServers,
    prepare: () =>
      void director(`iptables-legacy -t mangle -A ${marking(8080)}`),
    works: async () => {
      assert.ok(await keepsPort(8080));
    },
    fault: fixPort,
    // Nothing fails as long as clients ask for this port only.
    fails: async () => {
      assert.ok(await keepsPort(8080));
    },
    repair({ cure, fix }: Found) {
      assert.deepEqual(fix, []);
      const commands = Array.from(cure.matchAll(/'(ipvsadm [^']+)'/g));
      assert.equal(commands.length, 2, cure);
      for (const [, command = ""] of commands)
        director(`PATH=${PROGRAMS}:$PATH; ${command}`);
    },
    lastly: () => void director("iptables-legacy -t mangle -F PREROUTING"),
  });

  proves(site, {
    id: "ports-merged",
    subject: "198.51.100.12:8080 of fwm/7",
    seen: /^port 8092 of clients goes to port 8080 of 198\.51\.100\.12; 198\.51\.100\.11:0 gets each request at the port that it is for$/,
    skip: without("iptables-legacy", "iptables"),
    rules: bothServers,
    prepare() {
      for (const port of [8080, SECOND_PORT])
        director(`iptables-legacy -t mangle -A ${marking(port)}`);
    },
    works: async () => {
      for (const port of [8080, SECOND_PORT]) assert.ok(await keepsPort(port));
    },
    fault: fixPort,
    fails: async () => {
      assert.ok(!(await keepsPort(SECOND_PORT)));
    },
    lastly: () => void director("iptables-legacy -t mangle -F PREROUTING"),
  });

  const FAR6 = "2001:db8:77::10";
  const URL6 = "http://[2001:db8:1::100]/";
  proves(site, {
    id: "answers-unroutable",
    name: "the kernel ignores router advertisements",
    subject: "tcp/[2001:db8:1::100]:80",
    evidence:
      /^front forwards and has accept_ra 1, so the kernel ignores router advertisements there$/m,
    rules: `
      -A -t [2001:db8:1::100]:80 -s rr
      -a -t [2001:db8:1::100]:80 -r [2001:db8:2::11]:8080 -m`,
    prepare() {
      site.network.sh("client", `ip address add ${FAR6}/128 dev lo`);
      site.network.sh("real1", "ip -6 route add default via 2001:db8:2::1");
      director(
        "sysctl -w net.ipv6.conf.front.accept_ra=1; ip -6 route add default via 2001:db8:1::10",
      );
    },
    async works() {
      const from = { from: FAR6, patienceSeconds: 15 };
      const replies = await site.client.get(URL6, from);
      assert.ok(replies.every(isAnswer), JSON.stringify(replies));
    },
    fault: () => void director("ip -6 route del default"),
    async fails() {
      const from = { from: FAR6, patienceSeconds: 1 };
      for (let i = 0; i < 3; i++) {
        const replies = await site.client.get(URL6, from);
        assert.ok(!replies.some(isAnswer), JSON.stringify(replies));
      }
    },
    // No router announces itself here, so this is the other way that the fix names.
    repair({ fix: [first] }) {
      assert.equal(first?.command, "sysctl -w net.ipv6.conf.front.accept_ra=2");
      const [, command = ""] = /'(ip -6 [^']+)'/.exec(first.effect ?? "") ?? [];
      director(command.replace("ROUTER", "2001:db8:1::10"));
    },
    lastly() {
      director("ip -6 route del default 2>/dev/null || true");
      site.network.sh("real1", "ip -6 route del default 2>/dev/null || true");
      site.network.sh("client", `ip address del ${FAR6}/128 dev lo`);
    },
  });

  proves(site, {
    id: "scheduler-pins",
    subject: "tcp/192.0.2.100:80",
    rules: RULES,
    works: async () => {
      assert.equal((await serversOf(16)).length, 2);
    },
    fault: async () => {
      await ipvsadm(`-E ${SERVICE} -s dh`);
    },
    fails: async () => {
      assert.equal((await serversOf(6)).length, 1);
    },
  });

  /** Where the answer to a datagram comes from. */
  async function sourceOfAnswer(): Promise<string> {
    const [reply] = await site.client.sendDatagrams("192.0.2.100:53");
    assert.ok(reply);
    return "source" in reply ? reply.source : reply.failure;
  }
  async function resolves(): Promise<void> {
    assert.equal(await sourceOfAnswer(), "192.0.2.100:53");
  }
  proves(site, {
    id: "one-packet-masqueraded",
    subject: "udp/192.0.2.100:53",
    rules: DNS_RULES,
    works: resolves,
    fault: async () => {
      await ipvsadm(`-E ${DNS} -s rr -o`);
    },
    // A client that has connected its socket drops it.
    async fails() {
      assert.equal(await sourceOfAnswer(), "198.51.100.11:53");
    },
  });

  /** How many UDP connections IPVS knows. */
  const datagramEntries = () =>
    Number(director("grep -c ^UDP /proc/net/ip_vs_conn || true"));
  let entriesBefore = 0;
  proves(site, {
    id: "timeout-short",
    subject: "UDP",
    rules: DNS_RULES,
    works: resolves,
    fault: async () => {
      entriesBefore = datagramEntries();
      await ipvsadm("--set 0 0 2");
    },
    // The kernel forgets a client that waits for its next answer.
    async fails() {
      await resolves();
      const entries = await eventually(
        () => Promise.resolve(datagramEntries()),
        (count) => count <= entriesBefore,
      );
      assert.ok(entries <= entriesBefore, `${entries} of ${entriesBefore}`);
    },
    lastly: async () => {
      await ipvsadm("--set 900 0 300");
    },
  });

  proves(site, {
    id: "defense-drops",
    subject: "net.ipv4.vs.drop_packet",
    rules: RULES,
    url: URL,
    fault: () =>
      void director(
        "sysctl -w net.ipv4.vs.am_droprate=1 net.ipv4.vs.drop_packet=3",
      ),
    // The kernel looks at the setting once a second.
    async fails() {
      const replies = await eventually(
        () => site.client.get(URL, { patienceSeconds: 1 }),
        (replies) => !replies.some(isAnswer),
      );
      assert.ok(!replies.some(isAnswer), JSON.stringify(replies));
    },
    lastly: () =>
      void director(
        "sysctl -w net.ipv4.vs.am_droprate=10 net.ipv4.vs.drop_packet=0",
      ),
  });

  let local: Server;
  before(async () => {
    local = await startServer(DIRECTOR, [8080]);
  });
  after(() => local.stop());

  proves(site, {
    id: "server-on-loopback",
    subject: "127.0.0.1:8080 of tcp/192.0.2.100:80",
    rules: ONE_SERVER,
    url: URL,
    async fault() {
      await ipvsadm(`-d ${SERVICE} -r 198.51.100.11:8080`);
      await ipvsadm(`-a ${SERVICE} -r 127.0.0.1:8080 -m`);
    },
    repair({ cure, fix }: Found) {
      assert.deepEqual(fix, []);
      const [, command = ""] = /"([^"]+)"/.exec(cure) ?? [];
      assert.match(command, /^ipvsadm -a .* && ipvsadm -d /);
      director(`PATH=${PROGRAMS}:$PATH; ${command}`);
    },
  });

  proves(site, {
    id: "local-server-unheard",
    subject: "198.51.100.1:8081 of tcp/192.0.2.100:80",
    rules: `
      -A ${SERVICE} -s rr
      -a ${SERVICE} -r 198.51.100.1:8080 -m`,
    url: URL,
    async fault() {
      await ipvsadm(`-d ${SERVICE} -r 198.51.100.1:8080`);
      await ipvsadm(`-a ${SERVICE} -r 198.51.100.1:8081 -m`);
    },
    async repair({ cure }: Found) {
      // The address is the director's own: without it no server can be reached.
      assert.match(cure, /^Start the program .* 198\.51\.100\.1, port 8081\.$/);
      await ipvsadm(`-d ${SERVICE} -r 198.51.100.1:8081`);
      await ipvsadm(`-a ${SERVICE} -r 198.51.100.1:8080 -m`);
    },
  });

  let programs: number[] = [];
  /** Starts a program of the director at port 80 of an address, and waits until it listens there. @param digits the address as /proc/net/tcp has it */
  const listenAt = async (at: string, digits: string) => {
    const program = `
      require("http").createServer((_, answer) => answer.end(JSON.stringify({ server: "director", filling: "" })))
        .listen(80, "${at}");`;
    const pid = Number(
      director(`${process.execPath} -e '${program}' >/dev/null 2>&1 & echo $!`),
    );
    programs.push(pid);
    const row = `${digits}:0050 00000000:0000 0A`;
    const listens = await eventually(
      () => Promise.resolve(director("cat /proc/net/tcp")),
      (text) => text.includes(row),
    );
    assert.ok(listens.includes(row));
    return pid;
  };
  const stopPrograms = () => {
    for (const pid of programs) director(`kill ${pid} || true`);
    programs = [];
  };
  proves(site, {
    id: "local-server-unheard",
    name: "the program listens at another address",
    rules: ONE_SERVER,
    url: URL,
    async fault() {
      await listenAt("198.51.100.1", "016433C6");
      await ipvsadm(`-d ${SERVICE} -r 198.51.100.11:8080`);
      await ipvsadm(`-a ${SERVICE} -r 198.51.100.1 -g`);
    },
    async repair({ cure }: Found) {
      assert.match(
        cure,
        /^Let \S+ \(PID [0-9]+\) listen at 0\.0\.0\.0, or also at 192\.0\.2\.100, because /,
      );
      assert.ok(cure.includes(`(PID ${programs[0] ?? ""})`), cure);
      assert.doesNotMatch(cure, /ip address del/);
      stopPrograms();
      await listenAt("0.0.0.0", "00000000");
    },
    lastly: stopPrograms,
  });

  let hanging: number;
  const signal = (name: string) =>
    void site.network.sh("real1", `kill -${name} ${hanging}`);
  proves(site, {
    id: "server-hangs",
    subject: `198.51.100.11:${HANGING_PORT} of tcp/192.0.2.100:80`,
    rules: `
      -A ${SERVICE} -s rr
      -a ${SERVICE} -r 198.51.100.11:${HANGING_PORT} -m
      -a ${SERVICE} -r 198.51.100.12:${HANGING_PORT} -m`,
    url: URL,
    async prepare() {
      const program = `
        require("http").createServer((_, answer) => answer.end(JSON.stringify({ server: "real1", filling: "" })))
          .listen(${HANGING_PORT});`;
      hanging = Number(
        site.network.sh(
          "real1",
          `${process.execPath} -e '${program}' >/dev/null 2>&1 & echo $!`,
        ),
      );
      const listens = await eventually(
        () =>
          Promise.resolve(
            site.network.sh("real1", "cat /proc/net/tcp /proc/net/tcp6"),
          ),
        (text) => text.includes(LISTENING),
      );
      assert.ok(listens.includes(LISTENING));
    },
    fault: () => {
      signal("STOP");
    },
    // The kernel forgets such a connection after a minute, so there are new ones while the doctor examines.
    async fails() {
      for (let i = 0; i < 10; i++)
        await site.client.get(URL, { patienceSeconds: 1 });
    },
    async traffic(goesOn) {
      while (goesOn()) await site.client.get(URL, { patienceSeconds: 1 });
    },
    machines: { "real server 198.51.100.11": "real1" },
    // "error connections-unaccepted" there
    there: "connections-unaccepted",
    async repair({ evidence, fix }) {
      assert.match(
        evidence.join("\n"),
        /^program \S+ \(PID \d+\), which listens there, is stopped \(state T\)$/,
      );
      for (const { command } of fix) site.network.sh("real1", command);
      // It accepts the connections that wait first.
      await answered(site, URL);
    },
    lastly: () => {
      signal("KILL");
    },
  });

  // The IPv6 addresses of an interface that is down are lost, so this is the last one.
  proves(site, {
    id: "server-network-down",
    subject: "198.51.100.11:8080 of tcp/192.0.2.100:80",
    seen: /^back, which has 198\.51\.100\.1\/24 in its network, is down, and there is no route to it$/,
    rules: ONE_SERVER,
    works: () => answered(site, URL),
    fault: () => void director("ip link set back down"),
    fails: () => unansweredForLong(site, URL),
    lastly: () => void director("ip link set back up"),
  });
});
