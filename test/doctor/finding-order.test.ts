import assert from "node:assert/strict";
import { test } from "node:test";
import { check, examine } from "../../src/doctor/check.js";
import { serverName, serviceName } from "../../src/doctor/commands.js";
import { virtualAddresses } from "../../src/doctor/director/reach/reach.js";
import { sortFindings, sortTable } from "../../src/doctor/finding-order.js";
import { INET } from "../../src/ipvs/address.js";
import { TCP, UDP } from "../../src/ipvs/model.js";
import { addressKey, serverEntry, serviceEntry } from "../fixtures/entries.js";
import { network, route } from "./made-up-network.js";

const SERVERS = [
  serverEntry("198.51.100.2", 80),
  serverEntry("198.51.100.2", 8080),
  serverEntry("198.51.100.10", 80),
];
const TABLE = [
  serviceEntry(addressKey(TCP, "192.0.2.1", 80), {}, SERVERS),
  serviceEntry(addressKey(TCP, "192.0.2.1", 443), {}, SERVERS),
  serviceEntry(addressKey(TCP, "192.0.2.53", 53), {}, SERVERS),
  serviceEntry(addressKey(UDP, "192.0.2.1", 53), {}, SERVERS),
  serviceEntry(addressKey(TCP, "2001:db8::1", 80)),
  serviceEntry({ family: INET, firewallMark: 3 }),
  serviceEntry({ family: INET, firewallMark: 20 }),
];
const SUBJECTS = [
  undefined,
  ...TABLE.flatMap((service) => [
    serviceName(service),
    ...service.servers.map((server) => serverName(service, server)),
  ]),
  "192.0.2.1",
  "192.0.2.53",
  "eth2",
  "eth10",
];

/** The same items in other orders, among them the reverse. */
function orders<T>(items: readonly T[]): T[][] {
  const reverse = items.toReversed();
  return items.map((_, at) => [...reverse.slice(at), ...reverse.slice(0, at)]);
}

test("sortTable() orders services and their servers as a listing does", () => {
  for (const table of orders(TABLE))
    assert.deepEqual(
      sortTable(
        table.map((one) => ({ ...one, servers: one.servers.toReversed() })),
      ),
      TABLE,
    );
});

test("sortFindings() orders findings by service, server and name, whatever the order of the kernel", () => {
  for (const table of orders(TABLE))
    for (const subjects of orders(SUBJECTS)) {
      const findings = subjects.map((subject) => ({
        id: "some-id",
        subject,
        seen: "seen",
        fix: [],
      }));
      const sorted = sortFindings(findings, table);
      assert.deepEqual(
        sorted.map(({ subject }) => subject),
        SUBJECTS,
      );
    }
});

test("sortFindings() keeps the order of findings with the same subject", () => {
  const findings = ["first", "second"].map((seen) => ({
    id: "some-id",
    subject: "eth0",
    seen,
    fix: [],
  }));
  assert.deepEqual(sortFindings(findings, TABLE), findings);
});

test("examine() lists virtual addresses that are not local in their natural order", () => {
  const addresses = ["192.0.2.1", "192.0.2.53", "2001:db8::1"];
  const around = network(addresses.map((one) => route(one, "unicast", 1)));
  for (const table of orders(TABLE)) {
    const { findings } = examine([virtualAddresses], {
      table,
      allServices: table,
      daemons: [],
      network: around,
    });
    assert.deepEqual(
      findings.map(({ subject }) => subject),
      addresses,
    );
  }
});

test("examine() sorts the findings of different checks together", () => {
  const found = (subject: string) =>
    check(["no-servers"], ["table"], () => [
      { id: "no-servers", subject, seen: "seen", fix: [] },
    ]);
  const { findings } = examine(
    [found("tcp/192.0.2.53:53"), found("tcp/192.0.2.1:80")],
    { table: TABLE },
  );
  assert.deepEqual(
    findings.map(({ subject }) => subject),
    ["tcp/192.0.2.1:80", "tcp/192.0.2.53:53"],
  );
});
