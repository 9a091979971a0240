import assert from "node:assert/strict";
import { after, before, suite, test } from "node:test";
import { fileURLToPath } from "node:url";
import { buildNetwork, DIRECTOR, type Network } from "../../lab/network.js";
import { ours, type Outcome } from "../../lab/program.js";
import { startServerProgram, type Server } from "../../lab/server.js";
import { forgetConnections } from "../../traffic/forget-connections.js";
import { balance } from "../../traffic/ipvsadm.js";
import { without } from "../../traffic/needs.js";
import { startResident, type Resident } from "./resident.js";

/*
 * Servers at the network of the director, and clients behind a router that hides faults:
 *
 *     client 203.0.113.x ── outside ── router ── front 192.0.2.0/24: director .1, nat1 .11 (its router is the director), far1 .12
 *
 * far1 has the virtual addresses of direct routing (.102) and of the tunnel (.103), and answers through the router.
 */
const PLAN = {
  client: {
    addresses: { outside: ["203.0.113.10/24"] },
    routes: ["local 203.0.113.128/25 dev lo", "default via 203.0.113.1"],
  },
  router: {
    addresses: { outside: ["203.0.113.1/24"], front: ["192.0.2.254/24"] },
    sysctls: anySource("outside", "front"),
  },
  [DIRECTOR]: {
    addresses: {
      front: [
        "192.0.2.1/24",
        "192.0.2.101/32",
        "192.0.2.102/32",
        "192.0.2.103/32",
      ],
    },
    routes: ["203.0.113.0/24 via 192.0.2.254"],
    sysctls: {
      ...anySource("front"),
      // Clients and servers are in different networks only to each other.
      "net.ipv4.conf.all.send_redirects": 0,
      "net.ipv4.conf.front.send_redirects": 0,
    },
  },
  nat1: {
    addresses: { front: ["192.0.2.11/24"] },
    routes: ["default via 192.0.2.1"],
    sysctls: anySource("front"),
  },
  far1: {
    addresses: {
      front: ["192.0.2.12/24"],
      lo: ["192.0.2.102/32", "192.0.2.103/32"],
    },
    routes: ["default via 192.0.2.254"],
    sysctls: {
      ...anySource("front"),
      "net.ipv4.conf.all.arp_ignore": 1,
      "net.ipv4.conf.all.arp_announce": 2,
    },
  },
};

function anySource(...devices: readonly string[]): Record<string, number> {
  return Object.fromEntries([
    ["net.ipv4.ip_forward", 1],
    ...["all", "default", ...devices].map(
      (device) => [`net.ipv4.conf.${device}.rp_filter`, 0] as const,
    ),
  ]);
}

const RULES = `
  -A -t 192.0.2.101:80 -s rr
  -a -t 192.0.2.101:80 -r 192.0.2.11:8080 -m
  -A -t 192.0.2.101:81 -s rr
  -a -t 192.0.2.101:81 -r 192.0.2.11:8081 -m
  -A -t 192.0.2.101:82 -s rr
  -a -t 192.0.2.101:82 -r 192.0.2.11:8082 -m
  -A -t 192.0.2.102:8080 -s rr
  -a -t 192.0.2.102:8080 -r 192.0.2.12:8080 -g
  -A -t 192.0.2.102:8081 -s rr
  -a -t 192.0.2.102:8081 -r 192.0.2.12:8081 -g
  -A -t 192.0.2.103:8080 -s rr
  -a -t 192.0.2.103:8080 -r 192.0.2.12:8080 -i`;

/** What a client does, and what doctor says of its packets. */
interface Case {
  readonly name: string;
  readonly from: string;
  /** `ADDRESS PORT` that it asks */
  readonly to: string;
  readonly bytes?: number;
  /** A shell command on a host that makes the fault: `router: …` */
  readonly fault?: string;
  /** On the director, if it is asked: the state, and the text */
  readonly says?: RegExp;
  /** On the real server, with which words */
  readonly there?: { readonly words: string; readonly says: RegExp };
}

/** A case as it is asked on a machine. */
interface Asked {
  readonly name: string;
  readonly words: string;
  readonly says: RegExp;
}

const DIRECT = "--real-server tcp/192.0.2.102:8080 --method direct";
const LARGE_ANSWERS =
  /answers of 1500 bytes leave by front(?: through 192\.0\.2\.254)? again and again, and the client does not confirm them, while those without data pass: something there drops them, probably because of their size/;
const ASKS_AGAIN =
  /answers leave by front(?: through 192\.0\.2\.254)?, and the client asks again: they are lost from there on/;

/** A route with a small MTU on the router, which keeps its messages for itself. */
const narrow = (address: string, device: string) =>
  `router: ip route add ${address}/32 dev ${device} mtu lock 600`;

const CASES: readonly Case[] = [
  {
    name: "a masqueraded connection that passes",
    from: "203.0.113.130",
    to: "192.0.2.101 80",
    says: /^ok TCP 192\.0\.2\.101:80: \d+ requests of \d+ connections came in by front \(from [0-9a-f:]{17}\), \d+ left by front to 192\.0\.2\.11:8080; \d+ answers came in by front, \d+ left by front$/,
  },
  {
    name: "a program that is silent",
    from: "203.0.113.131",
    to: "192.0.2.101 81",
    says: /^unknown .*192\.0\.2\.11:8081 confirms the requests and no data comes from it: its program is silent, or/,
  },
  {
    name: "a server that resets connections",
    from: "203.0.113.132",
    to: "192.0.2.101 82",
    says: /^stops .*192\.0\.2\.11:8082 accepts connections and resets them without an answer/,
  },
  {
    name: "a router that drops large answers",
    from: "203.0.113.134",
    to: "192.0.2.101 80",
    fault: narrow("203.0.113.134", "outside"),
    says: LARGE_ANSWERS,
  },
  {
    name: "answers that are lost beyond",
    from: "203.0.113.135",
    to: "192.0.2.101 80",
    fault: "router: iptables-legacy -A FORWARD -d 203.0.113.135 -j DROP",
    says: ASKS_AGAIN,
  },
  {
    name: "requests that never arrive",
    from: "203.0.113.136",
    to: "192.0.2.101 80",
    fault: "router: iptables-legacy -A FORWARD -s 203.0.113.136 -j DROP",
    says: /^unknown no packet of 203\.0\.113\.136 came in by any interface in \d+ s: if it sent any, they are lost before this machine$/,
  },
  {
    name: "a server that gets no request",
    from: "203.0.113.137",
    to: "192.0.2.101 80",
    fault: "nat1: iptables-legacy -A INPUT -s 203.0.113.137 -j DROP",
    says: /^stops .*, \d+ left by front to 192\.0\.2\.11:8080; no answer came from there; they stop there, or on the way/,
  },
  {
    name: "a firewall on the director that drops answers",
    from: "203.0.113.138",
    to: "192.0.2.101 80",
    fault: `${DIRECTOR}: iptables-legacy -A FORWARD -d 203.0.113.138 -j DROP`,
    says: /^stops .*; \d+ answers came in by front, none left; the answers stop on this machine/,
  },
  {
    name: "direct routing that passes",
    from: "203.0.113.140",
    to: "192.0.2.102 8080",
    says: /^ok TCP 192\.0\.2\.102:8080: .*, \d+ left by front to 192\.0\.2\.12:8080; the client confirms answers$/,
    there: {
      words: DIRECT,
      says: /^ok TCP 192\.0\.2\.102:8080: \d+ requests of \d+ connections came in by front \(from [0-9a-f:]{17}\); \d+ answers left by front$/,
    },
  },
  {
    name: "a tunnel that passes",
    from: "203.0.113.141",
    to: "192.0.2.103 8080",
    says: /^ok TCP 192\.0\.2\.103:8080: .*, \d+ left by front in a tunnel to 192\.0\.2\.12; the client confirms answers$/,
    there: {
      words: "--real-server tcp/192.0.2.103:8080 --method tunnel",
      says: /^ok TCP 192\.0\.2\.103:8080: \d+ requests of \d+ connections came in by front \(.*\) in a tunnel from 192\.0\.2\.1, \d+ came out of it by tunl0; \d+ answers left by front$/,
    },
  },
  {
    name: "direct routing and a router that drops large answers",
    from: "203.0.113.142",
    to: "192.0.2.102 8080",
    fault: narrow("203.0.113.142", "outside"),
    there: { words: DIRECT, says: LARGE_ANSWERS },
  },
  {
    name: "direct routing and large requests that are lost before the director",
    from: "203.0.113.143",
    to: "192.0.2.102 8080",
    bytes: 9000,
    fault:
      "router: iptables-legacy -A FORWARD -s 203.0.113.143 -m length --length 1000:65535 -j DROP",
    says: /^stops .*1000 bytes and more of data never came in, and later data did: something on the way from the client drops packets/,
    there: {
      words: DIRECT,
      says: /^stops .*1000 bytes and more of data never came in, and later data did: something on the way here drops packets/,
    },
  },
  {
    name: "direct routing and answers that are lost beyond",
    from: "203.0.113.144",
    to: "192.0.2.102 8080",
    fault: "router: iptables-legacy -A FORWARD -d 203.0.113.144 -j DROP",
    says: /^stops .*; the client asks again, so no answer reaches it$/,
    there: { words: DIRECT, says: ASKS_AGAIN },
  },
  {
    name: "direct routing and a program that is silent",
    from: "203.0.113.145",
    to: "192.0.2.102 8081",
    there: {
      words: "--real-server tcp/192.0.2.102:8081 --method direct",
      says: /^unknown .*the kernel here confirms the requests, and the program sends no data$/,
    },
  },
  {
    name: "direct routing and a firewall on the server",
    from: "203.0.113.146",
    to: "192.0.2.102 8080",
    fault: "far1: iptables-legacy -A INPUT -s 203.0.113.146 -j DROP",
    there: {
      words: DIRECT,
      says: /^stops .*; no answer left; this machine does not answer: a firewall rule,/,
    },
  },
];

const program = (name: string) => [
  process.execPath,
  fileURLToPath(new URL(name, import.meta.url)),
];

const skip =
  without("tcpdump", "tcpdump") || without("iptables-legacy", "iptables");

suite("doctor looks at packets", { skip }, () => {
  let network: Network | undefined;
  let far1: Resident | undefined;
  const servers: Server[] = [];

  before(async () => {
    await balance(RULES);
    network = buildNetwork(PLAN);
    network.sh("far1", "ip link set tunl0 up");
    network.sh("router", "iptables-legacy -A OUTPUT -p icmp -j DROP");
    for (const { fault } of CASES) {
      const [host = "", command] = fault?.split(/: (.*)/) ?? [];
      if (command !== undefined) network.sh(host, command);
    }
    far1 = startResident("far1");
    for (const host of ["nat1", "far1"])
      servers.push(
        await startServerProgram(host, "server", [
          ...program("packet-server.js"),
        ]),
      );
    const words = CASES.flatMap(({ from, to, bytes = 100 }) => [
      from,
      ...to.split(" "),
      bytes,
    ]);
    servers.push(
      await startServerProgram("client", "clients", [
        ...program("packet-clients.js"),
        ...words,
      ]),
    );
  });

  after(async () => {
    for (const server of servers) await server.stop();
    await far1?.stop();
    network?.sh(DIRECTOR, "iptables-legacy -F FORWARD");
    network?.[Symbol.dispose]();
    await forgetConnections();
  });

  /** What is said of packets: `STATE TEXT`, a line each */
  function packetsIn({ stdout, stderr }: Outcome): string {
    assert.equal(stderr, "");
    const { steps = [], packets = [] } = JSON.parse(stdout) as {
      steps?: readonly { step: string; state: string; text: string }[];
      packets?: readonly { state: string; text: string }[];
    };
    return [...steps.filter(({ step }) => step === "packets"), ...packets]
      .map(({ state, text }) => `${state} ${text}`)
      .join("\n");
  }

  /**
   * Sees that the right thing is said in each case, all at the same time: each has its own client. On a slow machine too few
   * packets pass at first, so what is not certain is asked again for a longer time.
   */
  async function proves(
    cases: readonly Asked[],
    ask: (lines: readonly string[][]) => Promise<Outcome[]>,
  ): Promise<void> {
    let left = cases;
    const wrong: string[] = [];
    for (const seconds of [6, 20, 60]) {
      const outcomes = await ask(
        left.map(({ words }) =>
          `${words} --for ${seconds}s -o json`.split(" "),
        ),
      );
      const said = outcomes.map(packetsIn);
      wrong.push(
        ...left.flatMap(({ name, says }, i) => {
          const text = said[i] ?? "";
          return says.test(text) || text.startsWith("unknown ")
            ? []
            : [`${name}: ${text}`];
        }),
      );
      left = left.filter(({ says }, i) => !says.test(said[i] ?? ""));
      if (left.length === 0 || wrong.length > 0) break;
    }
    assert.deepEqual(wrong, []);
    assert.deepEqual(
      left.map(({ name }) => name),
      [],
    );
  }

  test("doctor --client says on the director where packets stop", () =>
    proves(
      CASES.flatMap(({ name, from, says }) =>
        says ? [{ name, says, words: `doctor --client ${from}` }] : [],
      ),
      (lines) => Promise.all(lines.map((words) => ours(words))),
    ));

  test("doctor --real-server --for says on the real server where packets stop", () =>
    proves(
      CASES.flatMap(({ name, from, there }) =>
        there
          ? [
              {
                name,
                says: there.says,
                words: `doctor ${there.words} --director 192.0.2.1 --client ${from}`,
              },
            ]
          : [],
      ),
      (lines) => {
        assert.ok(far1);
        return far1.runAll(lines);
      },
    ));
});
