import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { serverPacketFacts } from "../../../src/doctor/packets/server-facts.js";
import type { PacketSightings } from "../../../src/doctor/packets/sightings.js";
import type { CountersMeanwhile } from "../../../src/doctor/read-counters.js";
import type { RealServer } from "../../../src/doctor/real-server/real-server.js";
import { TCP } from "../../../src/ipvs/model.js";
import { address } from "../../fixtures/entries.js";
import { device, ownAddress, route } from "../made-up-network.js";
import { repeated, seen } from "./made-up.js";

/*
 * A real server with eth1 in 10.0.0.0/24, whose router is 10.0.0.254. The virtual address is on lo, 9.
 */
const CLIENT = "203.0.113.7";
const VIRTUAL = "192.0.2.1:80";
const SERVICE = {
  address: address("192.0.2.1"),
  protocol: TCP,
  port: 80,
} as const;
const REAL_SERVER: RealServer = {
  services: [SERVICE],
  method: "direct",
  tunnelPort: undefined,
  director: undefined,
  client: address(CLIENT),
  server: undefined,
  devices: [device(1), device(7, { name: "tunl0", kind: "ipip" })],
  addresses: [ownAddress(9, "192.0.2.1/32"), ownAddress(1, "10.0.0.11/24")],
  routes: [],
  ways: [
    {
      service: SERVICE,
      there: route("192.0.2.1", "local", 9),
      back: route(CLIENT, "unicast", 1, "10.0.0.254"),
      arrivals: [],
    },
  ],
  fouPorts: [],
  outer: [],
};

function judge(
  lines: readonly string[],
  {
    given = {},
    server = {},
    counters,
  }: {
    given?: Partial<PacketSightings>;
    server?: Partial<RealServer>;
    counters?: CountersMeanwhile;
  } = {},
): string {
  return serverPacketFacts(seen(CLIENT, lines, given), {
    client: address(CLIENT),
    realServer: { ...REAL_SERVER, ...server },
    counters,
  })
    .map(({ state, text }) => `${state} ${text}`)
    .join("\n");
}

const request = (seconds: number, words: string, port = 40000) =>
  `${seconds} 1 in ${CLIENT}:${port} > ${VIRTUAL} ${words}`;
const answer = (seconds: number, words: string, port = 40000) =>
  `${seconds} 1 out ${VIRTUAL} > ${CLIENT}:${port} ${words}`;
const handshake = (seconds: number, port = 40000) => [
  request(seconds, "S seq 100 mss 1460", port),
  answer(seconds, "S. seq 500 ack 101 mss 1460", port),
  request(seconds, ". seq 101 ack 501", port),
];

suite("serverPacketFacts()", () => {
  test("serverPacketFacts() counts the packets of a connection that passes", () => {
    const lines = [
      ...handshake(1),
      request(1.1, ". seq 101 ack 501 len 100"),
      answer(1.2, ". seq 501 ack 201 len 1000"),
      request(1.3, "F. seq 201 ack 1501"),
    ];
    assert.equal(
      judge(lines),
      "ok TCP 192.0.2.1:80: 4 requests came in by eth1 (from 02:00:00:00:01:09); 2 answers left by eth1",
    );
    // SSH to the same machine is nothing of the service.
    const other = request(1, "S seq 9").replace(VIRTUAL, "10.0.0.11:22");
    assert.equal(judge([...lines, other]), judge(lines));
  });

  test("serverPacketFacts() tells requests that come out of a tunnel from those that do not", () => {
    const tunnel = (line: string) => `${line} tunnel 10.0.0.1 10.0.0.11`;
    const lines = handshake(1).flatMap((line) =>
      line.includes(" in ")
        ? [tunnel(line), line.replace(" 1 in", " 7 in")]
        : [line],
    );
    const server = { method: "tunnel" } as const;
    assert.match(
      judge(lines, { server }),
      /^ok TCP \S+ 2 requests came in by eth1 \(.*\) in a tunnel from 10\.0\.0\.1, 2 came out of it by tunl0 \(|^ok TCP \S+ 2 requests came in by eth1 \(.*\) in a tunnel from 10\.0\.0\.1, 2 came out of it by tunl0; 1 answer left by eth1$/,
    );
    const packed = repeated([1, 2, 4], (at) => tunnel(request(at, "S seq 1")));
    assert.match(
      judge(packed, { server }),
      /^stops .* in a tunnel from 10\.0\.0\.1, none came out of it; no answer left; the kernel here does not unpack them/,
    );
  });

  test("serverPacketFacts() finds requests that are not answered, and counters that say why", () => {
    const lines = repeated([1, 2, 4], (at) => request(at, "S seq 100"));
    assert.match(judge(lines), /^stops .*; this machine does not answer: /);
    const counters = {
      before: new Map([["TcpExt.ListenOverflows", 3n]]),
      after: new Map([["TcpExt.ListenOverflows", 6n]]),
    };
    assert.match(
      judge(lines, { counters }),
      /\(meanwhile, of all clients: TcpExt ListenOverflows grew by 3: the queue of a program/,
    );
    assert.match(judge(lines, { given: { lost: 2 } }), /^unknown /);
    const datagram = `1 1 in ${CLIENT}:40000 > ${VIRTUAL} udp len 10`;
    const any = { services: [{ ...SERVICE, protocol: undefined }] };
    assert.match(
      judge([datagram], { server: any }),
      /^unknown UDP .*; no answer left; no program answers, or the kernel/,
    );
  });

  test("serverPacketFacts() tells who resets", () => {
    const refused = [request(1, "S seq 100"), answer(1, "R. seq 0 ack 101")];
    assert.match(judge(refused), /^stops .*; this machine resets each request/);
    const byClient = [
      request(1, "S seq 100"),
      answer(1, "S. seq 500 ack 101"),
      request(1, "R seq 101"),
    ];
    assert.match(judge(byClient), /^unknown .*; the client resets after the/);
  });

  test("serverPacketFacts() finds answers that are lost beyond", () => {
    const lines = repeated([1, 2, 4], (at) => [
      request(at, "S seq 100"),
      answer(at, "S. seq 500 ack 101"),
    ]);
    assert.match(
      judge(lines),
      /^stops .*; answers leave by eth1 through 10\.0\.0\.254, and the client asks again: they are lost from there on$/,
    );
  });

  test("serverPacketFacts() finds confirmations that are lost, while small answers were confirmed before", () => {
    const lines = [
      ...handshake(1),
      ...repeated([1.1, 1.4, 2], (at) => [
        request(at, ". seq 101 ack 501 len 100"),
        answer(at, ". seq 501 ack 201"),
      ]),
    ];
    assert.match(
      judge(lines, { given: { ended: 3500 } }),
      /^unknown .*; answers leave by eth1 through 10\.0\.0\.254, and the client repeats what they confirm: they are lost from there on$/,
    );
  });

  test("serverPacketFacts() finds a hole for large answers, and one for large requests", () => {
    const alive = [
      ...handshake(3, 40001),
      request(3.1, "F. seq 101 ack 501", 40001),
    ];
    const answers = [
      ...handshake(1),
      request(1.1, ". seq 101 ack 501 len 100"),
      ...repeated([1.4, 1.7, 2.2, 3.1], (at) =>
        answer(at, ". seq 501 ack 201 len 1460"),
      ),
      ...alive,
    ];
    assert.match(
      judge(answers),
      /^stops .*answers of 1500 bytes leave by eth1 through 10\.0\.0\.254 again and again, and the client does not confirm them, while those without data pass: something there drops them, probably because of their size/,
    );
    const requests = [
      ...handshake(1),
      request(1.1, ". seq 3021 ack 501 len 40"),
      answer(1.1, ". seq 501 ack 101"),
    ];
    assert.match(
      judge(requests),
      /^stops .*1000 bytes and more of data never came in, and later data did: something on the way here drops packets; those of up to 80 bytes pass$/,
    );
  });

  test("serverPacketFacts() finds datagrams of which only the first fragments come in", () => {
    const server = { services: [{ ...SERVICE, protocol: undefined }] };
    const part = (seconds: number, which: string, port = 40000) =>
      `${seconds} 1 in ${CLIENT}:${port} > ${VIRTUAL} udp len 1472 fragment ${which}`;
    const firsts = [1, 2, 3].map((at) => part(at, "first"));
    assert.match(
      judge(firsts, { server }),
      /^stops UDP .*; of packets in fragments only the first fragments come in: something on the way here drops the others$/,
    );
    const whole = [1, 2, 3].flatMap((at) => [
      part(at, "first"),
      part(at, "last"),
    ]);
    assert.doesNotMatch(judge(whole, { server }), /fragments/);
  });

  test("serverPacketFacts() finds a program that is silent", () => {
    const lines = [
      ...handshake(1),
      request(1.1, ". seq 101 ack 501 len 100"),
      answer(1.1, ". seq 501 ack 201"),
    ];
    assert.match(
      judge(lines),
      /^unknown .*; the kernel here confirms the requests, and the program sends no data$/,
    );
    assert.match(
      judge(lines, { given: { ended: 1900 } }),
      /^unknown .*; too little was seen to judge/,
    );
  });

  test("serverPacketFacts() says that no packet came, and where packets went that are none of the service", () => {
    assert.equal(
      judge([]),
      "unknown no packet of 203.0.113.7 came in by any interface in 10 s: if the director sent any, they are lost on the way here",
    );
    assert.match(
      judge([request(1, "S seq 1").replace(VIRTUAL, "192.0.2.1:81")]),
      /^unknown 1 packet of 203\.0\.113\.7 came in by eth1, and none to a named service: they went to TCP 192\.0\.2\.1:81$/,
    );
  });

  test("serverPacketFacts() looks at the server's own address with masquerading", () => {
    const own = (lines: readonly string[]) =>
      lines.map((line) => line.replace(VIRTUAL, "10.0.0.11:8080"));
    const server = {
      method: "masq",
      server: { address: address("10.0.0.11"), port: 8080 },
    } as const;
    assert.match(
      judge(own(handshake(1)), { server }),
      /^ok TCP 10\.0\.0\.11:8080: 2 requests came in/,
    );
    assert.match(
      judge(own(handshake(1)), { server: { method: "masq" } }),
      /^ok TCP 10\.0\.0\.11:8080: 2 requests came in/,
    );
  });
});
