import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { directorPacketFacts } from "../../../src/doctor/packets/director-facts.js";
import type { PacketSightings } from "../../../src/doctor/packets/sightings.js";
import type { Connection } from "../../../src/ipvs/connections.js";
import {
  DIRECT_ROUTING,
  LOCAL_NODE,
  MASQUERADING,
  TUNNELING,
  UDP,
} from "../../../src/ipvs/model.js";
import { address, serverEntry } from "../../fixtures/entries.js";
import { device, network, ownAddress, route } from "../made-up-network.js";
import { serviceAt } from "../made-up.js";
import { repeated, seen } from "./made-up.js";

/*
 * A director between clients on eth1, behind the router 192.0.2.254, and servers on eth2 (10.0.0.0/24).
 */
const CLIENT = "203.0.113.7";
const VIRTUAL = "192.0.2.1:80";
const SERVER = "10.0.0.11:8080";
const NETWORK = network(
  [
    route(CLIENT, "unicast", 1, "192.0.2.254"),
    route("192.0.2.1", "local", 9),
    route("10.0.0.11", "unicast", 2),
  ],
  {
    devices: [
      device(1),
      device(2),
      device(3, { name: "eth1.100", kind: "vlan", lower: 1 }),
    ],
    addresses: [ownAddress(1, "192.0.2.1/32"), ownAddress(2, "10.0.0.1/24")],
  },
);

function entry(port: number, server = SERVER): Connection {
  const [host = "", serverPort] = server.split(":");
  return {
    protocol: "TCP",
    client: address(CLIENT),
    clientPort: port,
    virtual: address("192.0.2.1"),
    virtualPort: 80,
    server: address(host),
    serverPort: Number(serverPort),
    state: "SYN_RECV",
    expiresSeconds: 60,
  };
}

/** What packets tell, a line each: `stops …`, without what is said of the packets' numbers */
function judge(
  sightings: PacketSightings,
  {
    forwarding = MASQUERADING,
    connections = [entry(40000), entry(40001)],
    isPassive = false,
    mayHideClient = false,
    network: among = NETWORK,
  } = {},
) {
  const port = forwarding === MASQUERADING ? 8080 : 80;
  return directorPacketFacts(sightings, {
    client: address(CLIENT),
    services: [
      serviceAt("192.0.2.1", [serverEntry("10.0.0.11", port, { forwarding })]),
    ],
    network: among,
    connections:
      forwarding === MASQUERADING
        ? connections
        : [entry(40000, "10.0.0.11:80"), entry(40001, "10.0.0.11:80")],
    isPassive,
    mayHideClient,
  }).map(({ state, text }) => `${state} ${text}`);
}

const see = (lines: readonly string[], given: Partial<PacketSightings> = {}) =>
  seen(CLIENT, lines, given);

/** A packet of the client as it comes in and goes on to a masqueraded server. */
const request = (seconds: number, words: string, port = 40000) => [
  `${seconds} 1 in ${CLIENT}:${port} > ${VIRTUAL} ${words}`,
  `${seconds} 2 out ${CLIENT}:${port} > ${SERVER} ${words}`,
];
/** An answer as it comes in and goes on to the client. */
const answer = (seconds: number, words: string, port = 40000) => [
  `${seconds} 2 in ${SERVER} > ${CLIENT}:${port} ${words}`,
  `${seconds} 1 out ${VIRTUAL} > ${CLIENT}:${port} ${words}`,
];
const handshake = (seconds: number, port = 40000) => [
  ...request(seconds, "S seq 100 mss 1460", port),
  ...answer(seconds, "S. seq 500 ack 101 mss 1460", port),
  ...request(seconds, ". seq 101 ack 501", port),
];

suite("directorPacketFacts() of masqueraded servers", () => {
  test("directorPacketFacts() counts the packets of a connection that passes", () => {
    const lines = [
      ...handshake(1),
      ...request(1.1, ". seq 101 ack 501 len 100"),
      ...answer(1.2, ". seq 501 ack 201 len 1000"),
      ...request(1.3, "F. seq 201 ack 1501"),
    ];
    assert.deepEqual(judge(see(lines)), [
      "ok TCP 192.0.2.1:80: 4 requests came in by eth1 (from 02:00:00:00:01:09), 4 left by eth2 to 10.0.0.11:8080; 2 answers came in by eth2, 2 left by eth1",
    ]);
  });

  test("directorPacketFacts() counts packets of a VLAN once", () => {
    const lines = [
      ...handshake(1),
      ...request(1.1, ". seq 101 ack 501 len 100"),
      ...answer(1.2, ". seq 501 ack 201 len 1000"),
    ];
    const twice = lines.flatMap((line) =>
      line.includes(" 1 ") ? [line.replace(" 1 ", " 3 "), line] : [line],
    );
    assert.match(
      judge(see(twice)).join(),
      /^ok TCP \S+ 3 requests came in by eth1\.100 \(.*2 left by eth1\.100$/,
    );
  });

  test("directorPacketFacts() finds that no answer comes", () => {
    const lines = repeated([1, 2, 4], (at) => request(at, "S seq 100"));
    assert.deepEqual(judge(see(lines)), [
      "stops TCP 192.0.2.1:80: 3 requests came in by eth1 (from 02:00:00:00:01:09), 3 left by eth2 to 10.0.0.11:8080; no answer came from there; they stop there, or on the way there or back",
    ]);
    // tcpdump lost packets, or it is too early
    assert.match(judge(see(lines, { lost: 1 })).join(), /^unknown /);
    assert.match(judge(see(lines, { ended: 1500 })).join(), /^unknown /);
    assert.match(
      judge(see(request(9.5, "S seq 100"))).join(),
      /^unknown .*; too little was seen to judge: follow the client for longer/,
    );
  });

  test("directorPacketFacts() judges new connections apart from older ones that pass", () => {
    const older = [
      ...request(1, ". seq 101 ack 501 len 100", 40001),
      ...answer(1.2, ". seq 501 ack 201 len 100", 40001),
    ];
    const lines = repeated([1, 2, 4], (at) => request(at, "S seq 100"));
    assert.match(
      judge(see([...older, ...lines])).join(),
      /^stops .*; new connections: they stop there, or on the way there or back$/,
    );
    // A new one that passes does disprove it.
    const passing = [...handshake(1, 40001)];
    assert.match(
      judge(see([...passing, ...lines])).join(),
      /^unknown .*; 1 of 2 connections: they stop there/,
    );
  });

  test("directorPacketFacts() tells who resets", () => {
    const refused = [
      ...request(1, "S seq 100"),
      ...answer(1, "R. seq 0 ack 101"),
    ];
    assert.match(
      judge(see(refused)).join(),
      /^stops .*; 10\.0\.0\.11:8080 resets each request: no program listens there/,
    );
    const accepted = [
      ...handshake(1),
      ...request(1.1, ". seq 101 ack 501 len 100"),
      ...answer(1.2, "R. seq 501 ack 201"),
    ];
    assert.match(
      judge(see(accepted)).join(),
      /^stops .*; 10\.0\.0\.11:8080 accepts connections and resets them without an answer$/,
    );
    const byClient = [
      ...request(1, "S seq 100"),
      ...answer(1, "S. seq 500 ack 101"),
      ...request(1, "R seq 101"),
    ];
    assert.match(
      judge(see(byClient)).join(),
      /^unknown .*; the client resets after the first answer/,
    );
    const here = [
      `1 1 in ${CLIENT}:40000 > ${VIRTUAL} S seq 100`,
      `1 1 out ${VIRTUAL} > ${CLIENT}:40000 R. ack 101`,
    ];
    assert.match(
      judge(see(here), { connections: [] }).join(),
      /^stops .*, none left.*; this machine resets them itself/,
    );
  });

  test("directorPacketFacts() does not call it a stop if a connection is reset that is older than the capture", () => {
    const late = [
      `1 1 in ${CLIENT}:40000 > ${VIRTUAL} . seq 100 ack 900 len 50`,
      `1 1 out ${VIRTUAL} > ${CLIENT}:40000 R seq 900`,
    ];
    assert.match(
      judge(see(late), { connections: [] }).join(),
      /^unknown .*; this machine resets connections that are older than the capture: IPVS has no entry for them/,
    );
    const closed = [
      ...request(1, ". seq 100 ack 900 len 50"),
      ...answer(1.1, "R seq 900"),
    ];
    assert.match(
      judge(see(closed)).join(),
      /^unknown .*; 10\.0\.0\.11:8080 resets a connection that is older than the capture/,
    );
  });

  test("directorPacketFacts() does not take keepalive packets with one byte for repeated data", () => {
    const lines = [
      ...request(1, ". seq 100 ack 900 len 50"),
      ...answer(1.1, ". seq 900 ack 150 len 200"),
      ...repeated([2, 4, 6, 8], (at) => [
        ...request(at, ". seq 149 ack 1100 len 1"),
        ...answer(at, ". seq 1100 ack 150"),
      ]),
    ];
    assert.match(judge(see(lines)).join(), /^ok /);
  });

  test("directorPacketFacts() finds requests that are routed on, because the virtual address is not local", () => {
    const away = network(
      [
        route(CLIENT, "unicast", 1, "192.0.2.254"),
        route("192.0.2.1", "unicast", 1, "192.0.2.254"),
      ],
      { devices: [device(1), device(2)] },
    );
    const lines = (out: number) =>
      repeated([1, 1.1, 2], (at) => [
        `${at} 1 in ${CLIENT}:40000 > ${VIRTUAL} S seq 100`,
        `${at} ${out} out ${CLIENT}:40000 > ${VIRTUAL} S seq 100`,
      ]);
    const none = { connections: [] as Connection[], network: away };
    assert.deepEqual(judge(see(lines(1)), none), [
      "stops TCP 192.0.2.1:80: 3 requests came in by eth1 (from 02:00:00:00:01:09), 3 left by eth1; this machine sends them on by eth1, back to where they came from (a routing loop): 192.0.2.1 is not local, so IPVS does not get them; 'ipvsadm doctor' prints the fix (vip-not-local)",
    ]);
    assert.match(
      judge(see(lines(2)), none).join(),
      /^stops .*; this machine sends them on by eth2: 192\.0\.2\.1 is not local, /,
    );
    // A backup has no virtual address.
    assert.match(
      judge(see(lines(1)), { ...none, isPassive: true }).join(),
      /^unknown /,
    );
  });

  test("directorPacketFacts() finds requests that stop on the director", () => {
    const lines = repeated(
      [1, 2, 4],
      (at) => `${at} 1 in ${CLIENT}:40000 > ${VIRTUAL} S seq 100`,
    );
    assert.match(
      judge(see(lines)).join(),
      /^stops .*, none left to 10\.0\.0\.11:8080; they stop on this machine, after IPVS has chosen the server$/,
    );
    assert.match(
      judge(see(lines), { connections: [] }).join(),
      /^stops .*, none left; they stop on this machine$/,
    );
    assert.match(
      judge(see(lines), { mayHideClient: true }).join(),
      /^unknown .*they stop on this machine/,
    );
    assert.match(
      judge(see(lines), { isPassive: true }).join(),
      /^unknown .*this machine is a backup/,
    );
  });

  test("directorPacketFacts() finds answers that stop on the director, or leave with the wrong address", () => {
    const asks = repeated([1, 2, 4], (at) => request(at, "S seq 100"));
    const back = repeated(
      [1, 2, 4],
      (at) => `${at} 2 in ${SERVER} > ${CLIENT}:40000 S. seq 500 ack 101`,
    );
    assert.match(
      judge(see([...asks, ...back])).join(),
      /^stops .*; 3 answers came in by eth2, none left; the answers stop on this machine$/,
    );
    const plain = back.map((line) => line.replace(" 2 in", " 1 out"));
    assert.match(
      judge(see([...asks, ...back, ...plain])).join(),
      /^stops .*; answers leave with the address of the server \(10\.0\.0\.11:8080\) instead of the virtual address/,
    );
  });

  test("directorPacketFacts() finds answers from another address", () => {
    const lines = [
      ...repeated([1, 2, 4], (at) => request(at, "S seq 100")),
      ...repeated(
        [1, 2, 4],
        (at) => `${at} 2 in 10.0.0.12:8080 > ${CLIENT}:40000 S. seq 5 ack 101`,
      ),
    ];
    assert.match(
      judge(see(lines)).join(),
      /^stops .*; answers come from 10\.0\.0\.12:8080 instead of 10\.0\.0\.11:8080, so IPVS does not know them$/,
    );
  });

  test("directorPacketFacts() finds answers that are lost beyond", () => {
    const lines = repeated([1, 2, 4], (at) => [
      ...request(at, "S seq 100"),
      ...answer(at, "S. seq 500 ack 101"),
    ]);
    assert.match(
      judge(see(lines)).join(),
      /^stops .*; answers leave by eth1 through 192\.0\.2\.254, and the client asks again: they are lost from there on$/,
    );
    // The client that only seems to scan, or is gone, proves nothing.
    const once = [
      ...request(1, "S seq 100"),
      ...repeated([1, 2, 4], (at) => answer(at, "S. seq 500 ack 101")),
    ];
    assert.match(judge(see(once)).join(), /^unknown .*does not confirm them/);
  });

  const largeAnswers = (port = 40000) => [
    ...handshake(1, port),
    ...request(1.1, ". seq 101 ack 501 len 100", port),
    ...answer(1.2, ". seq 501 ack 201 len 300", port),
    ...request(1.3, ". seq 201 ack 801", port),
    ...repeated([1.4, 1.7, 2.2, 3.1], (at) =>
      answer(at, ". seq 801 ack 201 len 1460", port),
    ),
  ];

  test("directorPacketFacts() finds a hole for large answers, if the client is alive", () => {
    assert.match(
      judge(see(largeAnswers())).join(),
      /^unknown .*answers of 1500 bytes leave .*while those of up to 340 bytes pass: either something there drops large packets, or the client is gone$/,
    );
    const alive = [
      ...largeAnswers(),
      ...handshake(3, 40001),
      ...request(3.1, ". seq 101 ack 501 len 9", 40001),
      ...answer(3.2, ". seq 501 ack 110 len 9", 40001),
      ...request(3.3, ". seq 110 ack 510", 40001),
    ];
    assert.match(
      judge(see(alive)).join(),
      /^stops .*; 1 of 2 connections: answers of 1500 bytes leave by eth1 through 192\.0\.2\.254 again and again, and the client does not confirm them, while those of up to 340 bytes pass: something there drops large packets, without a message/,
    );
    // The client gives up, or it resets because it gets them after it has closed.
    assert.match(
      judge(see([...largeAnswers(), ...request(5, "R seq 201")])).join(),
      /^stops /,
    );
    assert.match(
      judge(see([...largeAnswers(), ...request(3.2, "R seq 201")])).join(),
      /^ok /,
    );
    // The client confirms them at last.
    const passing = [...largeAnswers(), ...request(3.2, ". seq 201 ack 2261")];
    assert.match(judge(see(passing)).join(), /^ok /);
  });

  test("directorPacketFacts() takes a segment that the kernel has joined for several packets", () => {
    const lines = largeAnswers().map((line) =>
      line.replace("seq 801 ack 201 len 1460", "seq 801 ack 201 len 4380"),
    );
    assert.match(judge(see(lines)).join(), /answers of 1500 bytes leave/);
  });

  test("directorPacketFacts() finds large answers that do not leave", () => {
    const lines = largeAnswers().filter(
      (line) => !(line.includes("out") && line.includes("len 1460")),
    );
    assert.match(
      judge(see(lines)).join(),
      /^stops .*answers of 1500 bytes come in again and again and do not leave, while those of up to 340 bytes pass$/,
    );
  });

  test("directorPacketFacts() finds a hole for large requests behind the director", () => {
    const lines = [
      ...handshake(1),
      ...request(1.1, ". seq 101 ack 501 len 100"),
      ...answer(1.2, ". seq 501 ack 201"),
      ...repeated([1.3, 1.6, 2.2, 3.4], (at) =>
        request(at, ". seq 201 ack 501 len 1460"),
      ),
      ...answer(3.5, ". seq 501 ack 201"),
    ];
    assert.match(
      judge(see(lines)).join(),
      /^stops .*requests of 1500 bytes leave to 10\.0\.0\.11:8080 again and again, and it does not confirm them, while those of up to 140 bytes pass: something on the way drops large packets/,
    );
  });

  test("directorPacketFacts() finds data that never came, if later data did", () => {
    const fromClient = [
      ...handshake(1),
      ...request(1.1, ". seq 1561 ack 501 len 40"),
    ];
    assert.match(
      judge(see(fromClient)).join(),
      /^stops .*1000 bytes and more of data never came in, and later data did: something on the way from the client drops packets; those of up to 80 bytes pass$/,
    );
    // Packets overtook each other, and all came.
    const overtaken = [
      ...fromClient,
      ...request(1.1, ". seq 831 ack 501 len 730"),
      ...request(1.1, ". seq 101 ack 501 len 730"),
      ...request(1.2, "F. seq 1601 ack 501"),
    ];
    assert.match(judge(see(overtaken)).join(), /^ok /);
    // The server has got them, so only the capture has not.
    const confirmed = [
      ...fromClient,
      ...answer(1.2, ". seq 501 ack 1601 len 9"),
    ];
    assert.match(judge(see(confirmed)).join(), /^ok /);
    const fromServer = [
      ...handshake(1),
      ...request(1.1, ". seq 101 ack 501 len 100"),
      ...answer(1.2, ". seq 1961 ack 201 len 40"),
    ];
    assert.match(
      judge(see(fromServer)).join(),
      /^stops .*something on the way from 10\.0\.0\.11:8080 drops packets/,
    );
    // tcpdump lost packets: perhaps these
    assert.doesNotMatch(judge(see(fromServer, { lost: 1 })).join(), /stops/);
    // They came later.
    const late = [...fromServer, ...answer(1.4, ". seq 501 ack 201 len 1460")];
    assert.match(judge(see(late)).join(), /^ok /);
  });

  test("directorPacketFacts() misses nothing if the first request comes with the SYN", () => {
    const lines = [
      ...request(1, "S seq 100 len 50 mss 1460"),
      ...answer(1, "S. seq 500 ack 151 mss 1460"),
      ...request(1, ". seq 151 ack 501"),
      ...request(1.1, ". seq 151 ack 501 len 10"),
      ...answer(1.2, ". seq 501 ack 161 len 10"),
    ];
    assert.match(judge(see(lines)).join(), /^ok /);
  });

  test("directorPacketFacts() finds a program that is silent", () => {
    const lines = [
      ...handshake(1),
      ...request(1.1, ". seq 101 ack 501 len 100"),
      ...answer(1.1, ". seq 501 ack 201"),
    ];
    assert.match(
      judge(see(lines)).join(),
      /^unknown .*; 10\.0\.0\.11:8080 confirms the requests and no data comes from it: its program is silent, or its answers are lost/,
    );
  });

  test("directorPacketFacts() does not mistake an unhurried connection for a fault", () => {
    const idle = handshake(1);
    assert.match(judge(see(idle)).join(), /^ok /);
    const older = [
      ...request(1, ". seq 101 ack 501 len 100"),
      ...answer(1.2, ". seq 501 ack 201 len 100"),
    ];
    assert.match(judge(see(older)).join(), /^ok /);
    // A late confirmation makes the sender repeat once.
    const again = [
      ...handshake(1),
      ...request(1.1, ". seq 101 ack 501 len 1400"),
      ...request(1.4, ". seq 101 ack 501 len 1400"),
      ...answer(1.5, ". seq 501 ack 1501 len 10"),
    ];
    assert.match(judge(see(again)).join(), /^ok /);
  });

  test("directorPacketFacts() does not take another use of the same port for a repetition", () => {
    const lines = [
      ...handshake(1),
      ...request(1.1, "R seq 101"),
      ...request(4, "S seq 90000"),
      ...answer(4, "S. seq 700 ack 90001"),
      ...request(4, ". seq 90001 ack 701"),
    ];
    assert.match(judge(see(lines)).join(), /^ok /);
  });

  test("directorPacketFacts() finds packets of a server to which another address than the client's sends", () => {
    const hidden = (lines: readonly string[]) =>
      lines.map((line) =>
        line.includes(` ${SERVER} `) ? line.replace(CLIENT, "10.0.0.1") : line,
      );
    const lines = hidden([
      ...handshake(1),
      ...request(1.1, ". seq 101 ack 501 len 100"),
      ...answer(1.2, ". seq 501 ack 201 len 100"),
    ]);
    assert.match(
      judge(see(lines)).join(),
      /^ok .*3 left by eth2 to 10\.0\.0\.11:8080; 2 answers came in by eth2, 2 left by eth1$/,
    );
  });

  test("directorPacketFacts() does not call it a stop if requests leave with another address and port", () => {
    const lines = repeated([1, 2, 4], (at) => [
      `${at} 1 in ${CLIENT}:40000 > ${VIRTUAL} S seq 100`,
      `${at} 2 out 10.0.0.1:1024 > ${SERVER} S seq 100`,
    ]);
    assert.match(
      judge(see(lines)).join(),
      /^unknown .*; they leave with another address and port than the client's \(SNAT\)/,
    );
    const others = lines.map((line) => line.replace(/(out .*) 100$/, "$1 200"));
    assert.match(
      judge(see(others)).join(),
      /^stops .*; they stop on this machine/,
    );
  });

  test("directorPacketFacts() does not call it a stop if this machine is one of the servers", () => {
    const judgeDatagrams = (server: string, forwarding: number) => {
      const { key, ...service } = serviceAt("192.0.2.1", [
        serverEntry(server, 80, { forwarding }),
      ]);
      const datagrams = repeated([1, 2, 6], (at) => [
        `${at} 1 in ${CLIENT}:40000 > ${VIRTUAL} udp len 9`,
      ]);
      return directorPacketFacts(see(datagrams), {
        client: address(CLIENT),
        services: [{ ...service, key: { ...key, protocol: UDP } }],
        network: NETWORK,
        connections: [],
        isPassive: false,
        mayHideClient: false,
      }).map(({ state, text }) => `${state} ${text}`);
    };
    assert.match(
      judgeDatagrams("10.0.0.11", LOCAL_NODE).join(),
      /^unknown .*; perhaps a program on this machine gets them/,
    );
    assert.match(
      judgeDatagrams("192.0.2.1", DIRECT_ROUTING).join(),
      /^unknown .*; perhaps a program on this machine gets them/,
    );
    assert.match(
      judgeDatagrams("10.0.0.11", DIRECT_ROUTING).join(),
      /^stops .*; they stop on this machine/,
    );
  });

  test("directorPacketFacts() names the senders of ICMP errors", () => {
    const lines = [
      ...repeated([1, 2, 4], (at) => request(at, "S seq 100")),
      `1 2 in 10.0.0.11 > ${CLIENT} icmp port-unreachable about ${CLIENT}:40000 ${SERVER}`,
      `1 1 out 192.0.2.1 > ${CLIENT} icmp port-unreachable about ${CLIENT}:40000 ${VIRTUAL}`,
      `2 1 in 198.51.100.9 > 192.0.2.1 icmp too-big 1400 about ${VIRTUAL} ${CLIENT}:40000`,
      `2 1 in 198.51.100.9 > 192.0.2.1 icmp too-big 1300 about 192.0.2.9:80 198.51.100.7:1`,
    ];
    assert.deepEqual(judge(see(lines)).slice(1), [
      "unknown 10.0.0.11 sent 1 ICMP error about requests to 10.0.0.11:8080, by eth2: port unreachable",
      "ok 198.51.100.9 sent 1 ICMP error about answers from 192.0.2.1:80, by eth1: packets are too big (MTU 1400)",
    ]);
    const own = [
      `1 1 in ${CLIENT}:40000 > ${VIRTUAL} S seq 100`,
      `1 1 out 192.0.2.1 > ${CLIENT} icmp host-unreachable about ${CLIENT}:40000 ${VIRTUAL}`,
    ];
    assert.match(
      judge(see(own)).join(),
      /this machine \(192\.0\.2\.1\) sent 1 ICMP error about requests to 192\.0\.2\.1:80: host unreachable$/,
    );
  });

  test("directorPacketFacts() says of a backup nothing but what it sees", () => {
    assert.deepEqual(judge(see([]), { isPassive: true }), []);
  });

  test("directorPacketFacts() sees that a connection passes that has just begun", () => {
    const lines = [
      ...handshake(9.5),
      ...request(9.6, ". seq 101 ack 501 len 100"),
      ...answer(9.7, ". seq 501 ack 201 len 1000"),
    ];
    assert.match(judge(see(lines)).join(), /^ok /);
  });

  test("directorPacketFacts() says where packets go that concern no service, and that none came", () => {
    assert.deepEqual(judge(see([])), [
      "unknown no packet of 203.0.113.7 came in by any interface in 10 s: if it sent any, they are lost before this machine",
    ]);
    const other = [`1 1 in ${CLIENT}:40000 > 192.0.2.1:443 S seq 100`];
    assert.deepEqual(judge(see(other)), [
      "unknown 1 packet of 203.0.113.7 came in by eth1, and none to a service: they went to TCP 192.0.2.1:443",
    ]);
  });

  test("directorPacketFacts() sees the same requests by two interfaces", () => {
    const lines = handshake(1);
    const twice = [...lines, lines[0]?.replace(" 1 in", " 2 in") ?? ""];
    assert.match(
      judge(see(twice)).join(),
      /^unknown .*; the same requests came in by eth1 and eth2$/,
    );
  });
});

suite(
  "directorPacketFacts() of servers whose answers go past the director",
  () => {
    const direct = (seconds: number, words: string, port = 40000) => [
      `${seconds} 1 in ${CLIENT}:${port} > ${VIRTUAL} ${words}`,
      `${seconds} 2 out ${CLIENT}:${port} > ${VIRTUAL} ${words}`,
    ];
    const judgeDirect = (lines: readonly string[], ended = 10_000) =>
      judge(see(lines, { ended }), { forwarding: DIRECT_ROUTING }).join();
    const open = (port = 40000) => [
      ...direct(1, "S seq 100", port),
      ...direct(1.01, ". seq 101 ack 501", port),
    ];

    test("directorPacketFacts() sees that the client confirms answers", () => {
      const lines = [
        ...open(),
        ...direct(1.1, ". seq 101 ack 501 len 100"),
        ...direct(1.2, "F. seq 201 ack 1501"),
      ];
      assert.equal(
        judgeDirect(lines),
        "ok TCP 192.0.2.1:80: 4 requests came in by eth1 (from 02:00:00:00:01:09), 4 left by eth2 to 10.0.0.11:80; the client confirms answers",
      );
    });

    test("directorPacketFacts() finds that no answer reaches the client", () => {
      const lines = repeated([1, 2, 4], (at) => direct(at, "S seq 100"));
      assert.match(
        judgeDirect(lines),
        /^stops .*; the client asks again, so no answer reaches it$/,
      );
      const tunneled = lines.map((line) =>
        line.includes("out") ? `${line} tunnel 10.0.0.1 10.0.0.11` : line,
      );
      assert.match(
        judge(see(tunneled), { forwarding: TUNNELING }).join(),
        /^stops .*3 left by eth2 in a tunnel to 10\.0\.0\.11; the client asks again/,
      );
      assert.match(
        judgeDirect(direct(1, "S seq 100")),
        /^unknown .*the client asks only once and confirms nothing/,
      );
    });

    test("directorPacketFacts() finds a hole for large requests in the tunnel, if the client is alive", () => {
      const lines = [
        ...open(),
        ...repeated([1.2, 1.5, 2.1, 3.3], (at) =>
          direct(at, ". seq 101 ack 501 len 1460"),
        ),
      ];
      assert.match(
        judgeDirect(lines, 5000),
        /^unknown .*requests of 1500 bytes leave/,
      );
      const later = [
        ...direct(3, "S seq 100", 40001),
        ...direct(3.1, ". seq 101 ack 501", 40001),
      ];
      assert.match(
        judgeDirect([...lines, ...later], 5000),
        /^stops .*1 of 2 connections: requests of 1500 bytes leave again and again, and the client gets no confirmation, while those without data pass/,
      );
      // It would have repeated them again: it has got an acknowledgment.
      assert.doesNotMatch(judgeDirect([...lines, ...later]), /1500 bytes/);
      const answered = direct(3.4, ". seq 1561 ack 900");
      assert.doesNotMatch(
        judgeDirect([...lines, ...answered], 5000),
        /1500 bytes/,
      );
    });

    test("directorPacketFacts() finds that the client gets no data", () => {
      const lines = [...open(), ...direct(1.1, ". seq 101 ack 501 len 100")];
      assert.match(
        judgeDirect(lines),
        /^unknown .*the client has confirmed no data of 10\.0\.0\.11:80: the program there is silent, or its answers are lost/,
      );
      // It ends the connection after a while, and the server does so, too.
      const ended = [
        ...direct(4, "F. seq 201 ack 501"),
        ...direct(4.1, ". seq 202 ack 502"),
      ];
      assert.match(
        judgeDirect([...lines, ...ended]),
        /^unknown .*the client has confirmed no data/,
      );
    });
  },
);
