import assert from "node:assert/strict";
import { suite, test } from "node:test";
import fc from "fast-check";
import { StringBuilder } from "../../src/text/string-builder.js";
import { ByteBuilder } from "../../src/text/text-builder.js";

for (const Builder of [ByteBuilder, StringBuilder])
  suite(Builder.name, () => {
    test("take() returns the pieces in order, each once", () => {
      const out = new Builder();
      assert.equal(
        out.text("ab").text("").decimal(7).text("\xff").take(),
        "ab7\xff",
      );
      assert.equal(out.take(), "");
      assert.equal(out.text("c").take(), "c");
    });

    test("takeBytes() returns the text as bytes", () => {
      const out = new Builder();
      assert.deepEqual([...out.text("abc\xff").takeBytes()], [97, 98, 99, 255]);
      assert.equal(out.takeBytes().length, 0);
    });

    test("bytes() writes a range of bytes", () => {
      const source = Buffer.from("a\xe4bc", "latin1");
      const out = new Builder();
      assert.equal(out.bytes(source, 1, 3).bytes(source, 2, 2).take(), "\xe4b");
    });

    test("cut() removes the end of the text", () => {
      const out = new Builder();
      const { length } = out.text("ab");
      assert.equal(out.text("cd").cut(length).text("e").take(), "abe");
    });

    test("dotted() writes an IPv4 address", () => {
      const out = new Builder();
      fc.assert(
        fc.property(fc.uint8Array({ minLength: 4, maxLength: 4 }), (bytes) => {
          const address = Buffer.from(bytes).readInt32BE();
          assert.equal(out.dottedNumber(address).take(), bytes.join("."));
        }),
      );
    });

    test("decimal() writes a number", () => {
      const out = new Builder();
      const numbers = fc.integer({ min: 0, max: 0x7fffffff });
      fc.assert(
        fc.property(numbers, (number) => {
          assert.equal(out.decimal(number).take(), String(number));
        }),
      );
      for (const number of [0, 9, 10, 99, 100, 65535, 0x7fffffff])
        assert.equal(out.decimal(number).take(), String(number));
    });

    test("decimal() writes leading zeros", () => {
      const out = new Builder();
      for (const [number, text] of [
        [0, "00"],
        [9, "09"],
        [10, "10"],
        [100, "100"],
      ] as const)
        assert.equal(out.decimal(number, 2).take(), text);
    });

    test("pad() fills a column, and a wide text moves the rest to the right", () => {
      const out = new Builder();
      const line = (text: string) =>
        out.column().text(text).pad(3).text("b").pad(3).text("c").take();
      assert.equal(line("a"), "a   b   c");
      assert.equal(line("aaa"), "aaa b   c");
      assert.equal(line("aaaa"), "aaaa b   c");
    });

    test("column() begins a column at the current position", () => {
      const out = new Builder();
      assert.equal(
        out.text("1234").column().text("a").pad(2).take(),
        "1234a  ",
      );
      assert.equal(out.text("a").pad(2).take(), "a  ");
    });

    test("pad() fills a column in each of several lines", () => {
      const out = new Builder();
      for (const text of ["a", "bc"]) out.column().text(text).pad(2).text("\n");
      assert.equal(out.length, 8);
      assert.equal(out.text("d").cut(8).take(), "a  \nbc \n");
    });

    test("the builder grows as needed", () => {
      const out = new Builder();
      const long = "x".repeat(100_000);
      assert.equal(out.text("a").text(long).take(), `a${long}`);
      for (let i = 0; i < 100_000; i++) out.decimal(12345);
      assert.equal(out.take(), "12345".repeat(100_000));
      assert.equal(out.text("a").pad(300_000).take(), "a".padEnd(300_001));
    });
  });
