import assert from "node:assert/strict";
import { test } from "node:test";
import { parse as parseWithPackage } from "yaml";
import { INET, INET6 } from "../../src/ipvs/address.js";
import { PERSISTENT, TCP } from "../../src/ipvs/model.js";
import { parseJson } from "../../src/document/parse-json.js";
import { parseYaml } from "../../src/document/parse-yaml.js";
import { readTable } from "../../src/document/read-table.js";
import {
  MalformedDocument,
  positionOf,
} from "../../src/document/parsed-document.js";
import { serverSettings } from "../../src/ipvs/defaults.js";
import { readRules } from "../../src/rules/read-rules.js";
import { address } from "../fixtures/entries.js";
import { invalidities } from "./schema.js";
import { fakeLookups } from "../rules/name-lookups.js";

/** The errors of a text, a line for each. */
function errorsOf(text: string, parse = parseYaml): string[] {
  try {
    readTable(parse(text));
  } catch (error) {
    assert.ok(error instanceof MalformedDocument, String(error));
    return error.message.split("\n");
  }
  return [];
}

/** A table that leaves out whatever has a default. */
const SHORT = `# by hand
schema: ipvsadm/table/1
services:
- protocol: tcp
  address: "2001:db8::1"
  port: 80
  persistence: {}
  servers:
  - address: "2001:db8::2"
- firewallMark: 7
  scheduler: rr
  servers:
  - {address: 10.0.0.1}
- {protocol: tcp, address: 192.0.2.1, persistence: {timeoutSeconds: 60}}
timeouts: {udpSeconds: 30}
daemons:
- {role: master, interface: eth0}
`;

test("readTable() has the defaults of the classic options", () => {
  const { table, values } = readTable(parseYaml(SHORT));
  const [persistent, marked, allPorts] = table.services;
  assert.deepEqual(persistent, {
    key: {
      family: INET6,
      port: 80,
      address: address("2001:db8::1"),
      protocol: TCP,
    },
    settings: {
      scheduler: "wlc",
      flags: PERSISTENT,
      timeoutSeconds: 360,
      netmask: 128,
    },
    servers: [
      {
        key: { address: address("2001:db8::2"), port: 80 },
        settings: serverSettings(),
      },
    ],
  });
  assert.deepEqual(marked, {
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
        settings: serverSettings(),
      },
    ],
  });
  assert.ok(allPorts && "port" in allPorts.key);
  assert.equal(allPorts.key.port, 0);
  assert.deepEqual(table.timeouts, {
    tcpSeconds: 0,
    tcpFinSeconds: 0,
    udpSeconds: 30,
  });
  assert.equal(table.daemons?.[0]?.syncId, 0);
  assert.equal(values.size, 7);
});

test("the published schema allows to leave out what has a default", () => {
  assert.deepEqual(invalidities(parseWithPackage(SHORT)), []);
});

test("the rules and the document with the same defaults are the same table", async () => {
  const rules = await readRules(
    "-",
    `-A -t 192.0.2.1:80
-a -t 192.0.2.1:80 -r 10.0.0.1
-A -t 192.0.2.1:0 -p
-a -t 192.0.2.1:0 -r 10.0.0.1 -m
-A -f 7
-a -f 7 -r 10.0.0.1
`,
    fakeLookups(),
  );
  assert.deepEqual(rules.errors, []);
  const { table } = readTable(
    parseYaml(`schema: ipvsadm/table/1
services:
- {protocol: tcp, address: 192.0.2.1, port: 80, servers: [{address: 10.0.0.1}]}
- {protocol: tcp, address: 192.0.2.1, persistence: {}, servers: [{address: 10.0.0.1, forwarding: masq}]}
- {firewallMark: 7, servers: [{address: 10.0.0.1}]}
`),
  );
  assert.deepEqual(table, rules.table);
});

test("readTable() reports every error with its position and path, in the order of the text", () => {
  assert.deepEqual(
    errorsOf(`schema: ipvsadm/table/2
services:
- protocol: tpc
  address: 192.0.2.256
  port: 65536
  scheduler: wlc
  shceduler: rr
  label: red
  schedulerFlags: [sh-port, nonsense]
  servers:
  - address: 10.0.0.1
    port: 80
    forwarding: nat
    weight: -1
    lowerThreshold: 1.5
- firewallMark: 7
  port: 80
- protocol: tcp
  address:
  scheduler: averylongscheduler
timeouts: 5
daemons:
- role: master
`),
    [
      'line 1, column 9: schema: expected "ipvsadm/table/1", got "ipvsadm/table/2"',
      'line 3, column 13: services[0].protocol: expected one of tcp, udp, sctp, got "tpc"',
      'line 4, column 12: services[0].address: expected an IPv4 or IPv6 address, got "192.0.2.256"',
      "line 5, column 9: services[0].port: expected an integer from 0 to 65535, got 65536",
      'line 7, column 3: services[0]: unknown field "shceduler"; did you mean scheduler?',
      'line 8, column 3: services[0]: unknown field "label"; known fields: protocol, address, port, family, firewallMark, scheduler, schedulerFlags, persistence, onePacket, otherFlags, servers',
      "line 9, column 20: services[0].schedulerFlags[0]: this flag belongs to scheduler sh",
      'line 9, column 29: services[0].schedulerFlags[1]: expected the name of a scheduler flag, got "nonsense"',
      'line 13, column 17: services[0].servers[0].forwarding: expected one of masq, direct, tunnel, local, got "nat"',
      "line 14, column 13: services[0].servers[0].weight: expected an integer from 0 to 2147483647, got -1",
      "line 15, column 21: services[0].servers[0].lowerThreshold: expected an integer from 0 to 4294967295, got 1.5",
      "line 17, column 9: services[1].port: a service has either a firewall mark or an address",
      'line 18, column 3: services[2]: missing "port": expected an integer from 0 to 65535',
      'line 19, column 3: services[2]: missing "address": expected an IPv4 or IPv6 address',
      'line 20, column 14: services[2].scheduler: expected a name without blanks, of at most 15 bytes, got "averylongscheduler"',
      "line 21, column 11: timeouts: expected an object, got 5",
      'line 23, column 3: daemons[0]: missing "interface": expected the name of an interface',
    ],
  );
});

test("readTable() keeps all bytes of a name that is not ASCII", () => {
  // The low bytes of these characters spell rr and sip.
  const { table } = readTable(
    parseYaml(
      "schema: ipvsadm/table/1\nservices: [{firewallMark: 7, scheduler: \u0172\u0172, persistence: {engine: \u0173\u0169\u0170}}]\n",
    ),
  );
  const [service] = table.services;
  assert.ok(service);
  assert.equal(service.settings.scheduler, "\xc5\xb2\xc5\xb2");
  assert.equal(service.settings.persistenceEngine, "\xc5\xb3\xc5\xa9\xc5\xb0");
});

test("readTable() reports one error for a value of the wrong type, and none for its fields", () => {
  for (const [services, error] of [
    ["[5]", "line 2, column 12: services[0]: expected an object, got 5"],
    ["[null]", "line 2, column 12: services[0]: expected an object, got null"],
    ["[[]]", "line 2, column 12: services[0]: expected an object, got a list"],
    [
      "[{firewallMark: 7, servers: [10.0.0.1]}]",
      'line 2, column 40: services[0].servers[0]: expected an object, got "10.0.0.1"',
    ],
    [
      "[{firewallMark: 7, persistence: 300}]",
      "line 2, column 43: services[0].persistence: expected an object, got 300",
    ],
    [
      "{web: {}}",
      "line 2, column 11: services: expected a list, got an object",
    ],
  ] as const)
    assert.deepEqual(
      errorsOf(`schema: ipvsadm/table/1\nservices: ${services}\n`),
      [error],
      services,
    );
});

test("readTable() reports one error for a text that is not a table", () => {
  for (const [text, error] of [
    ["[]", "line 1, column 1: expected an object, got a list"],
    ["3", "line 1, column 1: expected an object, got 3"],
    ['"text"', 'line 1, column 1: expected an object, got "text"'],
    ["null", "line 1, column 1: expected an object, got null"],
    [
      "{}",
      'line 1, column 1: this is not a table of ipvsadm: missing "schema"',
    ],
    [
      '{"apiVersion": "v1", "kind": "Service", "spec": {}}',
      'line 1, column 1: this is not a table of ipvsadm: missing "schema"',
    ],
    [
      '{"schema": "ipvsadm/status/1", "connections": 5}',
      'line 1, column 1: expected a document of schema "ipvsadm/table/1", got "ipvsadm/status/1"',
    ],
    [
      `{"services": [{"address": "tcp://192.0.2.1:80", "sched": "rr", "destinations": [
        {"address": "10.0.0.1:80", "forward": "nat", "weight": 1}]}]}`,
      "line 1, column 1: this is a file of ipvsctl",
    ],
  ] as const)
    for (const parse of [parseJson, parseYaml]) {
      const errors = errorsOf(text, parse);
      assert.equal(errors.length, 1, text);
      assert.ok(errors[0]?.startsWith(error), errors[0]);
    }
});

test("readTable() reads a table without a schema, and reports only that", () => {
  assert.deepEqual(errorsOf("services:\n- {firewallMark: 7}\n"), [
    'line 1, column 1: missing "schema": expected "ipvsadm/table/1"',
  ]);
});

test("readTable() ignores counters, whatever their values", () => {
  const service = `"protocol":"tcp","address":"192.0.2.1","port":80,"scheduler":"rr"`;
  const told = `"state":"ok","name":"tcp/web:http","effectiveWeight":3,"stats":{"inBytes":18446744073709551615}`;
  const text = `{"schema":"ipvsadm/table/1","services":[{${service},${told},"servers":[]}],"totals":{"connections":1e400}}`;
  assert.deepEqual(errorsOf(text, parseJson), []);
  assert.deepEqual(errorsOf(text), []);
});

test("parseJson() keeps all digits of integers", () => {
  const { root } = parseJson("[18446744073709551615, 9007199254740991, -0.5]");
  const items = root.value as readonly { value: unknown }[];
  assert.deepEqual(
    items.map(({ value }) => value),
    [2n ** 64n - 1n, 9007199254740991, -0.5],
  );
});

for (const [text, error] of [
  ["", "line 1, column 1: expected a value, got the end of the text"],
  ['{"a": 1,}', "line 1, column 9: expected a field name, got }"],
  ['{"a": 1\n "b": 2}', 'line 2, column 2: expected a comma or }, got "'],
  ["[1 2]", "line 1, column 4: expected a comma or ], got 2"],
  ['["\\x"]', "line 1, column 3: unknown escape in a string"],
  ['["abc', "line 1, column 2: unterminated string"],
  ['["abc\n"]', "line 1, column 2: unterminated string, or a line break in it"],
  ['["a\tb"]', "line 1, column 4: unescaped control character"],
  ["{} {}", "line 1, column 4: expected the end of the document"],
  ['{"a":1,\n"a":2}', 'line 2, column 1: duplicate field "a"'],
  ["[01]", "line 1, column 3: expected a comma or ], got 1"],
  ["[".repeat(100_000), "line 1, column 66: nested too deeply"],
] as const)
  test(`parseJson() rejects ${JSON.stringify(text.slice(0, 20))}`, () => {
    assert.deepEqual(errorsOf(text, parseJson), [error]);
  });

test("parseJson() reads a string of any length", () => {
  const long = "x".repeat(3_000_000);
  assert.equal(parseJson(`"${long}"`).root.value, long);
  assert.equal(parseJson(`"${long}\\n"`).root.value, `${long}\n`);
  assert.deepEqual(errorsOf(`{"schema": "${long}`, parseJson), [
    "line 1, column 12: unterminated string",
  ]);
});

const TOO_DEEP = /^line 1, column [0-9]+: nested too deeply$/;

test("parseYaml() rejects what is not YAML, with its position", () => {
  for (const [text, error] of [
    ["", /^line 1, column 1: the document is empty$/],
    ["a: 1\na: 2\n", /^line 2, column 1: Map keys must be unique$/],
    ["a: [1\n", /^line 2, column 1: /],
    [
      "--- 1\n--- 2\n",
      /^line 2, column 1: expected one document, got a second/,
    ],
    ["a: *nobody\n", /^line 1, column 4: .*nobody/],
    ["3: x\n", /^line 1, column 1: expected a string as the key$/],
    ["a: 1\n3: x\n", /^line 2, column 1: expected a string as the key$/],
    ["&a [*a]\n", /^line 1, column 5: alias \*a refers to itself$/],
    ["[".repeat(1000), /^line 1, column \d+: /],
    ["[".repeat(50_000) + "]".repeat(50_000), TOO_DEEP],
    ["- ".repeat(20_000) + "x", TOO_DEEP],
    ["? ".repeat(5000) + "x", TOO_DEEP],
    ["{a: ".repeat(5000) + "1" + "}".repeat(5000), TOO_DEEP],
  ] as const)
    assert.match(errorsOf(text)[0] ?? "", error, text.slice(0, 20));
});

test("parseYaml() resolves an alias to its anchor", () => {
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

test("parseYaml() resolves an alias to the last anchor of that name before it", () => {
  const { root } = parseYaml("[&a 1, *a, &a 2, *a]");
  const items = root.value as readonly { value: unknown }[];
  assert.deepEqual(
    items.map(({ value }) => value),
    [1, 1, 2, 2],
  );
});

test("parseYaml() limits the number of values that aliases stand for", () => {
  const nested = Array.from(
    { length: 60 },
    (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i},`.repeat(9)}]`,
  );
  const squared = `schema: ipvsadm/table/1
services:
- &s {firewallMark: 1, servers: [&d {address: 10.0.0.1}${", *d".repeat(600)}]}
${"- *s\n".repeat(600)}`;
  for (const text of [["a0: &a0 [x]", ...nested].join("\n"), squared]) {
    const errors = errorsOf(text);
    assert.equal(errors.length, 1);
    assert.match(
      errors[0] ?? "",
      /: too many aliases: they stand for more than/,
    );
  }
  const pool = `schema: ipvsadm/table/1
services:
- firewallMark: 1
  servers: &pool [${"{address: 10.0.0.1}, ".repeat(30)}]
${Array.from({ length: 1000 }, (_, i) => `- {firewallMark: ${i + 2}, servers: *pool}\n`).join("")}`;
  assert.deepEqual(errorsOf(pool), []);
});

test("positionOf() counts lines and columns from 1", () => {
  const text = "ab\n\nc";
  assert.deepEqual(
    [0, 2, 3, 4].map((at) => positionOf(text, at)),
    [
      { line: 1, column: 1 },
      { line: 1, column: 3 },
      { line: 2, column: 1 },
      { line: 3, column: 1 },
    ],
  );
});
