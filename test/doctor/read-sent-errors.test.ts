import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSentErrors } from "../../src/doctor/read-sent-errors.js";

const SNMP = `Ip: Forwarding DefaultTTL
Ip: 2 64
Icmp: InMsgs InErrors OutMsgs OutErrors OutDestUnreachs OutTimeExcds
Icmp: 8 0 82 0 74 0
IcmpMsg: OutType0 OutType3
IcmpMsg: 8 74
`;

test("parseSentErrors() finds the counters by their names", () => {
  const snmp6 =
    "Icmp6InType2                    \t9\nIcmp6OutType2                   \t5\nIcmp6OutType20                  \t7\n";
  assert.deepEqual(parseSentErrors(SNMP, snmp6), {
    unreachable: 74n,
    tooBig: 5n,
  });
});

test("parseSentErrors() takes a counter of IPv6 that is missing for 0, and knows nothing without those of IPv4", () => {
  assert.deepEqual(parseSentErrors(SNMP, ""), {
    unreachable: 74n,
    tooBig: 0n,
  });
  for (const text of [
    "",
    "Icmp: OutDestUnreachs\n",
    "Icmp: OutDestUnreachs\nIcmp: many\n",
    "Icmp: InMsgs\nIcmp: 5\n",
  ])
    assert.equal(parseSentErrors(text, ""), undefined, text);
});
