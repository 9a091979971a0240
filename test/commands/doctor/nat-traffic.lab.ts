import assert from "node:assert/strict";
import { before, suite, test } from "node:test";
import { pairsIn } from "../../../src/doctor/read-counters.js";
import { eventually } from "../../lab/eventually.js";
import { isAnswer } from "../../lab/http.js";
import { DIRECTOR } from "../../lab/network.js";
import { ours } from "../../lab/program.js";
import type { HeldConnection } from "../../traffic/caller.js";
import { balance, ipvsadm } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { forgetConnections } from "../../traffic/forget-connections.js";
import { BEHIND_DIRECTOR, otherClients } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import {
  examined,
  proves,
  repairsByProbe,
  unansweredForLong,
  wordsOf,
  type Found,
} from "./case.js";
import { startResident } from "./resident.js";

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
      ...(options === "" ? { repair: repairsByProbe(site) } : {}),
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
    repair: repairsByProbe(site),
  });

  const hardwareOf = (host: string, device = "back") =>
    on(host, `cat /sys/class/net/${device}/address`).trim();
  const twice = { id: "server-address-twice" } as const;
  proves(site, {
    id: "server-refuses",
    name: "another machine has the address as well",
    subject: "198.51.100.12:8080 of tcp/192.0.2.100:80",
    evidence:
      /198\.51\.100\.12 and 198\.51\.100\.13 have the same hardware address, /,
    rules: RULES,
    url: URL,
    options: "--probe",
    async fault() {
      on("real3", "ip address add 198.51.100.12/24 dev back");
      // Whoever answers or asks first would decide it.
      on(
        "real2",
        `ip neighbor replace 198.51.100.1 lladdr ${hardwareOf(DIRECTOR)} dev back nud permanent`,
      );
      for (const address of ["198.51.100.12", "198.51.100.13"])
        director(
          `ip neighbor replace ${address} lladdr ${hardwareOf("real3")} dev back nud reachable`,
        );
      await forgetConnections();
      await balance(RULES);
    },
    fails: () => refused(URL),
    async repair({ next, fix: outOfUse }) {
      assert.match(outOfUse[0]?.command ?? "", / -w 0$/);
      const resident = startResident("real2");
      try {
        const words = wordsOf(next[0]?.command ?? "").slice(1);
        const look = async (line: readonly string[]) => {
          const { stdout, stderr } = await resident.run([
            ...line,
            "-o",
            "json",
          ]);
          assert.equal(stderr, "");
          return (JSON.parse(stdout) as { findings: readonly Found[] })
            .findings;
        };
        const [finding, ...others] = await look(words);
        assert.deepEqual(others, []);
        assert.equal(finding?.id, twice.id);
        assert.ok(finding.seen.includes(hardwareOf("real3")), finding.seen);
        // What changes another machine is described, and not offered as a command.
        assert.deepEqual(finding.fix, []);
        const [remove = "", ask = ""] = Array.from(
          finding.cure.matchAll(/"([^"]+)"/g),
          ([, command = ""]) => command,
        );
        assert.match(remove, /^ip address del /);
        assert.match(ask, /^ip neighbor flush to /);
        on("real3", remove.replace("INTERFACE", "back"));
        director(ask);
        // The same question with the hardware address that the director finds now.
        const own = hardwareOf("real2");
        const asked = words.map((word) =>
          word === hardwareOf("real3") ? own : word,
        );
        assert.deepEqual(await look(asked), []);
      } finally {
        await resident.stop();
      }
      await balance(RULES);
    },
    lastly: () => {
      on("real3", "ip address del 198.51.100.12/24 dev back || true");
      on("real2", "ip neighbor del 198.51.100.1 dev back || true");
      director("ip neighbor flush dev back");
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
    repair: repairsByProbe(site),
  });

  let hashed = "";
  /** Sees whether the client that source hashing sends to the refusing server is answered. */
  const isHashedAnswered = async () => {
    const replies = await site.client.get(URL, { from: hashed, count: 2 });
    return replies.every(isAnswer);
  };
  proves(site, {
    id: "server-refuses",
    name: "source hashing, where weight 0 does not free the clients",
    subject: "198.51.100.12:8081 of tcp/192.0.2.100:80",
    options: "--probe",
    rules: `
      -A ${SERVICE} -s sh
      -a ${SERVICE} -r 198.51.100.11:8080 -m`,
    async works() {
      const from = hashed === "" ? "192.0.2.10" : hashed;
      const replies = await site.client.get(URL, { from });
      assert.ok(replies.every(isAnswer), JSON.stringify(replies));
    },
    fault: async () => {
      await ipvsadm(`-a ${SERVICE} -r 198.51.100.12:8081 -m`);
    },
    async fails() {
      for (const from of otherClients(20)) {
        hashed = from;
        if (!(await isHashedAnswered())) return;
      }
      assert.fail("source hashing sends no client to real2");
    },
  });

  test("doctor --probe tries no server whose answers this machine refuses", async () => {
    await balance(RULES);
    director("sysctl -w net.ipv4.vs.nat_icmp_send=1");
    try {
      const replies = await site.client.get(URL, { count: 4 });
      assert.ok(replies.every(isAnswer), JSON.stringify(replies));
      assert.throws(() =>
        director(`timeout 2 bash -c "exec 3<>/dev/tcp/198.51.100.11/8080"`),
      );
      const { stdout, status } = await ours(["doctor", "--probe"]);
      assert.match(stdout, /No fault found/);
      assert.match(
        stdout.replaceAll(/\s+/g, " "),
        /whether 198\.51\.100\.11:8080 and 198\.51\.100\.12:8080 accept connections \(net\.ipv4\.vs\.nat_icmp_send is 1, so /,
      );
      assert.equal(status, 0);
    } finally {
      director("sysctl -w net.ipv4.vs.nat_icmp_send=0");
    }
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

  /** Sends a datagram from a port that stays the same. @param seconds to wait for an answer */
  function asksFrom(port: number, seconds = 20, bytes = 12): string {
    const program = `
      const socket = require("dgram").createSocket("udp4");
      const tell = (what) => { console.log(what); process.exit(); };
      socket.on("message", (message) => tell(JSON.parse(message).server));
      socket.bind(${port}, () => socket.send("who are you?".padEnd(${bytes}), 53, "192.0.2.100"));
      setTimeout(() => tell("no answer"), ${seconds} * 1000);`;
    return site.network
      .sh("client", `${process.execPath} -e '${program}'`)
      .trim();
  }

  // Before the fault only a request that needs no fragments: the kernel has put none together yet.
  let isCut = false;
  proves(site, {
    id: "fragments-not-reassembled",
    subject: "IPv4",
    seen: /; net\.ipv4\.ipfrag_high_thresh is 256 bytes/,
    rules: `
      -A ${DNS} -s rr
      -a ${DNS} -r 198.51.100.11:53 -m
      -a ${DNS} -r 198.51.100.12:53 -m`,
    works: () => {
      const bytes = isCut ? 12000 : 12;
      assert.notEqual(asksFrom(isCut ? 5307 : 5306, 20, bytes), "no answer");
      return Promise.resolve();
    },
    fault() {
      isCut = true;
      director(
        "sysctl -w net.ipv4.ipfrag_low_thresh=192; sysctl -w net.ipv4.ipfrag_high_thresh=256",
      );
    },
    async fails() {
      assert.equal(asksFrom(5308, 1, 12000), "no answer");
      const failed = await eventually(
        () =>
          Promise.resolve(
            pairsIn(director("cat /proc/net/snmp")).get("Ip.ReasmFails") ?? 0n,
          ),
        (count) => count >= 5n,
      );
      assert.ok(failed >= 5n, `${failed} failures`);
    },
    lastly: () =>
      void director(
        "sysctl -w net.ipv4.ipfrag_high_thresh=4194304; sysctl -w net.ipv4.ipfrag_low_thresh=3145728",
      ),
  });

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
      assert.equal(asksFrom(5301, 1.5), "no answer");
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
      assert.equal(asksFrom(5302, 1.5), "no answer");
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

  proves(site, {
    id: "drained-server-dead",
    name: "a UDP client keeps its port, and the program on the drained server has ended",
    subject: "198.51.100.11:53 of udp/192.0.2.100:53",
    seen: /an empty datagram from the director's address to 198\.51\.100\.11:53 was refused/,
    skip: without("iptables-legacy", "iptables"),
    options: "--probe",
    rules: `
      -A ${DNS} -s rr
      -a ${DNS} -r 198.51.100.11:53 -m -w 1
      -a ${DNS} -r 198.51.100.12:53 -m -w 0`,
    works: () => {
      assert.notEqual(asksFrom(5303), "no answer");
      return Promise.resolve();
    },
    async fault() {
      await ipvsadm(`-e ${DNS} -r 198.51.100.11:53 -m -w 0`);
      await ipvsadm(`-e ${DNS} -r 198.51.100.12:53 -m -w 1`);
      on("real1", "iptables-legacy -A INPUT -p udp --dport 53 -j REJECT");
    },
    fails: () => {
      assert.equal(asksFrom(5303, 1.5), "no answer");
      return Promise.resolve();
    },
    lastly() {
      on("real1", "iptables-legacy -F");
      revive();
    },
  });

  proves(site, {
    id: "server-refuses",
    name: "no program has the UDP port of a server",
    subject: "198.51.100.13:53 of udp/192.0.2.100:53",
    seen: /^an empty datagram from the director's address to 198\.51\.100\.13:53 was refused/,
    options: "--probe",
    rules: `
      -A ${DNS} -s rr
      -a ${DNS} -r 198.51.100.11:53 -m`,
    works: () => {
      for (const port of [5311, 5312, 5313])
        assert.notEqual(asksFrom(port), "no answer");
      return Promise.resolve();
    },
    fault: async () => {
      // The entries of the ports lead to the server that answers.
      await forgetConnections();
      await balance(`
        -A ${DNS} -s rr
        -a ${DNS} -r 198.51.100.11:53 -m
        -a ${DNS} -r 198.51.100.13:53 -m`);
    },
    fails: () => {
      const answers = [5311, 5312, 5313].map((port) => asksFrom(port, 1.5));
      assert.ok(answers.includes("no answer"), answers.join());
      return Promise.resolve();
    },
    lastly: revive,
  });

  /** Starts a program of Node.js on a host. @returns what ends it */
  function inBackground(host: string, program: string): () => void {
    const text = `${program}; setTimeout(() => process.exit(), 900000);`;
    const id = on(
      host,
      `${process.execPath} -e '${text}' >/dev/null 2>&1 & echo $!`,
    );
    return () => void on(host, `kill ${id.trim()} 2>/dev/null || true`);
  }

  /** Sends datagrams from a port that stays the same, in a process of its own. @returns what ends it */
  function keepsSending(from: number, to: number): () => void {
    return inBackground(
      "client",
      `const socket = require("dgram").createSocket("udp4");
       socket.bind(${from}, () => setInterval(() => socket.send("a line", ${to}, "192.0.2.100"), 30))`,
    );
  }
  let stopSending: () => void = () => undefined;

  proves(site, {
    id: "drained-server-dead",
    name: "a firewall on the drained server drops the datagrams of a service that has answers",
    subject: "198.51.100.11:53 of udp/192.0.2.100:53",
    seen: /and it gets \d+ packets per second and answers none$/,
    evidence: /^answers are usual in this service: 198\.51\.100\.1[12]:53 got /,
    skip: without("iptables-legacy", "iptables"),
    rules: `
      -A ${DNS} -s rr
      -a ${DNS} -r 198.51.100.11:53 -m -w 1
      -a ${DNS} -r 198.51.100.12:53 -m -w 0`,
    works: () => {
      assert.notEqual(asksFrom(5304), "no answer");
      return Promise.resolve();
    },
    async fault() {
      await ipvsadm(`-e ${DNS} -r 198.51.100.11:53 -m -w 0`);
      await ipvsadm(`-e ${DNS} -r 198.51.100.12:53 -m -w 1`);
      assert.equal(asksFrom(5305), "real2");
      on("real1", "iptables-legacy -A INPUT -p udp --dport 53 -j DROP");
    },
    async fails() {
      assert.equal(asksFrom(5304, 1.5), "no answer");
      stopSending = keepsSending(5304, 53);
      await counted("drained-server-dead");
    },
    async repair({ certainty, next, fix }) {
      assert.equal(certainty, "likely");
      assert.deepEqual(fix, []);
      const real1 = startResident("real1");
      try {
        const [step] = next;
        assert.equal(step?.on, "real server 198.51.100.11");
        const words = [...wordsOf(step.command).slice(1), "-o", "json"];
        const { stdout } = await real1.run(words);
        assert.match(stdout, /"id": "server-firewall-blocks"/);
      } finally {
        await real1.stop();
      }
      // What the cure describes, for a server that stays dead.
      director("sysctl -w net.ipv4.vs.expire_nodest_conn=1");
      await ipvsadm(`-d ${DNS} -r 198.51.100.11:53`);
      stopSending();
      // The port is taken as long as the other process is there.
      await eventually(
        () =>
          Promise.resolve(
            on("client", "ss --no-header --udp --all --numeric sport = :5304"),
          ),
        (text) => text.trim() === "",
      );
    },
    lastly() {
      stopSending();
      on("real1", "iptables-legacy -F");
      revive();
    },
  });

  test("doctor does not take a drained server of a protocol without answers for a dead one", async () => {
    const syslog = "-u 192.0.2.100:514";
    const received = "/tmp/received-datagrams";
    const stopReceiving = inBackground(
      "real1",
      `let count = 0;
       require("dgram").createSocket("udp4")
         .on("message", () => require("fs").writeFileSync("${received}", String(++count)))
         .bind(514, "198.51.100.11")`,
    );
    await balance(`
      -A ${syslog} -s rr
      -a ${syslog} -r 198.51.100.11:514 -m -w 1
      -a ${syslog} -r 198.51.100.12:514 -m -w 0`);
    const count = () =>
      Promise.resolve(Number(on("real1", `cat ${received} || echo 0`)));
    await eventually(
      () =>
        Promise.resolve(
          on("real1", "ss --no-header --udp --all --numeric sport = :514"),
        ),
      (text) => text.trim() !== "",
    );
    const stop = keepsSending(5306, 514);
    assert.ok((await eventually(count, (some) => some > 0)) > 0);
    await ipvsadm(`-e ${syslog} -r 198.51.100.11:514 -m -w 0`);
    await ipvsadm(`-e ${syslog} -r 198.51.100.12:514 -m -w 1`);
    const { stdout } = await eventually(
      () => ours(["list", "-o", "json"]),
      ({ stdout }) => /"inPacketsPerSecond": [1-9]/.test(stdout),
    );
    assert.match(stdout, /"inPacketsPerSecond": [1-9]/);
    const before = await count();
    const { found, status } = await examined();
    assert.deepEqual(
      found.map(({ id }) => id),
      ["drained-server-used"],
    );
    assert.equal(status, 0);
    assert.match(
      found[0]?.evidence[0] ?? "",
      /and sent 0; that is usual where no answers are expected \(syslog, statsd\)/,
    );
    assert.ok((await eventually(count, (some) => some > before)) > before);
    stop();
    stopReceiving();
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
      const reply = await held[0]?.ask(5);
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
  const SERVERS = {
    "real server 198.51.100.11": "real1",
    "real server 198.51.100.12": "real2",
  };
  const reset = () => {
    director("iptables-legacy -t nat -F; sysctl -w net.ipv4.vs.conntrack=0");
    for (const host of ["real1", "real2"])
      site.network.sh(
        host,
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
    machines: SERVERS,
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
    machines: SERVERS,
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
    machines: SERVERS,
    lastly: reset,
  });
});
