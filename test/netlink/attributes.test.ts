import { spanOf } from "../../src/netlink/link.js";
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  attributes,
  beginNested,
  bytes,
  decode as decodeAgain,
  encode,
  endNested,
  nested,
  put,
  raw,
  required,
  text,
  u16,
  u16be,
  u32,
  u64,
  u8,
  type Fields,
  type Layout,
} from "../../src/netlink/attributes.js";
import { MalformedReply } from "../../src/netlink/errors.js";
import { Writer } from "../../src/netlink/writer.js";
import { beginnings, bytesIn, hex, hexOf } from "../fixtures/hex.js";

const INNER = { mark: [2, u32], total: [3, u64] } as const satisfies Layout;
const OUTER = {
  small: [7, u8],
  port: [1, u16be],
  length: [2, u16],
  name: [3, text],
  address: [4, bytes(8)],
  inner: [5, nested(INNER)],
} as const satisfies Layout;

const FIELDS = {
  small: 9,
  port: 80,
  length: 80,
  name: "eth0",
  address: Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8),
  inner: { mark: 0xfffffffe, total: 2n ** 64n - 1n },
};
const ENCODED = `
  0500 0700 09 000000
  0600 0100 0050 0000
  0600 0200 5000 0000
  0900 0300 6574683000 000000
  0c00 0400 0102030405060708
  1800 0580
    0800 0200 feffffff
    0c00 0300 ffffffffffffffff
`;

/** A copy of the decoded fields, without the absent ones. */
function decode(layout: Layout, payload: Uint8Array): Record<string, unknown> {
  return present(decodeAgain(layout, spanOf(payload)));
}

function present(fields: object): Record<string, unknown> {
  const all = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(
    all.map(([name, value]: [string, unknown]) => [
      name,
      value?.constructor === Object ? present(value) : value,
    ]),
  );
}

function encoded(fields: Fields<typeof OUTER>): string {
  const out = new Writer();
  encode(OUTER, out, fields);
  return hexOf(out.written);
}

function malformed(fault: string | RegExp, offset: number) {
  return (error: unknown) => {
    assert.ok(error instanceof MalformedReply);
    assert.match(error.fault, new RegExp(fault));
    assert.equal(error.offset, offset);
    return true;
  };
}

test("encode() writes fields in the order of the layout, aligned and with their types", () => {
  assert.equal(encoded(FIELDS), hexOf(hex(ENCODED)));
});

test("put() writes the same bytes as encode()", () => {
  const out = new Writer();
  put(out, OUTER.small, FIELDS.small);
  put(out, OUTER.port, FIELDS.port);
  put(out, OUTER.length, FIELDS.length);
  put(out, OUTER.name, FIELDS.name);
  put(out, OUTER.address, FIELDS.address);
  const start = beginNested(out, OUTER.inner[0]);
  put(out, INNER.mark, FIELDS.inner.mark);
  put(out, INNER.total, FIELDS.inner.total);
  endNested(out, start);
  assert.equal(hexOf(out.written), hexOf(hex(ENCODED)));
});

test("encode() truncates a number that is too large for its field", () => {
  assert.equal(
    encoded({ small: 0x1ff, port: 0x10050, length: 0x10050 }),
    hexOf(hex("0500 0700 ff 000000  0600 0100 0050 0000  0600 0200 5000 0000")),
  );
});

test("encode() rejects a string that is too long for an attribute", () => {
  const layout = { name: [6, text] } as const satisfies Layout;
  const longest = 0xffff - 4 - 1;
  encode(layout, new Writer(), { name: "x".repeat(longest) });
  assert.throws(() => {
    encode(layout, new Writer(), { name: "x".repeat(longest + 1) });
  }, RangeError);
});

test("decode() reads what encode() wrote", () => {
  assert.deepEqual(decode(OUTER, hex(ENCODED)), FIELDS);
});

test("encode() skips absent fields", () => {
  assert.equal(encoded({ port: 80, name: undefined }), "0600010000500000");
});

test("encode() pads short bytes with zeros", () => {
  assert.equal(
    encoded({ address: Uint8Array.of(1, 2, 3, 4) }),
    "0c000400" + "01020304" + "00000000",
  );
});

test("decode() accepts attributes in any order", () => {
  const reversed = hex("0600 0200 0100 0000  0600 0100 0002 0000");
  assert.deepEqual(decode(OUTER, reversed), { length: 1, port: 2 });
});

test("decode() skips types that the layout does not have", () => {
  const newer = hex("0800 6300 ffffffff  0500 0700 09 000000  0400 4000");
  assert.deepEqual(decode(OUTER, newer), { small: 9 });
});

test("decode() skips padding attributes between 64-bit values", () => {
  const padded = hex("0400 0b00  0c00 0300 0700000000000000  0400 0b00");
  assert.deepEqual(decode(INNER, padded), { total: 7n });
});

test("decode() ignores the flag bits of a type", () => {
  const flagged = hex("0600 0180 0050 0000  0600 0240 5000 0000");
  assert.deepEqual(decode(OUTER, flagged), { port: 80, length: 80 });
});

test("decode() reads a nested attribute without the nested flag", () => {
  const unflagged = hex("0c00 0500 0800 0200 01000000");
  assert.deepEqual(decode(OUTER, unflagged), { inner: { mark: 1 } });
});

test("decode() ends a string at its first zero byte, or at the end of the attribute", () => {
  assert.deepEqual(decode(OUTER, hex("0800 0300 61006200")), { name: "a" });
  assert.deepEqual(decode(OUTER, hex("0600 0300 6162 0000")), { name: "ab" });
  assert.deepEqual(decode(OUTER, hex("0400 0300")), { name: "" });
});

test("text has one character per byte", () => {
  assert.equal(encoded({ name: "\xff\x80" }), "07000300" + "ff8000" + "00");
  assert.deepEqual(decode(OUTER, hex("0700 0300 ff8000 00")), {
    name: "\xff\x80",
  });
});

test("decode() accepts a last attribute without padding", () => {
  assert.deepEqual(decode(OUTER, hex("0500 0700 09")), { small: 9 });
});

test("decode() rejects a wrong length and names the field and its offset", () => {
  const before = "0500 0700 09 000000";
  assert.throws(
    () => decode(OUTER, hex(`${before} 0800 0100 00500000`)),
    malformed("^port has 4 bytes, expected 2", 8),
  );
  assert.throws(
    () => decode(OUTER, hex("0400 0700")),
    malformed("^small has 0 bytes, expected 1", 0),
  );
});

test("decode() rejects a wrong length inside a nested attribute", () => {
  assert.throws(
    () => decode(OUTER, hex("0c00 0500 0600 0200 0100 0000")),
    malformed("^mark has 2 bytes, expected 4", 0),
  );
});

test("decode() rejects an attribute shorter than its header", () => {
  for (const length of ["0000", "0100", "0300"])
    assert.throws(
      () => decode(OUTER, hex(`0500 0700 09 000000 ${length} 0100`)),
      malformed("^attribute 1 has length", 8),
    );
});

test("decode() rejects an attribute that extends past the end", () => {
  assert.throws(
    () => decode(OUTER, hex("0600 0100 00")),
    malformed("^attribute 1 extends past the end", 0),
  );
});

test("decode() rejects a nested attribute that extends past the end of its parent", () => {
  // The nested attribute is 4 bytes too long. The bytes after it belong to its neighbor.
  const bytes = hex("0c00 0500 0c00 0200 01000000  0600 0100 0050 0000");
  assert.throws(
    () => decode(OUTER, bytes),
    malformed("^attribute 2 extends past the end", 0),
  );
});

test("decode() rejects a header that is cut short", () => {
  for (const rest of ["05", "0500", "050007"])
    assert.throws(
      () => decode(OUTER, hex(`0500 0700 09 000000 ${rest}`)),
      malformed("^an attribute's header is cut short", 8),
    );
});

test("decode() rejects an unknown attribute that is cut short", () => {
  assert.throws(
    () => decode(OUTER, hex("0900 6300 ffffffff")),
    malformed("^attribute 99 extends past the end", 0),
  );
});

test("decode() rejects bytes cut short anywhere, or returns the whole fields in them", () => {
  for (const cut of beginnings(hex(ENCODED))) {
    let fields: Record<string, unknown>;
    try {
      fields = decode(OUTER, cut);
    } catch (error) {
      assert.ok(error instanceof MalformedReply);
      continue;
    }
    for (const [name, value] of Object.entries(fields))
      assert.deepEqual(value, FIELDS[name as keyof typeof FIELDS], name);
  }
});

test("decode() rejects a nested attribute cut short at any byte", () => {
  const whole = hex("1800 0580 0800 0200 feffffff 0c00 0300 ffffffffffffffff");
  for (const cut of beginnings(whole))
    if (cut.length > 0) assert.throws(() => decode(OUTER, cut), MalformedReply);
});

test("decode() of random bytes returns fields or throws MalformedReply", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        decode(OUTER, bytes);
      } catch (error) {
        assert.ok(error instanceof MalformedReply);
      }
    }),
  );
});

test("decode() returns the fields that encode() wrote, for random fields", () => {
  const record = <T extends object>(fields: {
    [K in keyof T]: fc.Arbitrary<T[K]>;
  }) => fc.record(fields, { noNullPrototype: true });
  const fields = record({
    small: fc.integer({ min: 0, max: 0xff }),
    port: fc.integer({ min: 0, max: 0xffff }),
    length: fc.integer({ min: 0, max: 0xffff }),
    name: fc.string({
      unit: fc
        .integer({ min: 1, max: 255 })
        .map((code) => String.fromCharCode(code)),
      maxLength: 20,
    }),
    address: fc.uint8Array({ minLength: 8, maxLength: 8 }),
    inner: record({
      mark: fc.integer({ min: 0, max: 0xffffffff }),
      total: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
    }),
  });
  fc.assert(
    fc.property(fields, (fields) => {
      const out = new Writer();
      encode(OUTER, out, fields);
      assert.deepEqual(decode(OUTER, out.written), fields);
    }),
  );
});

test("attributes() yields type, value and offset of each attribute", () => {
  const walk = [...attributes(spanOf(hex("0500 0700 09 000000  0400 0280")))];
  assert.deepEqual(walk, [
    [7, Uint8Array.of(9), 0],
    [2, new Uint8Array(0), 8],
  ]);
});

test("decode() reads a span inside a larger buffer", () => {
  const buffer = hex("ffffff 0800 0200 01000000 ffff");
  assert.deepEqual(decode(INNER, buffer.subarray(3, 11)), { mark: 1 });
});

test("required() names the field that is missing", () => {
  const fields: { a?: number; b?: number } = { a: 0 };
  assert.throws(
    () => required(fields, ["a", "b"]),
    malformed("^b is missing$", 0),
  );
});

test("required() accepts zero, the empty string and empty bytes", () => {
  const fields = { a: 0, b: "", c: new Uint8Array(0), d: 0n };
  assert.equal(required(fields, ["a", "b", "c", "d"]), fields);
});

test("decode() returns no fields of an earlier call", () => {
  assert.equal(decodeAgain(INNER, spanOf(hex("0800 0200 01000000"))).mark, 1);
  assert.equal(decodeAgain(INNER, spanOf(hex(""))).mark, undefined);
});

test("decode() returns bytes that do not change with the datagram", () => {
  const bytes = hex("0c00 0400 0102030405060708");
  const { address } = decodeAgain(OUTER, spanOf(bytes));
  bytes.fill(0);
  assert.deepEqual(address, Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  const again = hex("0c00 0400 0807060504030201");
  assert.equal(decodeAgain(OUTER, spanOf(again)).address, address);
});

test("raw() returns the bytes in place", () => {
  const layout = { rest: [1, raw()] } as const satisfies Layout;
  const { rest } = decodeAgain(layout, spanOf(hex("0700 0100 010203 00")));
  assert.ok(rest);
  assert.deepEqual(bytesIn(rest), Uint8Array.of(1, 2, 3));
});
