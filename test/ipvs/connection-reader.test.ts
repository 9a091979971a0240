import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { formatAddress, type Address } from "../../src/ipvs/address.js";
import { clientOfKey, endOfKey } from "../../src/ipvs/proc-fields.js";
import { ConnectionReader } from "../../src/ipvs/connection-reader.js";
import type { Connection } from "../../src/ipvs/connections.js";
import {
  connectionLine,
  numberedConnection,
  TITLE,
} from "../fixtures/connections.js";

const LINE =
  "TCP 0A090001 9C40 C0000201 0050 C000020B 1F90 ESTABLISHED     899";

function readerOf(text: string): ConnectionReader {
  const reader = new ConnectionReader();
  reader.load(Buffer.from(text, "latin1"));
  return reader;
}

/** A reader at the given line. */
function at(connection: Connection): ConnectionReader {
  const reader = readerOf(`${connectionLine(connection)}\n`);
  assert.ok(reader.next());
  return reader;
}

function all(reader: ConnectionReader): (Connection | undefined)[] {
  const found: (Connection | undefined)[] = [];
  while (reader.next()) found.push(reader.connection());
  return found;
}

test("ConnectionReader reads every line except the title", () => {
  const connections = Array.from({ length: 200 }, (_, i) =>
    numberedConnection(i),
  );
  const lines = [TITLE, ...connections.map(connectionLine)];
  assert.deepEqual(all(readerOf(`${lines.join("\n")}\n`)), connections);
});

test("ConnectionReader reads a last line without a line feed", () => {
  const [one, two] = [numberedConnection(1), numberedConnection(3)];
  const text = `${connectionLine(one)}\n${connectionLine(two)}`;
  assert.deepEqual(all(readerOf(text)), [one, two]);
});

test("ConnectionReader skips malformed lines", () => {
  for (const other of [
    "",
    " ",
    "TCP",
    TITLE,
    LINE.slice(0, 20),
    LINE.slice(0, 46),
    LINE.slice(0, 60),
    "TCP 2001:0db8:",
    "x".repeat(200),
  ]) {
    const reader = readerOf(`${other}\n${LINE}\n${other}\n${LINE}\n`);
    assert.equal(all(reader).filter(Boolean).length, 2, other);
  }
});

test("ConnectionReader takes an expiry of 32 bits, and a larger one is malformed", () => {
  const expiring = (seconds: string) => `${LINE.slice(0, -7)}${seconds}\n`;
  const [largest] = all(readerOf(expiring(" 4294967295")));
  assert.equal(largest?.expiresSeconds, 4_294_967_295);
  for (const seconds of [" 4294967296", "    99999999999999999999"])
    assert.deepEqual(all(readerOf(expiring(seconds))), [undefined], seconds);
});

test("ConnectionReader continues with the next buffer", () => {
  const reader = readerOf(`${LINE}\n`);
  assert.equal(all(reader).length, 1);
  assert.equal(reader.next(), false);
  reader.load(Buffer.from(`${LINE}\n${LINE}\n`));
  assert.equal(all(reader).length, 2);
});

test("protocolIs() and stateIs() compare whole words", () => {
  const reader = readerOf(`${LINE}\n`);
  reader.next();
  assert.ok(reader.stateIs("ESTABLISHED") && reader.protocolIs("TCP"));
  for (const word of ["ESTABLISHE", "ESTABLISHED2", "UDP", ""])
    assert.ok(!reader.stateIs(word) && !reader.protocolIs(word), word);
});

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length });
const ADDRESSES = fc.oneof(bytes(4), bytes(16));
const PORTS = fc.integer({ min: 0, max: 0xffff });

test("clientIn() compares the first bits of the address", () => {
  const bits = (address: Address) =>
    Array.from(address, (byte) => byte.toString(2).padStart(8, "0")).join("");
  const prefixes = fc.integer({ min: 0, max: 128 });
  fc.assert(
    fc.property(ADDRESSES, ADDRESSES, prefixes, (other, client, some) => {
      const prefixBits = Math.min(some, client.length * 8);
      const near = Uint8Array.from(client);
      const last = near.length - 1;
      near[last] = (near[last] ?? 0) ^ 0x55;
      const reader = at({ ...numberedConnection(0), client });
      for (const address of [client, near, other])
        assert.equal(
          reader.clientIn({ address, prefixBits }),
          address.length === client.length &&
            bits(address).slice(0, prefixBits) ===
              bits(client).slice(0, prefixBits),
          `${formatAddress(client)} in ${formatAddress(address)}/${prefixBits}`,
        );
    }),
  );
});

test("clientKey, virtualKey and serverKey differ for different endpoints", () => {
  fc.assert(
    fc.property(ADDRESSES, PORTS, (address, port) => {
      const reader = at({
        ...numberedConnection(0),
        client: address,
        virtual: address,
        virtualPort: port,
        server: address,
        serverPort: port,
      });
      assert.deepEqual(clientOfKey(reader.clientKey), address);
      assert.deepEqual(endOfKey(reader.virtualKey), { address, port });
      assert.deepEqual(endOfKey(reader.serverKey), { address, port });
    }),
  );
});

test("clientIn(), virtualIn() and serverIn() look at their own endpoint", () => {
  const connection = numberedConnection(1);
  const reader = at(connection);
  const { client, virtual, server } = connection;
  const inAll = (address: Address) => [
    reader.clientIn({ address, prefixBits: 32 }),
    reader.virtualIn({ address, prefixBits: 32 }),
    reader.serverIn({ address, prefixBits: 32 }),
  ];
  assert.deepEqual([client, virtual, server].map(inAll), [
    [true, false, false],
    [false, true, false],
    [false, false, true],
  ]);
});
