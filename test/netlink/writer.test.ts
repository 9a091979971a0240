import assert from "node:assert/strict";
import { test } from "node:test";
import { aligned, Writer } from "../../src/netlink/writer.js";
import { hexOf } from "../fixtures/hex.js";

function written(write: (out: Writer) => void): string {
  const out = new Writer();
  write(out);
  return hexOf(out.written);
}

test("lengths are rounded up to multiples of 4", () => {
  assert.deepEqual(
    [0, 1, 2, 3, 4, 5, 8, 9].map(aligned),
    [0, 4, 4, 4, 4, 8, 8, 12],
  );
});

test("numbers are little-endian", () => {
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

test("two numbers of 4 bytes go out at once", () => {
  assert.equal(
    written((out) => {
      out.pair(0x01020304, 0xfffffffe);
      out.pair(-1, 5);
    }),
    "04030201" + "feffffff" + "ffffffff" + "05000000",
  );
});

test("pairs make the buffer grow, wherever its end comes", () => {
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

test("bytes are filled up with zeros, whatever an earlier use of the buffer left", () => {
  const out = new Writer();
  out.bytes(new Uint8Array(12).fill(0xff));
  out.clear();
  out.padded(Uint8Array.of(1, 2, 3, 4), 8);
  out.padded(Uint8Array.of(5, 6, 7, 8), 4);
  assert.equal(hexOf(out.written), "0102030400000000" + "05060708");
});

test("a string is written one character a byte", () => {
  assert.equal(
    written((out) => {
      out.latin1("rr\xe9");
      out.latin1("");
    }),
    "7272e9",
  );
});

test("a pair of numbers stands at a multiple of 4, or is refused", () => {
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

test("numbers keep their highest bit", () => {
  assert.equal(
    written((out) => {
      out.u32(0xffffffff);
      out.u16(0xffff);
      out.u64(0xffffffffffffffffn);
    }),
    "ff".repeat(14),
  );
});

test("align writes zeros, and none where there is nothing to align", () => {
  assert.equal(
    written((out) => {
      out.u8(0xff);
      out.align();
      out.align();
    }),
    "ff000000",
  );
});

test("a length is filled in when it is known", () => {
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

test("a buffer that grows keeps what it has", () => {
  const out = new Writer();
  for (let i = 0; i < 3000; i++) out.u32(i);
  out.bytes(new Uint8Array(50_000).fill(7));
  const view = new DataView(out.written.buffer, out.written.byteOffset);
  assert.equal(out.written.length, 62_000);
  assert.equal(view.getUint32(2999 * 4, true), 2999);
  assert.equal(out.written.at(-1), 7);
});

test("what is patched after growing lands in the new buffer", () => {
  const out = new Writer();
  out.u32(0);
  out.zeros(100_000);
  out.patchU32(0, 1);
  assert.equal(out.written[0], 1);
});

test("zeros overwrite what an earlier use of the buffer left", () => {
  const out = new Writer();
  out.bytes(Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8));
  out.clear();
  assert.equal(out.length, 0);
  out.u8(9);
  out.align();
  assert.equal(hexOf(out.written), "09000000");
});
