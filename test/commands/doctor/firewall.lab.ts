import assert from "node:assert/strict";
import { suite } from "node:test";
import { eventually } from "../../lab/eventually.js";
import { isAnswer } from "../../lab/http.js";
import { DIRECTOR } from "../../lab/network.js";
import { without } from "../../traffic/needs.js";
import { BEHIND_DIRECTOR } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import { answered, proves, unansweredForLong, type Case } from "./case.js";
import { upload, uploadInVain } from "./upload.js";

const WEB = "tcp/192.0.2.100:80";
const URL = "http://192.0.2.100/";
const RULES = `
  -A -t 192.0.2.100:80 -s rr
  -a -t 192.0.2.100:80 -r 198.51.100.11:8080 -m
  -a -t 192.0.2.100:80 -r 198.51.100.12:8080 -m`;
const URL6 = "http://[2001:db8:1::100]/";
const RULES6 = `
  -A -t [2001:db8:1::100]:80 -s rr
  -a -t [2001:db8:1::100]:80 -r [2001:db8:2::11]:8080 -m
  -a -t [2001:db8:1::100]:80 -r [2001:db8:2::12]:8080 -m`;
const DNS_RULES = `
  -A -u 192.0.2.100:53 -s rr
  -a -u 192.0.2.100:53 -r 198.51.100.11:53 -m
  -a -u 192.0.2.100:53 -r 198.51.100.12:53 -m`;
const MARKED = `
  -A -f 7 -s rr
  -a -f 7 -r 198.51.100.11:8080 -m
  -a -f 7 -r 198.51.100.12:8080 -m`;

suite("doctor reads the director's firewall", () => {
  const site = siteOf(BEHIND_DIRECTOR, {
    real1: { http: [8080], datagrams: ["198.51.100.11:53"] },
    real2: { http: [8080], datagrams: ["198.51.100.12:53"] },
  });
  const director = (command: string) => site.network.sh(DIRECTOR, command);

  /** Proves that a rule is found. @param rules commands that make it, without `iptables-legacy` */
  function finds(
    one: Omit<Case, "id" | "fault" | "rules"> & {
      readonly rules?: string;
      readonly firewall: readonly string[];
      readonly id?: Case["id"];
      readonly program?: string;
    },
  ): void {
    const { firewall, program = "iptables-legacy" } = one;
    proves(site, {
      id: "firewall-blocks",
      subject: WEB,
      rules: RULES,
      url: URL,
      skip: without("iptables-legacy", "iptables"),
      ...one,
      fault: () => {
        for (const words of firewall) director(`${program} ${words}`);
      },
      async lastly() {
        await one.lastly?.();
        for (const table of ["filter", "mangle", "nat", "raw"])
          director(
            `${program} -t ${table} -F; ${program} -t ${table} -X; for c in INPUT FORWARD OUTPUT; do ${program} -P $c ACCEPT; done`,
          );
      },
    });
  }

  finds({
    name: "what keepalived drops with vrrp_strict",
    firewall: [
      "-A INPUT -d 192.0.2.100 -j DROP",
      "-A OUTPUT -s 192.0.2.100 -j DROP",
    ],
    seen: /^rule 1 of chain INPUT \(iptables-legacy, table filter\), "-d 192\.0\.2\.100\/32 -j DROP", [1-9]\d* packets?, drops requests to tcp\/192\.0\.2\.100:80$/,
    evidence:
      /rule 1 of chain OUTPUT .*keepalived sets this pair with vrrp_strict/,
  });

  finds({
    name: "the policy of FORWARD, as Docker sets it",
    firewall: ["-P FORWARD DROP"],
    seen: /^the policy of chain FORWARD \(iptables-legacy, table filter\), [1-9]\d* packets, drops answers of real server 198\.51\.100\.1[12]:8080 and answers of real server /,
    fails: () => unansweredForLong(site, URL),
    evidence: /connections? to 198\.51\.100\.1[12]:8080 waits? in SYN_RECV/,
  });

  finds({
    name: "the policy of FORWARD behind rules of Docker",
    firewall: [
      "-P FORWARD DROP",
      "-N DOCKER-USER",
      "-A FORWARD -j DOCKER-USER",
      "-A FORWARD -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "-A FORWARD -i docker0 ! -o docker0 -j ACCEPT",
      "-A DOCKER-USER -j RETURN",
    ],
    seen: /^the policy of chain FORWARD .* packets, drops answers/,
  });

  /** Proves that a rule stops neighbor discovery: traffic fails when the neighbors are not known any more. */
  function findsBlockedNeighbors(one: {
    readonly name: string;
    readonly firewall: readonly string[];
    readonly seen: RegExp;
    readonly options?: string;
    readonly evidence?: RegExp;
  }): void {
    const forget = () => {
      for (const host of ["client", DIRECTOR, "real1", "real2"])
        site.network.sh(host, "ip -6 neigh flush all");
    };
    proves(site, {
      ...one,
      id: "neighbor-discovery-blocked",
      rules: RULES6,
      url: URL6,
      skip: without("iptables-legacy", "iptables"),
      fault() {
        for (const words of one.firewall) director(`ip6tables-legacy ${words}`);
        forget();
      },
      async fails() {
        // A server that asks for the director tells its own address, and is known for some seconds.
        const replies = await eventually(
          () => site.client.get(URL6, { count: 2, patienceSeconds: 1 }),
          (some) => !some.some(isAnswer),
        );
        assert.ok(!replies.some(isAnswer), JSON.stringify(replies));
      },
      lastly() {
        director(
          "ip6tables-legacy -F; for c in INPUT OUTPUT; do ip6tables-legacy -P $c ACCEPT; done",
        );
        forget();
      },
    });
  }

  findsBlockedNeighbors({
    name: "the policy of INPUT drops what no rule accepts",
    firewall: [
      "-A INPUT -i lo -j ACCEPT",
      "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
      "-A INPUT -p tcp --dport 22 -j ACCEPT",
      "-A INPUT -d 2001:db8:1::100 -p tcp -m multiport --dports 80,443 -j ACCEPT",
      "-A INPUT -p icmpv6 --icmpv6-type echo-request -j ACCEPT",
      "-P INPUT DROP",
    ],
    evidence:
      /^the director gets no advertisement of 2001:db8:2::11, 2001:db8:2::12, so it sends nothing there$/,
    seen: /^the policy of chain INPUT \(ip6tables-legacy, table filter\), [1-9]\d* packets, drops neighbor solicitations on front and back, and neighbor advertisements on front and back$/,
  });

  findsBlockedNeighbors({
    name: "a rule of OUTPUT drops solicitations, and --probe says no more",
    firewall: ["-A OUTPUT -p icmpv6 --icmpv6-type 135 -j DROP"],
    options: "--probe",
    seen: /^rule 1 of chain OUTPUT .*"-p ipv6-icmp -m icmp6 --icmpv6-type 135 -j DROP", [1-9]\d* packets, drops neighbor solicitations on front and back$/,
  });

  proves(site, {
    id: "too-big-message-blocked",
    name: "IPv6, and a route to the servers with a smaller MTU",
    rules: RULES6,
    skip: without("iptables-legacy", "iptables"),
    seen: /^rule 3 of chain OUTPUT \(ip6tables-legacy, table filter\), "-p ipv6-icmp -j DROP", [1-9]\d* packets?, drops ICMPv6 messages packet too big to clients$/,
    evidence:
      /^packets of up to 1400 bytes fit into the way to 2001:db8:2::11, the way to 2001:db8:2::12$\n^MTU 1400 of the route; clients come in by front with MTU 1500$\n^the kernel has made [1-9]\d* of these messages \(Icmp6OutType2\)$/m,
    prepare() {
      site.network.sh("client", "ip link set front gso_max_segs 1");
      for (const last of [11, 12])
        director(`ip -6 route add 2001:db8:2::${last} dev back mtu 1400`);
    },
    async works() {
      await answered(site, URL6);
      assert.equal(upload(site, URL6, 30), "200");
    },
    fault() {
      for (const words of [
        "-p icmpv6 --icmpv6-type 135 -j ACCEPT",
        "-p icmpv6 --icmpv6-type 136 -j ACCEPT",
        "-p icmpv6 -j DROP",
      ])
        director(`ip6tables-legacy -A OUTPUT ${words}`);
    },
    async fails() {
      await answered(site, URL6);
      site.network.sh("client", "ip -6 route flush cache");
      uploadInVain(site, URL6);
    },
    lastly() {
      director("ip6tables-legacy -F");
      for (const last of [11, 12])
        director(`ip -6 route del 2001:db8:2::${last} dev back`);
      site.network.sh("client", "ip -6 route flush cache");
    },
  });

  finds({
    name: "FORWARD accepts established connections only",
    firewall: [
      "-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
      "-A FORWARD -i back -j REJECT",
    ],
    seen: /^rule 2 of chain FORWARD .*"-i back -j REJECT .*packets?, rejects answers/,
    evidence: /net\.ipv4\.vs\.conntrack is 0/,
  });

  finds({
    name: "a chain that FORWARD calls drops invalid packets",
    firewall: [
      "-N CHECK",
      "-A FORWARD -i back -j CHECK",
      "-A CHECK -m conntrack --ctstate INVALID -j DROP",
    ],
    seen: /^rule 1 of chain CHECK .* packets?, drops answers/,
    evidence: /invalid/,
  });

  finds({
    name: "mangle drops invalid packets in PREROUTING",
    firewall: [
      "-t mangle -A PREROUTING -m conntrack --ctstate INVALID -j DROP",
    ],
    seen: /^rule 1 of chain PREROUTING \(iptables-legacy, table mangle\)/,
  });

  finds({
    name: "IPv6",
    subject: "tcp/[2001:db8:1::100]:80",
    rules: RULES6,
    url: URL6,
    program: "ip6tables-legacy",
    firewall: ["-P FORWARD DROP"],
    seen: /^the policy of chain FORWARD \(ip6tables-legacy, table filter\), [1-9]\d* packets/,
  });

  const asksDns = async (expected: boolean) => {
    const replies = await site.client.sendDatagrams("192.0.2.100:53", {
      patienceSeconds: expected ? 15 : 1,
    });
    assert.equal(
      replies.every((reply) => "server" in reply),
      expected,
      JSON.stringify(replies),
    );
  };
  finds({
    name: "UDP",
    subject: "udp/192.0.2.100:53",
    rules: DNS_RULES,
    works: () => asksDns(true),
    fails: () => asksDns(false),
    firewall: ["-A FORWARD -p udp --sport 53 -j DROP"],
    seen: /^rule 1 of chain FORWARD .* drops answers/,
  });

  finds({
    name: "INPUT drops requests",
    firewall: ["-A INPUT -d 192.0.2.100 -p tcp --dport 80 -j DROP"],
    seen: /^rule 1 of chain INPUT .* drops requests to tcp\/192\.0\.2\.100:80$/,
  });

  finds({
    name: "the policy of INPUT behind rules for other services",
    firewall: [
      "-A INPUT -i lo -j ACCEPT",
      "-A INPUT -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT",
      "-A INPUT -p tcp --dport 22 -j ACCEPT",
      "-A INPUT -p icmp -j ACCEPT",
      "-P INPUT DROP",
    ],
    seen: /^the policy of chain INPUT .* drops requests to/,
  });

  finds({
    name: "INPUT drops what is new and no SYN",
    firewall: ["-A INPUT -p tcp ! --syn -m conntrack --ctstate NEW -j DROP"],
    seen: /^rule 1 of chain INPUT .* drops requests to/,
    evidence: /connection tracking calls packets of IPVS new, invalid/,
  });

  finds({
    name: "raw drops requests",
    firewall: ["-t raw -A PREROUTING -i front -p tcp --dport 80 -j DROP"],
    seen: /^rule 1 of chain PREROUTING \(iptables-legacy, table raw\)/,
  });

  finds({
    name: "OUTPUT drops what IPVS sends",
    firewall: ["-A OUTPUT -o back -p tcp --dport 8080 -j DROP"],
    seen: /^rule 1 of chain OUTPUT .* drops requests to real server 198/,
  });

  finds({
    name: "DNAT takes the address away",
    id: "firewall-redirects",
    firewall: [
      "-t nat -A PREROUTING -d 192.0.2.100 -p tcp --dport 80 -j DNAT --to-destination 198.51.100.13:81",
    ],
    seen: /^rule 1 of chain PREROUTING .* redirects requests to .* to 198\.51\.100\.13:81$/,
  });

  finds({
    name: "REDIRECT takes the port away",
    id: "firewall-redirects",
    firewall: [
      "-t nat -A PREROUTING -i front -p tcp --dport 80 -j REDIRECT --to-ports 3128",
    ],
    seen: /redirects requests to .* to port 3128$/,
  });

  const mark =
    "-t mangle -A PREROUTING -d 192.0.2.100 -p tcp --dport 80 -j MARK --set-mark 7";
  const marked = {
    id: "mark-unset",
    subject: "fwm/7",
    rules: MARKED,
    works: async () => {
      director(`iptables-legacy ${mark}`);
      await answered(site, URL);
      director("iptables-legacy -t mangle -F PREROUTING");
    },
    async fails() {
      const replies = await site.client.get(URL, { patienceSeconds: 1 });
      assert.ok(!replies.some(isAnswer));
    },
  } as const;
  const fixed = () => answered(site, URL);
  let worked = false;
  /** Before the fault the mark is set for a moment; after the fix it stays. */
  const markCase = (firewall: readonly string[], rest: Partial<Case>) => {
    finds({
      ...marked,
      firewall,
      ...rest,
      works: async () => {
        await (worked ? fixed() : marked.works());
        worked = !worked;
      },
    });
  };
  markCase([], {
    name: "no rule sets the mark",
    seen: /^no rule sets mark 7$/,
  });
  markCase([mark.replace("mark 7", "mark 70")], {
    name: "a rule sets another mark",
    seen: /^no rule sets mark 7; rule 1 of chain PREROUTING .*, [1-9]\d* packets?, sets mark 70 \(0x46\), which no service has$/,
  });
  // A rule that is kept, such as one with a comment, needs the other service.
  markCase(
    [
      mark
        .replace("mark 7", "mark 70")
        .replace("-j", "-m comment --comment 'a \"b' -j"),
    ],
    {
      name: "a rule with a comment sets another mark",
      seen: /^no rule sets mark 7; rule 1 of chain PREROUTING .* sets mark 70 /,
    },
  );
  const hexadecimal = mark.replace("mark 7", "mark 0x10");
  proves(site, {
    ...marked,
    name: "the mark of the rule is hexadecimal",
    subject: "fwm/10",
    rules: MARKED.replaceAll("-f 7", "-f 10"),
    skip: without("iptables-legacy", "iptables"),
    evidence:
      /^mark 10 of the service is decimal, and the mark of the rule, 0x10, is hexadecimal$/m,
    prepare: () =>
      void director(`iptables-legacy ${mark.replace("mark 7", "mark 10")}`),
    works: fixed,
    fault: () =>
      void director(
        `iptables-legacy -t mangle -F PREROUTING; iptables-legacy ${hexadecimal}`,
      ),
    lastly: () => void director("iptables-legacy -t mangle -F PREROUTING"),
  });
  markCase([mark.replace("PREROUTING", "FORWARD")], {
    name: "the rule is in FORWARD",
    seen: /^only chain FORWARD sets mark 7/,
  });
  markCase([mark.replace("-A", "-A").replace("PREROUTING", "POSTROUTING")], {
    name: "the rule is in POSTROUTING",
    seen: /^only chain POSTROUTING sets mark 7/,
  });
});
