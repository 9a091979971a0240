import assert from "node:assert/strict";
import { test } from "node:test";
import {
  parseEndpoint,
  parseIpv4Loosely,
  type Lookups,
} from "../../src/grammar/endpoint.js";
import { UnresolvedHost } from "../../src/grammar/usage-errors.js";
import { formatAddress } from "../../src/ipvs/address.js";
import { TCP, UDP, type Protocol } from "../../src/ipvs/model.js";
import { LOOKUPS, NO_NAMES } from "./lookups.js";

/**
 * The endpoint as `ADDRESS PORT`, or `ADDRESS -` without a port; undefined if the text is not an
 * endpoint.
 */
function read(
  text: string,
  protocol: Protocol | undefined = TCP,
  lookups: Lookups = LOOKUPS,
): string | undefined {
  const endpoint = parseEndpoint(text, protocol, lookups);
  return (
    endpoint && `${formatAddress(endpoint.address)} ${endpoint.port ?? "-"}`
  );
}

function loosely(text: string): string | undefined {
  const address = parseIpv4Loosely(text);
  return address && formatAddress(address);
}

test("parseEndpoint() accepts IPv4 with and without a port", () => {
  assert.equal(read("192.0.2.1:80"), "192.0.2.1 80");
  assert.equal(read("192.0.2.1"), "192.0.2.1 -");
});

test("parseIpv4Loosely() accepts fewer than four parts; the last one fills the remaining bytes", () => {
  assert.equal(loosely("10.1"), "10.0.0.1");
  assert.equal(loosely("10.1.2"), "10.1.0.2");
  assert.equal(loosely("10.1.65535"), "10.1.255.255");
  assert.equal(loosely("10.16777215"), "10.255.255.255");
  assert.equal(loosely("168427777"), "10.10.1.1");
  assert.equal(loosely("4294967295"), "255.255.255.255");
});

test("parseIpv4Loosely() rejects a part that is too large", () => {
  for (const text of [
    "4294967296",
    "10.16777216",
    "10.1.65536",
    "10.1.2.256",
    "256.1",
    "10.256.1",
    "10.1.256.1",
    "99999999999999999999",
  ])
    assert.equal(loosely(text), undefined, text);
});

test("parseIpv4Loosely() accepts hexadecimal and octal parts", () => {
  assert.equal(loosely("0x0a.0.0.2"), "10.0.0.2");
  assert.equal(loosely("0XA.0xb.2"), "10.11.0.2");
  assert.equal(loosely("012.0.0.3"), "10.0.0.3");
  assert.equal(loosely("0xffff0000"), "255.255.0.0");
  assert.equal(loosely("00.0.0.01"), "0.0.0.1");
  assert.equal(loosely("0377.0.0.0"), "255.0.0.0");
});

test("parseIpv4Loosely() ignores text after a space", () => {
  for (const blank of " \t\n\v\f\r")
    assert.equal(loosely(`10.0.0.6${blank}x`), "10.0.0.6");
});

test("parseIpv4Loosely() rejects other texts", () => {
  for (const text of [
    "",
    " 10.0.0.6",
    "10.0.0.6x",
    "10.0.0.6.",
    "10..6",
    ".6",
    "1.2.3.4.5",
    "08.0.0.1",
    "0x.0.0.1",
    "0xg.0.0.1",
    "-1",
    "+1",
    "1e3",
  ])
    assert.equal(loosely(text), undefined, JSON.stringify(text));
});

test("parseEndpoint() accepts IPv6 without brackets and without a port", () => {
  assert.equal(read("2001:db8::1"), "2001:db8::1 -");
  assert.equal(read("2001:db8::1:80"), "2001:db8::1:80 -");
});

test("parseEndpoint() requires a port after IPv6 in brackets", () => {
  assert.equal(read("[2001:db8::1]:80"), "2001:db8::1 80");
  assert.equal(read("[2001:db8::1]:0"), "2001:db8::1 0");
  for (const text of ["[2001:db8::1]", "[2001:db8::1", "[2001:db8::1]80", "[]"])
    assert.equal(read(text), undefined, text);
});

test("parseEndpoint() ignores the port after brackets without IPv6, like the original", () => {
  assert.equal(read("[10.0.0.1]:80"), "10.0.0.1 -");
  assert.equal(read("[10.0.0.1:70]:80"), "10.0.0.1 70");
});

test("parseEndpoint() rejects a single number, although it could be an address", () => {
  for (const text of ["", "80", "168427777"])
    assert.equal(read(text), undefined, text);
});

test("parseEndpoint() accepts a number as an address if a port follows", () => {
  assert.equal(read("12:60"), "0.0.0.12 60");
  assert.equal(read("168427777:80"), "10.10.1.1 80");
});

test("parseEndpoint() accepts ports from 0 to 65535", () => {
  assert.equal(read("10.0.0.6:0"), "10.0.0.6 0");
  assert.equal(read("10.0.0.6:65535"), "10.0.0.6 65535");
  assert.equal(read("10.0.0.6: +7"), "10.0.0.6 7");
  for (const port of ["", "65536", "-1", "9x", "0x50"])
    assert.equal(read(`10.0.0.6:${port}`), undefined, port);
});

test("parseEndpoint() looks up a port's name for the protocol", () => {
  assert.equal(read("10.0.0.6:http"), "10.0.0.6 80");
  assert.equal(read("[::1]:http"), "::1 80");
  assert.equal(read("10.0.0.6:http", UDP), undefined);
  assert.equal(read("10.0.0.6:domain", UDP), "10.0.0.6 53");
  assert.equal(read("10.0.0.6:nope"), undefined);
});

test("parseEndpoint() rejects a port's name without a protocol", () => {
  const unknown = (text: string) =>
    parseEndpoint(text, undefined, LOOKUPS)?.port;
  assert.equal(unknown("10.0.0.6:http"), undefined);
  assert.equal(unknown("10.0.0.6:80"), 80);
});

test("parseEndpoint() looks up the IPv4 address of a host", () => {
  assert.equal(read("web.example"), "192.0.2.80 -");
  assert.equal(read("web.example:81"), "192.0.2.80 81");
  assert.equal(read("[web.example:82]:81"), "192.0.2.80 82");
  assert.equal(read("nowhere.example:81"), undefined);
});

test("parseEndpoint() splits host and port at the last colon", () => {
  assert.equal(read("10.0.0.6:80:80"), undefined);
});

test("parseEndpoint() throws UnresolvedHost for a host that was not looked up yet", () => {
  const unknown: Lookups = {
    ...NO_NAMES,
    host(name) {
      throw new UnresolvedHost(name);
    },
  };
  assert.throws(
    () => read("web.example:81", TCP, unknown),
    new UnresolvedHost("web.example"),
  );
  assert.equal(read("10.0.0.6:81", TCP, unknown), "10.0.0.6 81");
});
