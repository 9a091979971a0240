import assert from "node:assert/strict";
import { isIPv4, isIPv6 } from "node:net";
import { test } from "node:test";
import fc from "fast-check";
import {
  familyOf,
  formatAddress,
  INET,
  INET6,
  isMulticast,
  parseAddress,
  parseIpv4,
  parseIpv6,
  sameAddress,
} from "../../src/ipvs/address.js";
import { hex, hexOf } from "../fixtures/hex.js";

function ipv6(text: string): string | undefined {
  const address = parseIpv6(text);
  return address && hexOf(address);
}

test("dotted IPv4 is 4 bytes", () => {
  assert.deepEqual(parseIpv4("192.0.2.1"), Uint8Array.of(192, 0, 2, 1));
  assert.deepEqual(parseIpv4("0.0.0.0"), Uint8Array.of(0, 0, 0, 0));
  assert.deepEqual(parseIpv4("255.255.255.255"), new Uint8Array(4).fill(255));
});

test("IPv4 is four decimal numbers without leading zeros, nothing else", () => {
  for (const text of [
    "",
    "1",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.4.",
    ".1.2.3.4",
    "1..3.4",
    "256.0.0.1",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.00",
    "0x1.2.3.4",
    "1.2.3.-4",
    "+1.2.3.4",
    " 1.2.3.4",
    "1.2.3.4 ",
    "1.2.3.4\n",
    "1.2.3.1e1",
  ])
    assert.equal(parseIpv4(text), undefined, JSON.stringify(text));
});

test("IPv6 is 16 bytes, with the gap wherever it stands", () => {
  assert.equal(ipv6("::"), "0".repeat(32));
  assert.equal(ipv6("::1"), `${"0".repeat(31)}1`);
  assert.equal(ipv6("2001:db8::"), `20010db8${"0".repeat(24)}`);
  assert.equal(ipv6("2001:DB8::a:1"), "20010db80000000000000000000a0001");
  assert.equal(ipv6("1:2:3:4:5:6:7:8"), "00010002000300040005000600070008");
});

test("a gap may stand for a single group", () => {
  assert.equal(ipv6("1:2:3:4:5:6:7::"), "00010002000300040005000600070000");
  assert.equal(ipv6("::2:3:4:5:6:7:8"), "00000002000300040005000600070008");
});

test("the last 32 bits of IPv6 may be dotted", () => {
  assert.equal(ipv6("::1.2.3.4"), `${"0".repeat(24)}01020304`);
  assert.equal(ipv6("::ffff:1.2.3.4"), `${"0".repeat(20)}ffff01020304`);
  assert.equal(
    ipv6("1:2:3:4:5:6:7.8.9.10"),
    "0001000200030004000500060708090a",
  );
});

test("what is no IPv6 is refused", () => {
  for (const text of [
    "",
    ":",
    ":::",
    "1::2::3",
    "::1::",
    ":1:2:3:4:5:6:7:8",
    "1:2:3:4:5:6:7:8:",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1:2:3:4:5:6:7:8::",
    "::1:2:3:4:5:6:7:8",
    "12345::",
    "g::1",
    "fe80::1%lo",
    "[::1]",
    " ::1",
    "::1 ",
    "1.2.3.4",
    "1.2.3.4::",
    "::1.2.3.4:5",
    "::1.2.3",
    "::01.2.3.4",
    "::256.2.3.4",
    "1:2:3:4:5:6:7:1.2.3.4",
  ])
    assert.equal(ipv6(text), undefined, JSON.stringify(text));
});

test("an address of either family is read", () => {
  assert.equal(parseAddress("10.0.0.1")?.length, 4);
  assert.equal(parseAddress("::1")?.length, 16);
  assert.equal(parseAddress("localhost"), undefined);
});

test("the family is told by the length", () => {
  assert.equal(familyOf(new Uint8Array(4)), INET);
  assert.equal(familyOf(new Uint8Array(16)), INET6);
});

// What inet_ntop(3) of glibc 2.36 says.
const FORMS = {
  "00000000000000000000000000000000": "::",
  "00000000000000000000000000000001": "::1",
  "20010db8000000000000000000000001": "2001:db8::1",
  "20010db8000000010000000000000001": "2001:db8:0:1::1",
  "00010000000000000002000000000003": "1::2:0:0:3",
  "00010000000200030004000500060007": "1:0:2:3:4:5:6:7",
  "00000002000300040005000600070008": "0:2:3:4:5:6:7:8",
  "00010002000300040005000600070000": "1:2:3:4:5:6:7:0",
  "00010000000000000000000000000000": "1::",
  "00000000000000000000000001020304": "::1.2.3.4",
  "00000000000000000000000000010000": "::0.1.0.0",
  "00000000000000000000ffff01020304": "::ffff:1.2.3.4",
  "00000000000000000000ffff00000000": "::ffff:0.0.0.0",
  "00000000000000000000fffe01020304": "::fffe:102:304",
  "0000000000000000ffff000000000000": "::ffff:0:0:0",
  "0064ff9b000000000000000001020304": "64:ff9b::102:304",
} as const;

test("IPv6 is written in its shortest form", () => {
  for (const [bytes, text] of Object.entries(FORMS))
    assert.equal(formatAddress(hex(bytes)), text);
});

test("an IPv6 address of which only the last group is not zero is not dotted", () => {
  // The original lists a server [::5]:0.
  assert.equal(formatAddress(hex("00".repeat(15) + "05")), "::5");
  assert.equal(formatAddress(hex("00".repeat(14) + "ffff")), "::ffff");
});

test("IPv4 is written dotted", () => {
  assert.equal(formatAddress(Uint8Array.of(192, 0, 2, 255)), "192.0.2.255");
});

test("an address within a larger buffer is written as it stands there", () => {
  const buffer = hex("ffff c0000201 ffff");
  assert.equal(formatAddress(buffer.subarray(2, 6)), "192.0.2.1");
});

const anyIpv4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
/** Groups of zeros are likely, so that gaps come in all lengths and places. */
const anyIpv6 = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
    minLength: 8,
    maxLength: 8,
  })
  .map((groups) => Uint8Array.from(groups.flatMap((g) => [g >> 8, g & 0xff])));

test("every address is read from what was written", () => {
  fc.assert(
    fc.property(fc.oneof(anyIpv4, anyIpv6), (address) => {
      assert.deepEqual(parseAddress(formatAddress(address)), address);
    }),
  );
});

test("IPv6 is written as the URL standard writes it, but for dotted tails", () => {
  fc.assert(
    fc.property(anyIpv6, (address) => {
      const text = formatAddress(address);
      fc.pre(!text.includes("."));
      assert.equal(`[${text}]`, new URL(`http://[${text}]`).hostname);
    }),
  );
});

test("what Node.js takes for an address is one, and nothing else", () => {
  const nearly = fc.string({
    unit: fc.constantFrom(
      ..."0123456789abcdefF:.".split(""),
      ":",
      ":",
      "::",
      "1.2.3.4",
    ),
    maxLength: 24,
  });
  const texts = fc.oneof(nearly, anyIpv6.map(formatAddress));
  fc.assert(
    fc.property(texts, (text) => {
      assert.equal(parseIpv6(text) !== undefined, isIPv6(text), text);
      assert.equal(parseIpv4(text) !== undefined, isIPv4(text), text);
    }),
    { numRuns: 5000 },
  );
});

test("multicast is 224.0.0.0/4 and ff00::/8", () => {
  const told = (text: string) => isMulticast(parseAddress(text) ?? hex(""));
  assert.ok(["224.0.0.0", "239.255.255.255", "ff02::1"].every(told));
  assert.ok(!["223.255.255.255", "240.0.0.0", "fe80::1", "e000::1"].some(told));
});

test("addresses are the same by family and bytes", () => {
  const zero = new Uint8Array(4);
  assert.ok(sameAddress(zero, Uint8Array.of(0, 0, 0, 0)));
  assert.ok(!sameAddress(zero, Uint8Array.of(0, 0, 0, 1)));
  assert.ok(!sameAddress(zero, new Uint8Array(16)));
});
