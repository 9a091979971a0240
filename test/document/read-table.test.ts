import assert from "node:assert/strict";
import { test } from "node:test";
import { INET, INET6 } from "../../src/ipvs/address.js";
import { PERSISTENT, TCP } from "../../src/ipvs/model.js";
import { parseJson } from "../../src/document/parse-json.js";
import { parseYaml } from "../../src/document/parse-yaml.js";
import { readTable } from "../../src/document/read-table.js";
import {
  MalformedDocument,
  placeOf,
} from "../../src/document/parsed-document.js";
import { address } from "../fixtures/entries.js";

/** What is said of a text, a line for each fault. */
function faultsOf(text: string, parse = parseYaml): string[] {
  try {
    readTable(parse(text));
  } catch (error) {
    assert.ok(error instanceof MalformedDocument, String(error));
    return error.message.split("\n");
  }
  return [];
}

test("what is left out has its default", () => {
  const { table, places } = readTable(
    parseYaml(`# by hand
schema: ipvsadm/table/1
services:
- {protocol: tcp, address: "2001:db8::1", port: 80, scheduler: wlc, persistence: {timeoutSeconds: 60}}
- firewallMark: 7
  scheduler: rr
  servers:
  - {address: 10.0.0.1, port: 0, forwarding: direct, weight: 1}
`),
  );
  const base = { port: 80, address: address("2001:db8::1"), protocol: TCP };
  const tunnel = { type: 0, port: 0, flags: 0 };
  assert.deepEqual(table, {
    services: [
      {
        key: { family: INET6, ...base },
        settings: {
          scheduler: "wlc",
          flags: PERSISTENT,
          timeoutSeconds: 60,
          netmask: 128,
        },
        servers: [],
      },
      {
        key: { family: INET, firewallMark: 7 },
        settings: {
          scheduler: "rr",
          flags: 0,
          timeoutSeconds: 0,
          netmask: address("255.255.255.255"),
        },
        servers: [
          {
            key: { address: address("10.0.0.1"), port: 0 },
            settings: {
              forwarding: 3,
              weight: 1,
              tunnel,
              upperThreshold: 0,
              lowerThreshold: 0,
            },
          },
        ],
      },
    ],
  });
  assert.equal(places.size, 3);
});

test("every fault is told, with its place and path, in the order of the text", () => {
  assert.deepEqual(
    faultsOf(`schema: ipvsadm/table/2
services:
- protocol: tpc
  address: 192.0.2.256
  port: 65536
  scheduler: wlc
  shceduler: rr
  schedulerFlags: [sh-port, nonsense]
  servers:
  - address: 10.0.0.1
    port: 80
    forwarding: nat
    weight: -1
    lowerThreshold: 1.5
- firewallMark: 7
  port: 80
timeouts: 5
`),
    [
      'line 1, column 9: schema: "ipvsadm/table/1" is wanted, not "ipvsadm/table/2"',
      'line 3, column 13: services[0].protocol: one of tcp, udp, sctp is wanted, not "tpc"',
      'line 4, column 12: services[0].address: an IPv4 or IPv6 address is wanted, not "192.0.2.256"',
      "line 5, column 9: services[0].port: a whole number from 0 to 65535 is wanted, not 65536",
      "line 7, column 14: services[0].shceduler: there is no such member; there are protocol, address, port, family, firewallMark, scheduler, schedulerFlags, persistence, onePacket, otherFlags, servers",
      "line 8, column 20: services[0].schedulerFlags[0]: this is a flag of scheduler sh",
      'line 8, column 29: services[0].schedulerFlags[1]: the name of a scheduler\'s flag is wanted, not "nonsense"',
      'line 12, column 17: services[0].servers[0].forwarding: one of masq, direct, tunnel, local is wanted, not "nat"',
      "line 13, column 13: services[0].servers[0].weight: a whole number from 0 to 2147483647 is wanted, not -1",
      "line 14, column 21: services[0].servers[0].lowerThreshold: a whole number from 0 to 4294967295 is wanted, not 1.5",
      "line 15, column 3: services[1].scheduler: it is missing: the name of a scheduler is wanted",
      "line 16, column 9: services[1].port: a service has either a firewall mark or an address",
      "line 17, column 11: timeouts: an object is wanted, not 5",
      "line 17, column 11: timeouts.tcpSeconds: it is missing: a whole number from 0 to 4294967295 is wanted",
      "line 17, column 11: timeouts.tcpFinSeconds: it is missing: a whole number from 0 to 4294967295 is wanted",
      "line 17, column 11: timeouts.udpSeconds: it is missing: a whole number from 0 to 4294967295 is wanted",
    ],
  );
});

test("a document that is something else altogether says so", () => {
  for (const text of ["[]", "3", '"text"', "null", "{}"])
    for (const parse of [parseJson, parseYaml])
      assert.match(faultsOf(text, parse).join(), /schema: it is missing/, text);
});

test("counters are passed over, however they look", () => {
  const service = `"protocol":"tcp","address":"192.0.2.1","port":80,"scheduler":"rr"`;
  const told = `"state":"ok","name":"tcp/web:http","effectiveWeight":3,"stats":{"inBytes":18446744073709551615}`;
  const text = `{"schema":"ipvsadm/table/1","services":[{${service},${told},"servers":[]}],"totals":{"connections":1e400}}`;
  assert.deepEqual(faultsOf(text, parseJson), []);
  assert.deepEqual(faultsOf(text), []);
});

test("integers have all their digits", () => {
  const { root } = parseJson("[18446744073709551615, 9007199254740991, -0.5]");
  const items = root.value as readonly { value: unknown }[];
  assert.deepEqual(
    items.map(({ value }) => value),
    [2n ** 64n - 1n, 9007199254740991, -0.5],
  );
});

for (const [text, fault] of [
  ["", "line 1, column 1: the text ends where a value is wanted"],
  ['{"a": 1,}', "line 1, column 9: } where a member's name is wanted"],
  [
    '{"a": 1\n "b": 2}',
    "line 2, column 2: a string that does not end, or has an escape that there is not",
  ],
  ["[1 2]", "line 1, column 4: 2 where a comma or ] is wanted"],
  [
    '["\\x"]',
    "line 1, column 2: a string that does not end, or has an escape that there is not",
  ],
  ["{} {}", "line 1, column 4: there is more behind the end of the document"],
  ['{"a":1,\n"a":2}', 'line 2, column 1: "a" comes twice'],
  ["[01]", "line 1, column 3: 1 where a comma or ] is wanted"],
  ["[".repeat(100_000), "line 1, column 66: this is nested too deeply"],
] as const)
  test(`not JSON: ${text.slice(0, 20)}`, () => {
    assert.deepEqual(faultsOf(text, parseJson), [fault]);
  });

const TOO_DEEP = /^line 1, column [0-9]+: this is nested too deeply$/;

test("what is not YAML, or more than we take, is told with its place", () => {
  for (const [text, fault] of [
    ["", /^line 1, column 1: the document is empty$/],
    ["a: 1\na: 2\n", /^line 2, column 1: Map keys must be unique$/],
    ["a: [1\n", /^line 2, column 1: /],
    ["--- 1\n--- 2\n", /^line 2, column 1: there is a second document/],
    ["a: *nobody\n", /^line 1, column 4: .*nobody/],
    ["3: x\n", /^line 1, column 1: a key that is no string$/],
    ["&a [*a]\n", /nested too deeply|schema: it is missing/],
    ["[".repeat(1000), /^line 1, column \d+: /],
    ["[".repeat(50_000) + "]".repeat(50_000), TOO_DEEP],
    ["- ".repeat(20_000) + "x", TOO_DEEP],
    ["? ".repeat(5000) + "x", TOO_DEEP],
    ["{a: ".repeat(5000) + "1" + "}".repeat(5000), TOO_DEEP],
  ] as const)
    assert.match(faultsOf(text)[0] ?? "", fault, text.slice(0, 20));
});

test("an alias stands for what it names", () => {
  const { table } = readTable(
    parseYaml(`schema: ipvsadm/table/1
services:
- firewallMark: 1
  scheduler: rr
  servers: &pool
  - {address: 10.0.0.1, port: 0, forwarding: direct, weight: 1}
- {firewallMark: 2, scheduler: rr, servers: *pool}
`),
  );
  assert.deepEqual(table.services[1]?.servers, table.services[0]?.servers);
});

test("an alias of aliases costs no more than it says", () => {
  const levels = Array.from(
    { length: 60 },
    (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`,
  );
  const text = ["a0: &a0 [x]", ...levels].join("\n");
  assert.match(faultsOf(text)[0] ?? "", /^line 1, column 1: schema/);
});

test("lines and columns count from 1", () => {
  const text = "ab\n\nc";
  assert.deepEqual(
    [0, 2, 3, 4].map((at) => placeOf(text, at)),
    [
      { line: 1, column: 1 },
      { line: 1, column: 3 },
      { line: 2, column: 1 },
      { line: 3, column: 1 },
    ],
  );
});
