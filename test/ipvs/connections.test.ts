import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatAddress } from "../../src/ipvs/address.js";
import { ConnectionReader } from "../../src/ipvs/connection-reader.js";
import { protocolOf, type Connection } from "../../src/ipvs/connections.js";
import { SCTP, TCP, UDP } from "../../src/ipvs/model.js";
import { connectionLine, TITLE } from "../fixtures/connections.js";

const IPV4 =
  "TCP 0A090001 9C40 0A090002 0050 7F000001 1F90 ESTABLISHED     899";
const IPV6 =
  "TCP 2001:0db8:0000:0000:0000:0000:0000:0001 B00B 2001:0db8:0000:0000:0000:0000:0000:0002 0050 0000:0000:0000:0000:0000:0000:0000:0001 1F90 TIME_WAIT       119";
const SIP =
  "UDP 0A090001 0000 0A090001 13C4 7F000001 14E9 UDP             297 sip abc@def ghi";

/** The connection that the reader decodes from a line; undefined if it skips the line. */
function parseConnection(line: string): Connection | undefined {
  const reader = new ConnectionReader();
  reader.load(Buffer.from(line, "latin1"));
  return reader.next() ? reader.connection() : undefined;
}

test("connection() decodes IPv4: hexadecimal numbers, and a decimal expiry", () => {
  assert.deepEqual(parseConnection(IPV4), {
    protocol: "TCP",
    client: Uint8Array.of(10, 9, 0, 1),
    clientPort: 40000,
    virtual: Uint8Array.of(10, 9, 0, 2),
    virtualPort: 80,
    server: Uint8Array.of(127, 0, 0, 1),
    serverPort: 8080,
    state: "ESTABLISHED",
    expiresSeconds: 899,
  });
});

test("connection() decodes IPv6", () => {
  const { client, virtual, server, clientPort } = parseConnection(IPV6) ?? {};
  assert.ok(client && virtual && server);
  assert.deepEqual([client, virtual, server].map(formatAddress), [
    "2001:db8::1",
    "2001:db8::2",
    "::1",
  ]);
  assert.equal(clientPort, 0xb00b);
});

test("connection() reads the persistence data up to the end of the line", () => {
  const connection = parseConnection(SIP);
  assert.equal(connection?.persistenceEngine, "sip");
  assert.equal(connection.persistenceData, "abc@def ghi");
});

test("connection() returns no persistence engine if there is none", () => {
  const connection = parseConnection(`${IPV4} `);
  assert.ok(connection && !("persistenceEngine" in connection));
});

test("ConnectionReader skips the title", () => {
  assert.equal(parseConnection(TITLE), undefined);
});

test("ConnectionReader skips a line that is cut short before the expiry", () => {
  const end = IPV4.lastIndexOf(" ") + 1;
  for (let length = 0; length <= end; length++)
    assert.equal(parseConnection(IPV4.slice(0, length)), undefined);
});

test("connection() returns undefined for a malformed number", () => {
  for (const [good, bad] of [
    ["0A090001", "0A09000"],
    ["0A090001", "0A0900011"],
    ["0A090001", "0A09000G"],
    ["9C40", "9C4"],
    ["9C40", "9C40F"],
    ["1F90", "-F90"],
    ["899", "8x9"],
    ["899", "-1"],
    ["ESTABLISHED     899", "ESTABLISHED"],
  ] as const)
    assert.equal(parseConnection(IPV4.replace(good, bad)), undefined, bad);
});

test("connection() returns undefined for a malformed number in an IPv6 line", () => {
  for (const [good, bad] of [
    ["2001:", "20010"],
    ["2001:", "200:"],
    [":0002 ", ":00002 "],
    [":0002 ", ":002 "],
    [":0002 ", ":000g "],
    [":0002 ", ":0002"],
  ] as const)
    assert.equal(parseConnection(IPV6.replace(good, bad)), undefined, bad);
});

test("connection() reads random lines as the kernel writes them", () => {
  const bytes = (length: number) =>
    fc.uint8Array({ minLength: length, maxLength: length });
  const address = fc.oneof(bytes(4), bytes(16));
  const port = fc.integer({ min: 0, max: 0xffff });
  const connections = fc.record({
    protocol: fc.constantFrom("TCP", "UDP", "SCTP", "IP"),
    client: address,
    clientPort: port,
    virtual: address,
    virtualPort: port,
    server: address,
    serverPort: port,
    state: fc.constantFrom("ESTABLISHED", "NONE", "SHUTDOWN_ACK_SENT", "ERR!"),
    expiresSeconds: fc.integer({ min: 0, max: 0xffffffff }),
  });
  const engines = fc.constantFrom(
    {},
    { persistenceEngine: "sip", persistenceData: "abc@def" },
  );
  fc.assert(
    fc.property(connections, engines, (connection, engine) => {
      const given = { ...connection, ...engine };
      assert.deepEqual(parseConnection(connectionLine(given)), given);
    }),
  );
});

test("protocolOf() finds the protocol by its name; templates of firewall marks have none", () => {
  const protocol = (name: string) => {
    const connection = parseConnection(IPV4.replace("TCP", name));
    return connection && protocolOf(connection);
  };
  assert.deepEqual(["TCP", "UDP", "SCTP", "IP"].map(protocol), [
    TCP,
    UDP,
    SCTP,
    undefined,
  ]);
});
