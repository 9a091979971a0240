import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeUtf8 } from "../../src/text/utf8.js";

test("decodeUtf8() decodes any bytes", () => {
  assert.equal(decodeUtf8("\xc3\xa9 \xff"), "é \ufffd");
});
