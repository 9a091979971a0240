import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { jsonText } from "../../src/document/json-text.js";

test("jsonText() keeps all digits of counters", () => {
  assert.equal(
    jsonText({ bytes: 2n ** 64n - 1n, none: undefined }, 0),
    '{"bytes":18446744073709551615}',
  );
});

test("jsonText() writes the same as JSON.stringify(), on one line and on several", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = value as Parameters<typeof jsonText>[0];
      assert.equal(jsonText(json), JSON.stringify(value, null, 2));
      assert.equal(jsonText(json, 0), JSON.stringify(value));
    }),
  );
});

test("jsonText() escapes control characters, and they read back", () => {
  const text = "\x1b[2J\x9b2J\x7f\u202e\u2028";
  const written = jsonText({ [text]: text });
  assert.match(written, /^[\n\x20-\x7e]*$/);
  assert.deepEqual(JSON.parse(written), { [text]: text });
});
