import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { isAnswer } from "../../lab/http.js";
import { DIRECTOR } from "../../lab/network.js";
import type { HeldConnection } from "../../traffic/caller.js";
import { balance, ipvsadm } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { BEHIND_DIRECTOR } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import {
  answered,
  carryOut,
  examined,
  proves,
  silent,
  unanswered,
} from "./case.js";

const SERVICE = "-t 192.0.2.100:80";
const RULES = `
  -A ${SERVICE} -s rr
  -a ${SERVICE} -r 198.51.100.11:8080 -m`;
const URL = "http://192.0.2.100/";
const DNS = "-u 192.0.2.100:53";
const MARK = "PREROUTING -d 192.0.2.100 -p udp --dport 53 -j MARK --set-mark 7";

suite(
  "doctor finds deleted services, and services that no packet reached",
  () => {
    const site = siteOf(BEHIND_DIRECTOR, {
      real1: { http: [8080], datagrams: ["198.51.100.11:53"] },
      real2: { http: [8080], datagrams: ["198.51.100.12:53"] },
    });
    const director = (command: string) => site.network.sh(DIRECTOR, command);
    const forgive = () =>
      void director("sysctl -w net.ipv4.vs.expire_nodest_conn=0");

    /** Sends a datagram from a port that stays the same. @returns who answered within this time */
    function asks(seconds: number): string {
      const program = `
      const socket = require("dgram").createSocket("udp4");
      const tell = (what) => { console.log(what); process.exit(); };
      socket.on("message", (message) => tell(JSON.parse(message).server));
      socket.bind(5311, () => socket.send("who are you?", 53, "192.0.2.100"));
      setTimeout(() => tell("no answer"), ${seconds} * 1000);`;
      return site.network
        .sh("client", `${process.execPath} -e '${program}'`)
        .trim();
    }

    proves(site, {
      id: "service-deleted",
      name: "a UDP client keeps its port, and a service by firewall mark would take its datagrams",
      subject: "udp/192.0.2.100:53",
      seen: /^1 open connection is with 198\.51\.100\.11:53, and there is no such service$/,
      skip: without("iptables-legacy", "iptables"),
      rules: `
      -A ${DNS} -s rr
      -a ${DNS} -r 198.51.100.11:53 -m`,
      works: () => {
        assert.match(asks(20), /^real/);
        return Promise.resolve();
      },
      async fault() {
        director(`iptables-legacy -t mangle -A ${MARK}`);
        await ipvsadm(`-D ${DNS}`);
        await ipvsadm("-A -f 7 -s rr");
        await ipvsadm("-a -f 7 -r 198.51.100.12:53 -m");
      },
      fails: () => {
        assert.equal(asks(1.5), "no answer");
        return Promise.resolve();
      },
      lastly() {
        director(`iptables-legacy -t mangle -D ${MARK}`);
        forgive();
      },
    });

    // Without any service of a family IPVS looks at no packet of the family.
    const RULES6 = `
      -A -t [2001:db8:1::100]:80 -s rr
      -a -t [2001:db8:1::100]:80 -r [2001:db8:2::11]:8080 -m`;
    for (const { name, vip, server, subject, others, url } of [
      {
        name: "a TCP connection hangs",
        vip: "192.0.2.100:89",
        server: "198.51.100.11:8080",
        subject: "tcp/192.0.2.100:89",
        others: RULES,
        url: URL,
      },
      {
        name: "a TCP connection over IPv6 hangs",
        vip: "[2001:db8:1::100]:89",
        server: "[2001:db8:2::11]:8080",
        subject: "tcp/[2001:db8:1::100]:89",
        others: RULES6,
        url: "http://[2001:db8:1::100]/",
      },
    ]) {
      const held: HeldConnection[] = [];
      proves(site, {
        id: "service-deleted",
        name,
        subject,
        rules: `${others}
        -A -t ${vip} -s rr
        -a -t ${vip} -r ${server} -m`,
        prepare: () => answered(site, url),
        async works() {
          while (held.length < 2)
            held.push(await site.client.hold(`http://${vip}/`));
          // Either there is an answer, or the client is told at once that there will be none.
          const reply = await held[1]?.ask();
          if (reply && !isAnswer(reply))
            assert.equal(reply.failure, "ECONNRESET");
        },
        fault: async () => {
          await ipvsadm(`-D -t ${vip}`);
        },
        async fails() {
          assert.deepEqual(await held[0]?.ask(5), {
            failure: "no answer in 5 s",
          });
        },
        lastly: forgive,
      });
    }

    let used = URL;
    proves(site, {
      id: "service-unreached",
      name: "the service has another port than clients use",
      subject: "tcp/192.0.2.100:8080",
      rules: RULES,
      works: () => answered(site, URL),
      async fault() {
        await balance(RULES.replaceAll("192.0.2.100:80", "192.0.2.100:8080"));
      },
      fails: () => unanswered(site, URL),
      repair: () => balance(RULES),
    });

    proves(site, {
      id: "service-unreached",
      name: "the client has an old hardware address of the virtual address",
      subject: "tcp/192.0.2.100:90",
      rules: RULES,
      works: () => answered(site, used),
      async fault() {
        await balance(RULES.replaceAll("192.0.2.100:80", "192.0.2.100:90"));
        used = "http://192.0.2.100:90/";
        site.network.sh(
          "client",
          "ip neigh replace 192.0.2.100 lladdr 02:00:00:00:00:99 dev front nud permanent",
        );
      },
      fails: () => unanswered(site, used),
      repair: () =>
        void site.network.sh("client", "ip neigh del 192.0.2.100 dev front"),
    });

    proves(site, {
      id: "mark-unmatched",
      name: "the rule that sets the firewall mark names the servers' interface",
      subject: "fwm/9",
      seen: /^rule 1 of chain PREROUTING \(iptables-legacy, table mangle\), ".*", 0 packets, sets mark 9: requests come in by front, which the rule does not match$/,
      skip: without("iptables-legacy", "iptables"),
      rules: `
      -A -f 7 -s rr
      -a -f 7 -r 198.51.100.11:8080 -m`,
      url: URL,
      prepare: () =>
        void director(
          "iptables-legacy -t mangle -A PREROUTING -d 192.0.2.100 -p tcp --dport 80 -j MARK --set-mark 7",
        ),
      async fault() {
        director("iptables-legacy -t mangle -F PREROUTING");
        director(
          "iptables-legacy -t mangle -A PREROUTING -d 192.0.2.100 -i back -p tcp -m multiport --dports 80,443 -j MARK --set-mark 9",
        );
        await balance(`
        -A -f 9 -s rr
        -a -f 9 -r 198.51.100.12:8080 -m`);
      },
      fails: () => unanswered(site, URL),
      lastly: () => void director("iptables-legacy -t mangle -F PREROUTING"),
    });

    proves(site, {
      id: "mark-unmatched",
      seen: /: the rule is for requests to 192\.0\.2\.101, which is not an address of this machine$/,
      name: "a rule sets the firewall mark for another address",
      subject: "fwm/9",
      skip: without("iptables-legacy", "iptables"),
      rules: `
      -A -f 7 -s rr
      -a -f 7 -r 198.51.100.11:8080 -m`,
      url: URL,
      prepare: () =>
        void director(
          "iptables-legacy -t mangle -A PREROUTING -d 192.0.2.100 -p tcp --dport 80 -j MARK --set-mark 7",
        ),
      async fault() {
        director("iptables-legacy -t mangle -F PREROUTING");
        director(
          "iptables-legacy -t mangle -A PREROUTING -d 192.0.2.101 -p tcp --dport 80 -j MARK --set-mark 9",
        );
        await balance(`
        -A -f 9 -s rr
        -a -f 9 -r 198.51.100.12:8080 -m`);
      },
      fails: () => unanswered(site, URL),
      repair: () =>
        void director(
          "iptables-legacy -t mangle -A PREROUTING -d 192.0.2.100 -p tcp --dport 80 -j MARK --set-mark 9",
        ),
      lastly: () => void director("iptables-legacy -t mangle -F PREROUTING"),
    });

    proves(site, {
      id: "mark-overwritten",
      name: "a rule for shaping replaces the firewall mark",
      subject: "fwm/7",
      seen: /^rule 1 of chain PREROUTING \(iptables-legacy, table mangle\), ".*", [1-9]\d* packets, sets mark 7; then rule 2 of chain PREROUTING .*, [1-9]\d* packets, sets mark 20 instead$/,
      skip: without("iptables-legacy", "iptables"),
      rules: `
      -A -f 7 -s rr
      -a -f 7 -r 198.51.100.11:8080 -m`,
      url: URL,
      prepare: () =>
        void director(
          "iptables-legacy -t mangle -A PREROUTING -d 192.0.2.100 -p tcp -m multiport --dports 80,443 -j MARK --set-mark 7",
        ),
      async fault() {
        director(
          "iptables-legacy -t mangle -A PREROUTING -i front -p tcp -m multiport --dports 80,443,8000:8099 -m comment --comment 'shaping: class web' -j MARK --set-mark 20",
        );
        await balance(`
        -A -f 7 -s rr
        -a -f 7 -r 198.51.100.12:8080 -m`);
      },
      fails: () => unanswered(site, URL),
      lastly: () => void director("iptables-legacy -t mangle -F PREROUTING"),
    });

    proves(site, {
      id: "mark-overwritten",
      name: "the rule of the service keeps bits of an earlier rule",
      subject: "fwm/7",
      seen: /, sets bits of the mark; then rule 2 of chain PREROUTING .*, sets mark 7 and keeps these bits, so packets get mark 263$/,
      skip: without("iptables-legacy", "iptables"),
      rules: `
      -A -f 7 -s rr
      -a -f 7 -r 198.51.100.11:8080 -m`,
      url: URL,
      prepare: () =>
        void director(
          "iptables-legacy -t mangle -A PREROUTING -d 192.0.2.100 -p tcp --dport 80 -j MARK --set-xmark 7/0xff",
        ),
      async fault() {
        director(
          "iptables-legacy -t mangle -I PREROUTING -i front -j MARK --or-mark 0x100",
        );
        await balance(`
        -A -f 7 -s rr
        -a -f 7 -r 198.51.100.12:8080 -m`);
      },
      fails: () => unanswered(site, URL),
      lastly: () => void director("iptables-legacy -t mangle -F PREROUTING"),
    });

    const CLEAN = `
      iptables-legacy -t mangle -F PREROUTING; ip6tables-legacy -t mangle -F PREROUTING || true
      while ip rule del priority 700 2>/dev/null; do :; done
      while ip -6 rule del priority 700 2>/dev/null; do :; done
      for family in -4 -6; do ip $family route flush table 100 2>/dev/null || true; done
      ip route del local 203.0.113.100 dev lo 2>/dev/null || true
      ip route del local 203.0.113.64/28 dev lo 2>/dev/null || true
      ip address del 203.0.113.70/32 dev lo 2>/dev/null || true`;
    const BLOCK = "-d 203.0.113.64/28 -p tcp -m multiport --dports 80,443";
    /** The route of the client to addresses that only the director has. */
    const knows = (target: string, router = "192.0.2.1") =>
      void site.network.sh(
        "client",
        `ip route replace ${target} via ${router}`,
      );
    const markedRules = (server: number) => `
      -A -f 7 -s rr
      -a -f 7 -r 198.51.100.${server}:8080 -m`;

    for (const one of [
      {
        name: "the table of the routing rule is empty",
        target: "203.0.113.64/28",
        match: BLOCK,
        prepare:
          "ip rule add fwmark 7 lookup 100 priority 700; ip route add local default dev lo table 100",
        fault: "ip route flush table 100",
        url: "http://203.0.113.70/",
        evidence:
          /^routing rule 700 sends packets with mark 7 to table 100, which has no local route for them$/,
        fix: "ip route add local 203.0.113.64/28 dev lo table 100",
      },
      {
        name: "there is neither a routing rule nor a local route",
        target: "203.0.113.100",
        match: "-d 203.0.113.100 -p tcp --dport 80",
        prepare: "ip route add local 203.0.113.100 dev lo",
        fault: "ip route del local 203.0.113.100 dev lo",
        url: "http://203.0.113.100/",
        evidence:
          /^no routing rule sends packets with mark 7 to a table of their own$/,
        fix: "ip route add local 203.0.113.100 dev lo",
      },
    ])
      proves(site, {
        id: "mark-not-local",
        name: one.name,
        subject: "fwm/7",
        seen: /^rule 1 of chain PREROUTING \(iptables-legacy, table mangle\), ".*", [1-9]\d* packets, sets mark 7, and packets with it to \S+ are not local: there is no route to them$/,
        evidence: one.evidence,
        skip: without("iptables-legacy", "iptables"),
        rules: markedRules(11),
        url: one.url,
        prepare() {
          knows(one.target);
          director(
            `iptables-legacy -t mangle -A PREROUTING ${one.match} -j MARK --set-mark 7; ${one.prepare}`,
          );
        },
        async fault() {
          director(one.fault);
          await balance(markedRules(12));
        },
        fails: () => unanswered(site, one.url),
        repair(finding) {
          assert.equal(finding.certainty, "proven");
          assert.deepEqual(
            finding.fix.map(({ command }) => command),
            [one.fix],
          );
          carryOut(site, finding, {});
        },
        lastly: () => void director(CLEAN),
      });

    proves(site, {
      id: "mark-not-local",
      name: "IPv6, and the routing rule is for some bits of the mark",
      subject: "fwm6/7",
      skip: without("ip6tables-legacy", "iptables"),
      rules: `
      -A -f 7 -6 -s rr
      -a -f 7 -6 -r [2001:db8:2::11]:8080 -m`,
      url: "http://[2001:db8:9::46]/",
      prepare() {
        knows("2001:db8:9::40/124", "2001:db8:1::1");
        director(`ip6tables-legacy -t mangle -A PREROUTING -d 2001:db8:9::40/124 -p tcp --dport 80 -j MARK --set-mark 7
          ip -6 rule add fwmark 7/0xff lookup 100 priority 700
          ip -6 route add local default dev lo table 100`);
      },
      async fault() {
        director("ip -6 route flush table 100");
        await balance(`
        -A -f 7 -6 -s rr
        -a -f 7 -6 -r [2001:db8:2::12]:8080 -m`);
      },
      fails: () => unanswered(site, "http://[2001:db8:9::46]/"),
      lastly: () => void director(CLEAN),
    });

    for (const [what, setUp] of [
      [
        "a table with a local route",
        "ip rule add fwmark 7 lookup 100 priority 700; ip route add local default dev lo table 100",
      ],
      [
        "a routing rule for the interface of the clients",
        "ip rule add iif front fwmark 7 lookup 100 priority 700; ip route add local 203.0.113.64/28 dev lo table 100",
      ],
      [
        "one address of the block on an interface",
        "ip address add 203.0.113.70/32 dev lo",
      ],
    ] as const)
      test(
        `doctor finds nothing: packets with a mark are local by ${what}, before the first request and after it`,
        { skip: without("iptables-legacy", "iptables") },
        async () => {
          knows("203.0.113.64/28");
          try {
            director(
              `iptables-legacy -t mangle -A PREROUTING ${BLOCK} -j MARK --set-mark 7; ${setUp}`,
            );
            await balance(markedRules(11));
            const only = () =>
              examined("all examined", "--only mark-not-local");
            assert.deepEqual((await only()).found, []);
            await answered(site, "http://203.0.113.70/");
            await silent();
            // The rule has counted packets, and the service none.
            await balance(markedRules(12));
            assert.deepEqual((await only()).found, []);
          } finally {
            director(CLEAN);
          }
        },
      );

    test("service-unreached: of a table that is in use, a named service only", async () => {
      await balance(`${RULES}
      -A -t 192.0.2.100:443 -s rr
      -a -t 192.0.2.100:443 -r 198.51.100.11:8080 -m`);
      await answered(site, URL);
      const idsOf = async (options: string) =>
        (await examined("all examined", options)).found.map(({ id }) => id);
      assert.deepEqual(await idsOf(""), []);
      assert.deepEqual(await idsOf("tcp/192.0.2.100:80"), []);
      assert.deepEqual(await idsOf("tcp/192.0.2.100:443"), [
        "service-unreached",
      ]);
    });
  },
);
