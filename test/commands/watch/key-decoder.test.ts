import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  KeyDecoder,
  type Key,
} from "../../../src/commands/watch/key-decoder.js";

/** Decodes bytes. Named keys are in angle brackets. */
function keysOf(...reads: readonly string[]): string {
  const decoder = new KeyDecoder();
  const keys = reads.flatMap((bytes) => decoder.feed(bytes));
  return named([...keys, ...decoder.end()]);
}

function named(keys: readonly Key[]): string {
  return keys.map((key) => ("name" in key ? `<${key.name}>` : key.text)).join();
}

test("KeyDecoder decodes letters", () => {
  assert.equal(keysOf("qsr/ ?"), "q,s,r,/, ,?");
});

test("KeyDecoder decodes the sequences of xterm, rxvt and the Linux console", () => {
  assert.equal(keysOf("\x1b[A\x1bOA"), "<up>,<up>");
  assert.equal(keysOf("\x1b[B\x1bOB"), "<down>,<down>");
  assert.equal(keysOf("\x1b[5~\x1b[6~"), "<pageup>,<pagedown>");
  assert.equal(
    keysOf("\x1b[H\x1bOH\x1b[1~\x1b[7~"),
    "<home>,<home>,<home>,<home>",
  );
  assert.equal(keysOf("\x1b[F\x1bOF\x1b[4~\x1b[8~"), "<end>,<end>,<end>,<end>");
  assert.equal(keysOf("\x1b[1;5A"), "<up>", "with ctrl held");
});

test("KeyDecoder decodes or ignores control characters", () => {
  assert.equal(
    keysOf("\x03\x1a\x1c\x0c\x15"),
    "<ctrl-c>,<ctrl-z>,<ctrl-\\>,<ctrl-l>,<ctrl-u>",
  );
  assert.equal(
    keysOf("\r\n\x7f\x08"),
    "<enter>,<enter>,<backspace>,<backspace>",
  );
  assert.equal(keysOf("\x00\x01\x09\x11"), "");
});

test("KeyDecoder ignores an unknown sequence, but not what follows it", () => {
  assert.equal(keysOf("\x1b[15~q"), "q", "F5");
  assert.equal(keysOf("\x1b[[Aq"), "q", "F1 on the console");
  assert.equal(keysOf("\x1b[Cq"), "q", "to the right");
  assert.equal(keysOf("\x1bxq"), "q", "alt and a letter");
  assert.equal(keysOf("\x1b[<0;10;10Mq"), "q", "a mouse");
  assert.equal(keysOf("\x1b[200~q\x1b[201~"), "q", "pasted");
});

test("KeyDecoder decodes a single ESC as Escape if nothing follows", () => {
  const decoder = new KeyDecoder();
  assert.deepEqual(decoder.feed("\x1b"), []);
  assert.ok(decoder.waits);
  assert.equal(named(decoder.end()), "<escape>");
  assert.ok(!decoder.waits);
  assert.equal(keysOf("\x1b\x1b[A"), "<up>");
});

test("KeyDecoder gives up an endless sequence", () => {
  assert.equal(keysOf(`\x1b[${"1".repeat(100)}`, "~", "q").at(-1), "q");
  assert.equal(keysOf("\x1b["), "");
});

test("KeyDecoder decodes UTF-8, and ignores invalid bytes", () => {
  assert.equal(keysOf("\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"), "é,€,😀");
  assert.equal(keysOf("\xc3q\xffq\xe2\x82"), "q,q");
  assert.equal(keysOf("\xc2\x9b2J"), "2,J", "a control character of 8 bits");
  assert.equal(keysOf("\xe2\x80\xae"), "", "the direction of writing");
});

test("KeyDecoder decodes the same keys wherever the bytes are split", () => {
  const bytes = fc.stringMatching(
    /^(\x1b\[[AB]|\x1b\[[56]~|\x1bO[HF]|\xc3\xa9|\xe2\x82\xac|[a-z/?]|\x7f|\x1b\[1;5B){0,12}$/, // eslint-disable-line no-control-regex
  );
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(40)), (text, cuts) => {
      const places = [0, ...cuts, text.length]
        .filter((at) => at <= text.length)
        .sort((a, b) => a - b);
      const reads = places.map((at, i) => text.slice(at, places[i + 1]));
      assert.equal(keysOf(...reads), keysOf(text));
    }),
  );
});
