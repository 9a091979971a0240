import assert from "node:assert/strict";
import { test } from "node:test";
import { aligned, Writer } from "../../src/netlink/writer.js";
import { hexOf } from "../fixtures/hex.js";

function written(write: (out: Writer) => void): string {
  const out = new Writer();
  write(out);
  return hexOf(out.written);
}

test("aligned() rounds up to a multiple of 4", () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 8, 9].map(aligned),
    [0, 4, 4, 4, 4, 8, 8, 12],
  );
});

test("Writer writes numbers in little-endian order", () => {
  assert.equal(
    written((out) => {
      out.u8(0x01);
      out.u16(0x0203);
      out.u32(0x04050607);
      out.u64(0x08090a0b0c0d0e0fn);
    }),
    "01" + "0302" + "07060504" + "0f0e0d0c0b0a0908",
  );
});

test("pair() writes two 32-bit numbers", () => {
  assert.equal(
    written((out) => {
      out.pair(0x01020304, 0xfffffffe);
      out.pair(-1, 5);
    }),
    "04030201" + "feffffff" + "ffffffff" + "05000000",
  );
});

test("pair() grows the buffer at any position", () => {
  const out = new Writer();
  out.u32(7);
  for (let i = 0; i < 3000; i++) out.pair(i, -i);
  const view = new DataView(out.written.buffer, out.written.byteOffset);
  assert.equal(out.length, 4 + 3000 * 8);
  for (const i of [0, 511, 512, 2999]) {
    assert.equal(view.getInt32(4 + 8 * i, true), i);
    assert.equal(view.getInt32(8 + 8 * i, true), 0 - i);
  }
});

test("padded() overwrites old bytes with zeros", () => {
  const out = new Writer();
  out.bytes(new Uint8Array(12).fill(0xff));
  out.clear();
  out.padded(Uint8Array.of(1, 2, 3, 4), 8);
  out.padded(Uint8Array.of(5, 6, 7, 8), 4);
  assert.equal(hexOf(out.written), "0102030400000000" + "05060708");
});

test("latin1() writes one byte per character", () => {
  assert.equal(
    written((out) => {
      out.latin1("rr\xe9");
      out.latin1("");
    }),
    "7272e9",
  );
});

test("pair() rejects a position that is not a multiple of 4", () => {
  assert.equal(
    written((out) => {
      out.u32(1);
      out.pair(2, 3);
    }),
    "010000000200000003000000",
  );
  const out = new Writer();
  out.u8(0xaa);
  assert.throws(() => {
    out.pair(1, 2);
  }, RangeError);
});

test("Writer keeps the highest bit of a number", () => {
  assert.equal(
    written((out) => {
      out.u32(0xffffffff);
      out.u16(0xffff);
      out.u64(0xffffffffffffffffn);
    }),
    "ff".repeat(14),
  );
});

test("align() writes zeros up to a multiple of 4, and none at a multiple of 4", () => {
  assert.equal(
    written((out) => {
      out.u8(0xff);
      out.align();
      out.align();
    }),
    "ff000000",
  );
});

test("patchU16() and patchU32() overwrite earlier bytes", () => {
  assert.equal(
    written((out) => {
      out.u32(0);
      out.u16(0);
      out.u16(0xffff);
      out.patchU32(0, 8);
      out.patchU16(4, 6);
    }),
    "08000000" + "0600" + "ffff",
  );
});

test("Writer keeps its bytes when it grows", () => {
  const out = new Writer();
  for (let i = 0; i < 3000; i++) out.u32(i);
  out.bytes(new Uint8Array(50_000).fill(7));
  const view = new DataView(out.written.buffer, out.written.byteOffset);
  assert.equal(out.written.length, 62_000);
  assert.equal(view.getUint32(2999 * 4, true), 2999);
  assert.equal(out.written.at(-1), 7);
});

test("patchU16() and patchU32() write into the grown buffer", () => {
  const out = new Writer();
  out.u32(0);
  out.zeros(100_000);
  out.patchU32(0, 1);
  assert.equal(out.written[0], 1);
});

test("zeros() overwrites old bytes", () => {
  const out = new Writer();
  out.bytes(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  out.clear();
  assert.equal(out.length, 0);
  out.u8(9);
  out.align();
  assert.equal(hexOf(out.written), "09000000");
});
