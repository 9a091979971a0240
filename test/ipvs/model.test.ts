import assert from "node:assert/strict";
import { test } from "node:test";
import { INET, INET6, parseIpv6 } from "../../src/ipvs/address.js";
import {
  formatEndpoint,
  formatNarrowMask,
  formatService,
  SCTP,
  TCP,
  UDP,
} from "../../src/ipvs/model.js";

const IPV4 = Uint8Array.of(192, 0, 2, 1);
const IPV6 = parseIpv6("2001:db8::1") ?? new Uint8Array(16);

test("formatEndpoint() writes IPv6 in brackets", () => {
  assert.equal(formatEndpoint(IPV4, 80), "192.0.2.1:80");
  assert.equal(formatEndpoint(IPV6, 0), "[2001:db8::1]:0");
});

test("formatService() writes protocol, address and port", () => {
  assert.deepEqual(
    ([TCP, UDP, SCTP] as const).map((protocol) =>
      formatService({ family: INET, protocol, address: IPV4, port: 80 }),
    ),
    ["TCP 192.0.2.1:80", "UDP 192.0.2.1:80", "SCTP 192.0.2.1:80"],
  );
});

test("formatService() distinguishes firewall marks of IPv4 and IPv6", () => {
  const firewallMark = 4294967295;
  assert.equal(formatService({ family: INET, firewallMark }), "FWM 4294967295");
  assert.equal(
    formatService({ family: INET6, firewallMark }),
    "FWM 4294967295 IPv6",
  );
});

test("formatNarrowMask() formats a netmask that combines clients", () => {
  assert.equal(formatNarrowMask(Uint8Array.of(255, 255, 0, 0)), "255.255.0.0");
  assert.equal(formatNarrowMask(64), "64");
});

test("formatNarrowMask() returns undefined for the netmask of a single address", () => {
  assert.equal(formatNarrowMask(new Uint8Array(4).fill(255)), undefined);
  assert.equal(formatNarrowMask(128), undefined);
});
