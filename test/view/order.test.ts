import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatAddress, INET, INET6 } from "../../src/ipvs/address.js";
import {
  formatService,
  SCTP,
  TCP,
  UDP,
  type ServiceKey,
} from "../../src/ipvs/model.js";
import { mergeSort, sortServers, sortServices } from "../../src/view/order.js";
import { addressKey, serverEntry, serviceEntry } from "../fixtures/entries.js";

function sortedServices(...keys: ServiceKey[]): string[] {
  return sortServices(keys.map((key) => serviceEntry(key))).map(({ key }) =>
    formatService(key),
  );
}

function sortedServers(...servers: (readonly [string, number])[]): string[] {
  const entries = servers.map(([text, port]) => serverEntry(text, port));
  return sortServers(entries).map(
    ({ key }) => `${formatAddress(key.address)} ${key.port}`,
  );
}

function addresses(...texts: string[]): string[] {
  return sortedServers(...texts.map((text) => [text, 0] as const)).map(
    (text) => text.split(" ")[0] ?? "",
  );
}

test("mergeSort() compares like the C library: halves of n / 2 and the rest", () => {
  const compared: string[] = [];
  mergeSort(["e", "d", "c", "b", "a"], (a, b) => {
    compared.push(a + b);
    return a < b ? -1 : 1;
  });
  // [e d] [c b a] → [d e], [c] [b a] → [a b c] → [a b c d e]
  assert.deepEqual(compared, ["ed", "ba", "ca", "cb", "da", "db", "dc"]);
});

test("mergeSort() keeps the order of equal elements", () => {
  const items = ["b1", "a1", "b2", "a2", "b3"];
  const byLetter = (a: string, b: string) => a.charCodeAt(0) - b.charCodeAt(0);
  assert.deepEqual(mergeSort(items, byLetter), ["a1", "a2", "b1", "b2", "b3"]);
});

test("mergeSort() sorts like any other algorithm if the order is unambiguous, and does not change its argument", () => {
  fc.assert(
    fc.property(fc.array(fc.integer()), (items) => {
      const before = [...items];
      assert.deepEqual(
        mergeSort(items, (a, b) => (a < b ? -1 : a > b ? 1 : 0)),
        items.toSorted((a, b) => a - b),
      );
      assert.deepEqual(items, before);
    }),
  );
});

test("sortServices() sorts by firewall mark, family, protocol, address and port", () => {
  const inOrder = [
    addressKey(TCP, "10.0.0.1", 80),
    addressKey(TCP, "10.0.0.1", 443),
    addressKey(TCP, "10.0.0.2", 80),
    addressKey(UDP, "10.0.0.1", 53),
    addressKey(SCTP, "10.0.0.1", 59),
    addressKey(TCP, "2001:db8::5", 80),
    { family: INET, firewallMark: 1 },
    { family: INET6, firewallMark: 1 },
    { family: INET, firewallMark: 2 },
  ] as const;
  const expected = inOrder.map(formatService);
  assert.deepEqual(sortedServices(...inOrder.toReversed()), expected);
  assert.deepEqual(sortedServices(...inOrder), expected);
});

test("sortServices() compares firewall marks as signed numbers", () => {
  assert.deepEqual(
    sortedServices(addressKey(TCP, "10.0.0.1", 80), {
      family: INET,
      firewallMark: 4294967295,
    }),
    ["FWM 4294967295", "TCP 10.0.0.1:80"],
  );
});

test("sortServers() sorts by address and port", () => {
  assert.deepEqual(
    sortedServers(
      ["10.1.1.9", 80],
      ["10.1.1.2", 81],
      ["10.1.1.9", 0],
      ["10.1.1.2", 80],
    ),
    ["10.1.1.2 80", "10.1.1.2 81", "10.1.1.9 0", "10.1.1.9 80"],
  );
});

test("sortServers() compares IPv4 with the first word of IPv6, like the original", () => {
  const listed = ["::1", "10.5.5.5", "2001:db8::2", "2001:db8::6", "127.0.0.1"];
  assert.deepEqual(addresses(...listed.toReversed()), listed);
});

test("sortServers() compares every word of IPv6", () => {
  const inOrder = ["::1", "::2", "::1:0:0", "1::", "1::1", "1:0:1::"];
  assert.deepEqual(addresses(...inOrder.toReversed()), inOrder);
});

test("sortServers() compares addresses by their difference, which wraps around", () => {
  assert.deepEqual(addresses("10.0.0.1", "200.0.0.1"), [
    "200.0.0.1",
    "10.0.0.1",
  ]);
  assert.deepEqual(addresses("100.0.0.1", "10.0.0.1"), [
    "10.0.0.1",
    "100.0.0.1",
  ]);
  assert.deepEqual(addresses("200.0.0.1", "100.0.0.1"), [
    "100.0.0.1",
    "200.0.0.1",
  ]);
});

test("sortServers() depends on the initial order, because three addresses can form a cycle", () => {
  const [a, b, c] = ["10.0.0.1", "100.0.0.1", "200.0.0.1"] as const;
  // For [x] [y z], y and z are compared first, then x with the smaller one, and so on.
  assert.deepEqual(addresses(a, b, c), [a, b, c]);
  assert.deepEqual(addresses(a, c, b), [a, b, c]);
  assert.deepEqual(addresses(b, c, a), [b, c, a]);
  assert.deepEqual(addresses(b, a, c), [b, c, a]);
  assert.deepEqual(addresses(c, a, b), [c, a, b]);
  assert.deepEqual(addresses(c, b, a), [c, a, b]);
});

test("sortServers() wraps around in the second word, too", () => {
  assert.deepEqual(addresses("0:0:1::", "0:0:9000::"), [
    "0:0:9000::",
    "0:0:1::",
  ]);
});
