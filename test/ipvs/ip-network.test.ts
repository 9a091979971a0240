import assert from "node:assert/strict";
import { test } from "node:test";
import { networkOf, parseNetwork } from "../../src/ipvs/ip-network.js";
import { address } from "../fixtures/entries.js";

test("parseNetwork() returns the address and the prefix length", () => {
  assert.deepEqual(parseNetwork("10.0.0.0/8"), {
    address: address("10.0.0.0"),
    prefixBits: 8,
  });
  assert.deepEqual(parseNetwork("2001:db8::/32"), {
    address: address("2001:db8::"),
    prefixBits: 32,
  });
});

test("parseNetwork() reads an address as a network of one address", () => {
  for (const text of ["192.0.2.1", "2001:db8::1"])
    assert.deepEqual(parseNetwork(text), networkOf(address(text)));
});

test("parseNetwork() accepts all prefix lengths of the family", () => {
  for (const text of ["0.0.0.0/0", "10.1.2.3/32", "::/0", "::1/128"])
    assert.ok(parseNetwork(text), text);
});

test("parseNetwork() returns undefined for other texts", () => {
  for (const text of [
    "",
    "/8",
    "10.0.0/8",
    "10.0.0.0/",
    "10.0.0.0/33",
    "10.0.0.0/-1",
    "10.0.0.0/08",
    "10.0.0.0/8/8",
    "10.0.0.0/255.0.0.0",
    "::/129",
    "web.example/24",
  ])
    assert.equal(parseNetwork(text), undefined, text);
});
