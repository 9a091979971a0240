import assert from "node:assert/strict";
import { test } from "node:test";
import { forwarding } from "../../../src/doctor/director/forwarding.js";
import { MASQUERADING } from "../../../src/ipvs/model.js";
import { serverEntry } from "../../fixtures/entries.js";
import { serviceAt, sysctls, told } from "../made-up.js";

const NAT = { forwarding: MASQUERADING };
const OFF = sysctls({
  "net.ipv4.ip_forward": 0,
  "net.ipv6.conf.all.forwarding": 0,
});

test("forwarding: only masquerading needs it", () => {
  const table = [serviceAt("192.0.2.1", [serverEntry("192.0.2.10", 80)])];
  assert.deepEqual(forwarding.examine({ table, sysctls: OFF }), []);
});

test("forwarding: each family is reported once, by the family of the server", () => {
  const table = [
    serviceAt("192.0.2.1", [serverEntry("192.0.2.10", 80, NAT)]),
    serviceAt("192.0.2.2", [serverEntry("192.0.2.10", 80, NAT)]),
    serviceAt("2001:db8::1", [serverEntry("2001:db8::10", 80, NAT)]),
  ];
  assert.deepEqual(forwarding.examine({ table, sysctls: OFF }).map(told), [
    ["forwarding-off IPv4", "sysctl -w net.ipv4.ip_forward=1"],
    ["forwarding-off IPv6", "sysctl -w net.ipv6.conf.all.forwarding=1"],
  ]);
  const on = sysctls({
    "net.ipv4.ip_forward": 1,
    "net.ipv6.conf.all.forwarding": 1,
  });
  assert.deepEqual(forwarding.examine({ table, sysctls: on }), []);
});
