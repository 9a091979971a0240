import assert from "node:assert/strict";
import { test } from "node:test";
import { gunzip, gzip, sha256 } from "../../src/system/compress.js";

test("gunzip() gives what gzip() took, and nothing for damage or beyond its limit", () => {
  const bytes = Buffer.alloc(100_000, "table");
  const compressed = gzip(bytes);
  assert.ok(compressed.length < 1000);
  assert.deepEqual(gunzip(compressed, 100_000), bytes);
  assert.equal(gunzip(compressed, 99_999), undefined);
  assert.equal(gunzip(compressed.subarray(0, 20), 100_000), undefined);
  assert.equal(gunzip(Buffer.from("text"), 100_000), undefined);
});

test("gzip() gives the same bytes for the same bytes", () => {
  assert.deepEqual(gzip(Buffer.from("table")), gzip(Buffer.from("table")));
});

test("sha256() is that of FIPS 180-4", () => {
  assert.equal(
    sha256(Buffer.from("abc")),
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
  );
});
