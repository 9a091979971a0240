import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { ConnectionReader } from "../../src/ipvs/connection-reader.js";
import type { Connection } from "../../src/ipvs/connections.js";
import {
  formatEndpoint,
  TCP,
  type EndpointName,
} from "../../src/ipvs/model.js";
import {
  connectionTitles,
  writeConnection,
} from "../../src/view/connections.js";
import { ByteBuilder } from "../../src/text/text-builder.js";
import { connectionLine } from "../fixtures/connections.js";
import { address } from "../fixtures/entries.js";

const CONNECTION: Connection = {
  protocol: "TCP",
  client: address("10.9.0.1"),
  clientPort: 40000,
  virtual: address("10.9.0.2"),
  virtualPort: 80,
  server: address("127.0.0.1"),
  serverPort: 8080,
  state: "ESTABLISHED",
  expiresSeconds: 899,
};

function line(
  change: Partial<Connection> = {},
  engine = false,
  name?: EndpointName,
): string {
  return shown(connectionLine({ ...CONNECTION, ...change }), engine, name);
}

/** The output for a line of the kernel. */
function shown(kernelLine: string, engine = false, name?: EndpointName) {
  const out = new ByteBuilder();
  const reader = new ConnectionReader();
  reader.load(Buffer.from(kernelLine, "latin1"));
  assert.ok(reader.next());
  writeConnection(out, reader, { engine, name });
  return out.take();
}

test("connectionTitles() returns the original's titles", () => {
  assert.equal(
    connectionTitles(false),
    "IPVS connection entries\n" +
      "pro expire state       source             virtual            destination\n",
  );
});

test("connectionTitles() can include the columns of the persistence engine", () => {
  assert.equal(
    connectionTitles(true),
    "IPVS connection entries\n" +
      "pro expire state       source             virtual            destination        pe name          pe_data\n",
  );
});

test("writeConnection() writes the columns of a connection", () => {
  assert.equal(
    line(),
    "TCP 14:59  ESTABLISHED 10.9.0.1:40000     10.9.0.2:80        127.0.0.1:8080\n",
  );
});

test("writeConnection() moves the rest to the right if a column is too wide", () => {
  assert.equal(
    line({
      protocol: "SCTP",
      client: address("2001:db8:1:2:3:4:5:6"),
      expiresSeconds: 360_000,
    }),
    "SCTP 6000:00 ESTABLISHED [2001:db8:1:2:3:4:5:6]:40000 10.9.0.2:80        127.0.0.1:8080\n",
  );
});

test("writeConnection() shows names where there are some", () => {
  const name: EndpointName = (address, port) => `h${address.at(-1)}:p${port}`;
  assert.equal(
    line({}, false, name),
    "TCP 14:59  ESTABLISHED h1:p40000          h2:p80             h1:p8080\n",
  );
});

test("writeConnection() shows the expiry in minutes and seconds", () => {
  const clock = (expiresSeconds: number) =>
    line({ expiresSeconds }).slice(4, 10);
  assert.deepEqual([0, 59, 60, 3599, 6000].map(clock), [
    "00:00 ",
    "00:59 ",
    "01:00 ",
    "59:59 ",
    "100:00",
  ]);
});

const SIP = { persistenceEngine: "sip", persistenceData: "abc@def ghi" };

test("writeConnection() shows the persistence data on request", () => {
  assert.equal(
    line(SIP, true),
    "TCP 14:59  ESTABLISHED 10.9.0.1:40000     10.9.0.2:80        127.0.0.1:8080   sip                abc@def ghi\n",
  );
  assert.equal(line(SIP), line());
});

test("writeConnection() leaves out the persistence columns of a connection without an engine", () => {
  assert.equal(line({}, true), line());
});

test("writeConnection() asks for names with the connection's protocol, and without one for templates of firewall marks", () => {
  const asked = (protocol: string) => {
    const protocols: unknown[] = [];
    line({ protocol }, false, (_address, _port, protocol) => {
      protocols.push(protocol);
      return "";
    });
    return protocols;
  };
  assert.deepEqual(asked("TCP"), [TCP, TCP, TCP]);
  assert.deepEqual(asked("IP"), [undefined, undefined, undefined]);
});

test("writeConnection() writes nothing for a line with a malformed number", () => {
  const whole = connectionLine(CONNECTION);
  const name: EndpointName = () => "a name";
  for (const [good, bad] of [
    ["0A090001", "0A09000G"],
    ["0A090002", "0A09 002"],
    ["7F000001", "-F000001"],
    ["9C40", "9C4G"],
    ["0050", "-050"],
    ["1F90", "1F9x"],
    ["899", "8x9"],
  ] as const) {
    const faulty = whole.replace(good, bad);
    assert.notEqual(faulty, whole);
    assert.deepEqual([shown(faulty), shown(faulty, true, name)], ["", ""], bad);
  }
  assert.notEqual(shown(whole), "");
});

test("writeConnection() shows every address and port like formatEndpoint()", () => {
  const bytes = (length: number) =>
    fc.uint8Array({ minLength: length, maxLength: length });
  const ports = fc.integer({ min: 0, max: 0xffff });
  fc.assert(
    fc.property(fc.oneof(bytes(4), bytes(16)), ports, (server, serverPort) => {
      const last = line({ server, serverPort }).trimEnd().split(" ").at(-1);
      assert.equal(last, formatEndpoint(server, serverPort));
    }),
  );
});
