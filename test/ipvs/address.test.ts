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

test("parseIpv4() returns 4 bytes", () => {
  assert.deepEqual(parseIpv4("192.0.2.1"), Uint8Array.of(192, 0, 2, 1));
  assert.deepEqual(parseIpv4("0.0.0.0"), Uint8Array.of(0, 0, 0, 0));
  assert.deepEqual(parseIpv4("255.255.255.255"), new Uint8Array(4).fill(255));
});

test("parseIpv4() accepts only four decimal numbers without leading zeros", () => {
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

test("parseIpv6() returns 16 bytes, with the gap at any position", () => {
  assert.equal(ipv6("::"), "0".repeat(32));
  assert.equal(ipv6("::1"), `${"0".repeat(31)}1`);
  assert.equal(ipv6("2001:db8::"), `20010db8${"0".repeat(24)}`);
  assert.equal(ipv6("2001:DB8::a:1"), "20010db80000000000000000000a0001");
  assert.equal(ipv6("1:2:3:4:5:6:7:8"), "00010002000300040005000600070008");
});

test("parseIpv6() accepts a gap for a single group", () => {
  assert.equal(ipv6("1:2:3:4:5:6:7::"), "00010002000300040005000600070000");
  assert.equal(ipv6("::2:3:4:5:6:7:8"), "00000002000300040005000600070008");
});

test("parseIpv6() accepts dotted IPv4 in the last 32 bits", () => {
  assert.equal(ipv6("::1.2.3.4"), `${"0".repeat(24)}01020304`);
  assert.equal(ipv6("::ffff:1.2.3.4"), `${"0".repeat(20)}ffff01020304`);
  assert.equal(
    ipv6("1:2:3:4:5:6:7.8.9.10"),
    "0001000200030004000500060708090a",
  );
});

test("parseIpv6() returns undefined for other texts", () => {
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

test("parseAddress() accepts both families", () => {
  assert.equal(parseAddress("10.0.0.1")?.length, 4);
  assert.equal(parseAddress("::1")?.length, 16);
  assert.equal(parseAddress("localhost"), undefined);
});

test("familyOf() goes by the length", () => {
  assert.equal(familyOf(new Uint8Array(4)), INET);
  assert.equal(familyOf(new Uint8Array(16)), INET6);
});

// Output of inet_ntop(3) in glibc 2.36.
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

test("formatAddress() writes IPv6 in its shortest form", () => {
  for (const [bytes, text] of Object.entries(FORMS))
    assert.equal(formatAddress(hex(bytes)), text);
});

test("formatAddress() does not write dotted IPv4 if only the last group is not zero", () => {
  // The original lists a server [::5]:0.
  assert.equal(formatAddress(hex("00".repeat(15) + "05")), "::5");
  assert.equal(formatAddress(hex("00".repeat(14) + "ffff")), "::ffff");
});

test("formatAddress() writes IPv4 as four decimal numbers", () => {
  assert.equal(formatAddress(Uint8Array.of(192, 0, 2, 255)), "192.0.2.255");
});

test("formatAddress() reads an address inside a larger buffer", () => {
  const buffer = hex("ffff c0000201 ffff");
  assert.equal(formatAddress(buffer.subarray(2, 6)), "192.0.2.1");
});

const anyIpv4 = fc.uint8Array({ minLength: 4, maxLength: 4 });
/** Random groups with many zeros, so that gaps of all lengths appear at all places. */
const anyIpv6 = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 0xffff })), {
    minLength: 8,
    maxLength: 8,
  })
  .map((groups) => Uint8Array.from(groups.flatMap((g) => [g >> 8, g & 0xff])));

test("parseAddress() reads what formatAddress() wrote, for random addresses", () => {
  fc.assert(
    fc.property(fc.oneof(anyIpv4, anyIpv6), (address) => {
      assert.deepEqual(parseAddress(formatAddress(address)), address);
    }),
  );
});

test("formatAddress() writes IPv6 like the URL standard, except for dotted IPv4", () => {
  fc.assert(
    fc.property(anyIpv6, (address) => {
      const text = formatAddress(address);
      fc.pre(!text.includes("."));
      assert.equal(`[${text}]`, new URL(`http://[${text}]`).hostname);
    }),
  );
});

test("parseAddress() accepts the same texts as Node.js", () => {
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

test("isMulticast() is true for 224.0.0.0/4 and ff00::/8", () => {
  const told = (text: string) => isMulticast(parseAddress(text) ?? hex(""));
  assert.ok(["224.0.0.0", "239.255.255.255", "ff02::1"].every(told));
  assert.ok(!["223.255.255.255", "240.0.0.0", "fe80::1", "e000::1"].some(told));
});

test("sameAddress() compares family and bytes", () => {
  const zero = new Uint8Array(4);
  assert.ok(sameAddress(zero, Uint8Array.of(0, 0, 0, 0)));
  assert.ok(!sameAddress(zero, Uint8Array.of(0, 0, 0, 1)));
  assert.ok(!sameAddress(zero, new Uint8Array(16)));
});
