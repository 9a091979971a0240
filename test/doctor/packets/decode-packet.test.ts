import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { decodePacket } from "../../../src/doctor/packets/decode-packet.js";
import { formatAddress } from "../../../src/ipvs/address.js";
import { formatEndpoint } from "../../../src/ipvs/model.js";

/** An IPv4 header without options, with checksum 0. */
function ipv4(
  protocol: number,
  source: string,
  target: string,
  body: readonly number[],
  { total = 20 + body.length, place = 0 } = {},
): number[] {
  const bytes = (text: string) => text.split(".").map(Number);
  return [
    ...[0x45, 0, total >> 8, total & 255, 0x12, 0x34, place >> 8, place & 255],
    ...[64, protocol, 0, 0, ...bytes(source), ...bytes(target), ...body],
  ];
}

/** An IPv6 header: the addresses end with these bytes. */
function ipv6(
  next: number,
  source: number,
  target: number,
  body: readonly number[],
): number[] {
  const bytes = (last: number) => [
    ...[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    last,
  ];
  return [
    ...[0x60, 0, 0, 0, body.length >> 8, body.length & 255, next, 64],
    ...[...bytes(source), ...bytes(target), ...body],
  ];
}

/** A datagram from port 4000 to 53. */
const DATAGRAM = [0x0f, 0xa0, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4];
const CLIENT = "192.0.2.7";
const VIRTUAL = "192.0.2.1";
const INNER = ipv4(17, CLIENT, VIRTUAL, DATAGRAM);

const decode = (bytes: readonly number[]) =>
  decodePacket(Uint8Array.from(bytes), { guePorts: new Set([6080]) });

/** `17 192.0.2.7:4000 > 192.0.2.1:53`, with the tunnel around it */
function told(bytes: readonly number[]): string {
  const packet = decode(bytes);
  if (!packet) return "malformed";
  const { protocol, source, sourcePort, target, targetPort, outer } = packet;
  const around = outer
    ? ` in ${outer.protocol} to ${formatAddress(outer.target)}`
    : "";
  return `${protocol} ${formatEndpoint(source, sourcePort)} > ${formatEndpoint(target, targetPort)}${around}`;
}

const PLAIN = "17 192.0.2.7:4000 > 192.0.2.1:53";
const outer = (protocol: number, body: readonly number[]) =>
  ipv4(protocol, "10.0.0.1", "10.0.0.11", body);
/** UDP to port 6080 */
const gue = (header: readonly number[]) =>
  outer(17, [0x10, 0, 0x17, 0xc0, 0, 0, 0, 0, ...header, ...INNER]);

suite("decodePacket()", () => {
  test("decodePacket() looks into tunnels", () => {
    assert.equal(told(INNER), PLAIN);
    const packed = {
      4: outer(4, INNER),
      // GRE, without and with a checksum, a key and a sequence number
      47: outer(47, [0, 0, 8, 0, ...INNER]),
      "47 with options": outer(47, [
        ...[0xb0, 0, 8, 0],
        ...[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ...INNER,
      ]),
      17: gue([0, 4, 0, 0]),
      // GUE with 8 bytes of private data
      "17 with private data": gue([2, 4, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0]),
    };
    for (const [name, bytes] of Object.entries(packed))
      assert.equal(
        told(bytes),
        `${PLAIN} in ${name.split(" ")[0] ?? ""} to 10.0.0.11`,
      );
    assert.equal(
      told(outer(41, ipv6(17, 7, 1, DATAGRAM))),
      "17 [2001:db8::7]:4000 > [2001:db8::1]:53 in 41 to 10.0.0.11",
    );
    assert.equal(
      told(ipv6(4, 0x11, 0x12, INNER)),
      `${PLAIN} in 4 to 2001:db8::12`,
    );
  });

  test("decodePacket() takes what is no tunnel, or another one, for what it is", () => {
    // GRE version 1, GRE with an Ethernet frame, a control message of GUE, another UDP port
    assert.equal(
      told(outer(47, [0, 1, 8, 0, ...INNER])),
      "47 10.0.0.1:0 > 10.0.0.11:0",
    );
    assert.equal(
      told(outer(47, [0, 0, 0x65, 0x58, ...INNER])),
      "47 10.0.0.1:0 > 10.0.0.11:0",
    );
    assert.equal(
      told(gue([0x20, 4, 0, 0])),
      "17 10.0.0.1:4096 > 10.0.0.11:6080",
    );
    // Two tunnels: only the outer one is looked into.
    assert.equal(
      told(outer(4, outer(4, INNER))),
      "4 10.0.0.1:0 > 10.0.0.11:0 in 4 to 10.0.0.11",
    );
  });

  test("decodePacket() passes over extension headers of IPv6, but not over many", () => {
    const options = [17, 0, 0, 0, 0, 0, 0, 0];
    assert.equal(
      told(ipv6(60, 7, 1, [...options, ...DATAGRAM])),
      "17 [2001:db8::7]:4000 > [2001:db8::1]:53",
    );
    const many = Array.from({ length: 20 }, () => [
      60, 0, 0, 0, 0, 0, 0, 0,
    ]).flat();
    assert.equal(told(ipv6(60, 7, 1, [...many, ...DATAGRAM])), "malformed");
    const fragment = (place: number) =>
      decode(ipv6(44, 7, 1, [17, 0, 0, place, 0, 0, 0, 9, ...DATAGRAM]))
        ?.fragment;
    assert.deepEqual(fragment(1), { id: 9, isFirst: true, isLast: false });
    assert.deepEqual(fragment(8), { id: 9, isFirst: false, isLast: true });
    assert.deepEqual(fragment(9), { id: 9, isFirst: false, isLast: false });
  });

  test("decodePacket() reads ICMP errors and the packets that they quote", () => {
    const quoting = (type: number, code: number, quoted: readonly number[]) =>
      decode(
        ipv4(1, "198.51.100.9", VIRTUAL, [
          ...[type, code, 0, 0, 0, 0, 5, 0x78],
          ...quoted,
        ]),
      )?.error;
    const about = (error: ReturnType<typeof quoting>) =>
      error?.about &&
      `${formatAddress(error.about.source)} ${error.about.targetPort} ${error.about.outer ? formatAddress(error.about.outer.target) : "-"}`;
    const big = quoting(3, 4, INNER);
    assert.equal(big?.name, "too big");
    assert.equal(big.mtu, 1400);
    assert.equal(about(big), "192.0.2.7 53 -");
    assert.equal(quoting(3, 13, INNER)?.name, "prohibited");
    assert.equal(quoting(11, 0, INNER)?.name, "TTL exceeded");
    assert.equal(
      about(quoting(3, 3, outer(4, INNER))),
      "192.0.2.7 53 10.0.0.11",
    );
    // Only 8 bytes of the tunnel's packet are quoted.
    assert.equal(
      about(quoting(3, 3, outer(4, INNER.slice(0, 8)))),
      "10.0.0.1 0 10.0.0.11",
    );
    assert.equal(quoting(8, 0, INNER), undefined); // an echo request
    assert.equal(quoting(3, 3, [1, 2, 3])?.about, undefined);
    const tooBig = decode(
      ipv6(58, 9, 1, [2, 0, 0, 0, 0, 0, 5, 0, ...ipv6(17, 1, 7, DATAGRAM)]),
    )?.error;
    assert.deepEqual([tooBig?.name, tooBig?.mtu], ["too big", 1280]);
  });

  test("decodePacket() takes packets cut short at any byte for malformed, or for what is left of them", () => {
    const whole = [
      INNER,
      outer(4, INNER),
      gue([0, 4, 0, 0]),
      ipv4(1, "198.51.100.9", VIRTUAL, [3, 3, 0, 0, 0, 0, 0, 0, ...INNER]),
      ipv6(44, 7, 1, [17, 0, 0, 1, 0, 0, 0, 9, ...DATAGRAM]),
      // TCP with options that have no end
      ipv4(
        6,
        CLIENT,
        VIRTUAL,
        [
          ...[0, 1, 0, 80, 0, 0, 0, 1, 0, 0, 0, 0, 0xf0, 2, 0, 0, 0, 0, 0, 0],
          ...[2, 0, 3, 1, 1],
        ],
        { total: 80 },
      ),
    ];
    for (const bytes of whole)
      for (let length = 0; length <= bytes.length; length++)
        decode(bytes.slice(0, length));
    assert.equal(told(INNER.slice(0, 23)), "malformed");
    assert.equal(told(INNER.slice(0, 24)), PLAIN);
    // Lengths that cannot be
    assert.equal(told([0x41, ...INNER.slice(1)]), "malformed");
    assert.equal(
      told(ipv4(17, CLIENT, VIRTUAL, DATAGRAM, { total: 8 })),
      "malformed",
    );
    assert.equal(
      told(ipv4(6, CLIENT, VIRTUAL, Array(20).fill(0) as number[])),
      "malformed",
    );
    assert.equal(told([0x55, ...INNER.slice(1)]), "malformed");
  });
});
