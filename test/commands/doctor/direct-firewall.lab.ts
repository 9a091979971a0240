import assert from "node:assert/strict";
import { suite } from "node:test";
import { eventually } from "../../lab/eventually.js";
import { DIRECTOR } from "../../lab/network.js";
import { without } from "../../traffic/needs.js";
import { ONE_NETWORK } from "../../traffic/places.js";
import { siteOf } from "../../traffic/site.js";
import { proves, unanswered } from "./case.js";

const RULES = `
  -A -t 203.0.113.100:80 -s rr
  -a -t 203.0.113.100:80 -r 203.0.113.11 -g
  -a -t 203.0.113.100:80 -r 203.0.113.12 -g`;

const URL = "http://203.0.113.100/";

/** Lets in what connection tracking knows, and new connections to some ports. */
const STRICT = [
  "-A INPUT -i lo -j ACCEPT",
  "-A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT",
  "-A INPUT -m conntrack --ctstate INVALID -j DROP",
  "-A INPUT -p tcp ! --syn -m conntrack --ctstate NEW -j DROP",
  "-A INPUT -p tcp -m multiport --dports 22,80 -j ACCEPT",
  "-A INPUT -p icmp -j ACCEPT",
  "-P INPUT DROP",
];

/** Sends TCP packets to port 80 without any flag, and with FIN alone. Arguments: source, destination */
const SCAN = `
  socket(S, PF_INET, SOCK_RAW, 6) or die "socket: $!";
  my ($from, $to) = map { inet_aton($_) } @ARGV;
  for my $flags (0, 1) {
    my $header = pack("n2 N2 C2 n3", 40000 + $flags, 80, 1, 0, 0x50, $flags, 1024, 0, 0);
    my $sum = 0;
    $sum += $_ for unpack("n*", $from . $to . pack("CCn", 0, 6, 20) . $header);
    $sum = ($sum >> 16) + ($sum & 0xffff) while $sum >> 16;
    substr($header, 16, 2) = pack("n", ~$sum & 0xffff);
    send(S, $header, 0, sockaddr_in(0, $to)) or die "send: $!";
  }`;

suite("doctor finds firewall rules that stop direct routing", () => {
  const site = siteOf(ONE_NETWORK, {
    real1: { http: [80] },
    real2: { http: [80] },
  });
  const director = (command: string) => site.network.sh(DIRECTOR, command);

  /** How many packets a rule of INPUT for packets of a state has dropped. */
  function dropped(state: "INVALID" | "NEW"): number {
    const rules = director("iptables-legacy-save -c -t filter");
    const [, packets] =
      new RegExp(
        `^\\[(\\d+):\\d+\\] -A INPUT .*--ctstate ${state} -j DROP$`,
        "m",
      ).exec(rules) ?? [];
    assert.ok(packets !== undefined, rules);
    return Number(packets);
  }

  /** Asks until a rule has dropped packets, and sees that there is no answer. */
  async function fails(state: "INVALID" | "NEW"): Promise<void> {
    const packets = await eventually(
      async () => {
        await unanswered(site, URL);
        return dropped(state);
      },
      (count) => count > 0,
    );
    assert.ok(packets > 0, `no packet is ${state}`);
  }

  /** Sees that packets of scans still meet the rule for invalid packets. */
  async function isClosedToScans(): Promise<void> {
    const before = dropped("INVALID");
    site.network.sh(
      "client",
      `perl -MSocket -e '${SCAN}' 203.0.113.10 203.0.113.100`,
    );
    const after = await eventually(
      () => Promise.resolve(dropped("INVALID")),
      (packets) => packets >= before + 2,
    );
    assert.ok(after >= before + 2, `${before} packets, then ${after}`);
  }

  function finds(one: {
    readonly name: string;
    readonly conntrack: 0 | 1;
    readonly state: "INVALID" | "NEW";
    readonly seen: RegExp;
    readonly evidence: RegExp;
  }): void {
    proves(site, {
      ...one,
      id: "firewall-blocks",
      subject: "tcp/203.0.113.100:80",
      skip:
        without("iptables-legacy", "iptables") || without("perl", "perl-base"),
      rules: RULES,
      url: URL,
      prepare() {
        director(`sysctl -w net.ipv4.vs.conntrack=${one.conntrack}`);
      },
      fault() {
        for (const words of STRICT) director(`iptables-legacy ${words}`);
      },
      fails: () => fails(one.state),
      afterFix: isClosedToScans,
      lastly() {
        director(
          "iptables-legacy -P INPUT ACCEPT; iptables-legacy -F; sysctl -w net.ipv4.vs.conntrack=0",
        );
      },
    });
  }

  finds({
    name: "rules for new packets without SYN, and for invalid ones",
    conntrack: 0,
    state: "NEW",
    seen: /^rule 3 of chain INPUT .*INVALID -j DROP", \d+ packets?, drops requests to tcp\/203\.0\.113\.100:80 \(FIN\); rule 4 of chain INPUT .*NEW -j DROP", [1-9]\d* packets?, drops requests to tcp\/203\.0\.113\.100:80 \(packets after the SYN\)$/,
    evidence: /conntrack is 0, .*1 does not help here/,
  });

  finds({
    name: "rules for invalid packets, with conntrack",
    conntrack: 1,
    state: "INVALID",
    seen: /^rule 3 of chain INPUT .*INVALID -j DROP", [1-9]\d* packets?, drops requests to tcp\/203\.0\.113\.100:80 \(packets after the SYN\)$/,
    evidence: /^the answers do not pass the director, .* does not help here$/m,
  });
});
