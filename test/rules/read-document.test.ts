import assert from "node:assert/strict";
import { test } from "node:test";
import { readRules } from "../../src/rules/read-rules.js";
import { findingsIn } from "./findings.js";
import { fakeLookups } from "./name-lookups.js";

const HEAD = "schema: ipvsadm/table/1\n";

test("readRules() reports malformed values of a document, and what every kernel refuses", async () => {
  const text = `${HEAD}services:
- {protocol: tcp, address: 192.0.2.1, port: 80, scheduler: rr, servers: [
   {address: 192.0.2.10, port: 80, forwarding: masq, weight: -1},
   {address: 2001:db8::1, port: 80, forwarding: masq, weight: 1},
   {address: 224.0.0.1, port: 80, forwarding: masq, weight: 1},
   {address: 192.0.2.11, port: 80, forwarding: masq, weight: 1, lowerThreshold: 5},
   {address: 192.0.2.12, port: 80, forwarding: tunnel, weight: 1, tunnel: {type: gue}},
   {address: 192.0.2.12, port: 80, forwarding: tunnel, weight: 1},
   {address: "2001:db8::2", port: 80, forwarding: tunnel, weight: 1}]}
- {protocol: tcp, address: 192.0.2.1, port: 80, scheduler: rr}
- {protocol: tcp, address: 192.0.2.x, port: 80, scheduler: rr, servers: [
   {address: 192.0.2.10, port: 80, forwarding: masq, weight: 1}]}
timeouts: {tcpSeconds: 21474837, tcpFinSeconds: 1, udpSeconds: 1}
daemons:
- {role: master, interface: eth0, syncId: 1, group: 192.0.2.1}
- {role: master, interface: eth1, syncId: 2}
`;
  assert.deepEqual(
    (await findingsIn(text)).filter((line) => line.includes("error")),
    [
      "4:62 error form",
      "5:14 error mixed-families",
      "6:14 error not-unicast",
      "7:81 error thresholds",
      "8:75 error gue-without-port",
      "9:4 error duplicate",
      "10:14 error mixed-families-with-daemon",
      "11:3 error duplicate",
      "12:28 error form",
      "14:11 error long-timeout",
      "16:53 error not-multicast",
      "17:3 error duplicate",
    ],
  );
  const { errors } = await readRules("-", text, fakeLookups());
  assert.equal(errors[0]?.path, "services[0].servers[0].weight");
  assert.equal(errors[1]?.path, "services[0].servers[1].address");
  assert.match(errors[5]?.message ?? "", /first in line 8/);
});

test("readRules() reports a syntax error of a document as a finding", async () => {
  for (const [text, place] of [
    ["{", "1:2"],
    [`{"schema": "ipvsadm/table/1", "services": [}`, "1:44"],
    [`${HEAD}services: [\n`, "3:1"],
    [`${HEAD}a: 1\na: 2\n`, "3:1"],
  ] as const)
    assert.deepEqual((await findingsIn(text))[0], `${place} error form`);
});

test("readRules() reports every syntax error of YAML", async () => {
  assert.deepEqual(
    await findingsIn(
      `${HEAD}schema: ipvsadm/table/1\nservices: []\nservices: []\n`,
    ),
    ["2:1 error form", "4:1 error form"],
  );
});

test("warningsOf() warns of a filtered listing", async () => {
  const services =
    "services: [{firewallMark: 7, scheduler: rr, servers: [{address: 10.0.0.1, port: 0, forwarding: masq, weight: 1}]}]\n";
  assert.deepEqual(await findingsIn(`${HEAD}partial: true\n${services}`), [
    "2:10 warning partial",
  ]);
  assert.deepEqual(await findingsIn(`${HEAD}partial: false\n${services}`), []);
  assert.deepEqual(await findingsIn(`${HEAD}partial: some\n${services}`), [
    "2:10 error form",
  ]);
});
