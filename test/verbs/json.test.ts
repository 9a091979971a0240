import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { jsonText } from "../../src/verbs/json.js";

test("counters have all their digits", () => {
  assert.equal(
    jsonText({ bytes: 2n ** 64n - 1n, none: undefined }, 0),
    '{"bytes":18446744073709551615}',
  );
});

test("all else is as JSON.stringify has it, on lines or on one", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const json = value as Parameters<typeof jsonText>[0];
      assert.equal(jsonText(json), JSON.stringify(value, null, 2));
      assert.equal(jsonText(json, 0), JSON.stringify(value));
    }),
  );
});
