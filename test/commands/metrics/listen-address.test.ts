import assert from "node:assert/strict";
import { test } from "node:test";
import {
  parseListenAddress,
  listenAddressText,
} from "../../../src/commands/metrics/listen-address.js";

for (const [text, expected] of [
  ["9101", "127.0.0.1:9101"],
  [":9101", "127.0.0.1:9101"],
  ["192.0.2.1:80", "192.0.2.1:80"],
  ["0.0.0.0:9101", "0.0.0.0:9101"],
  ["[::]:9101", "[::]:9101"],
  ["[2001:db8::1]:65535", "[2001:db8::1]:65535"],
] as const)
  test(`parseListenAddress() reads ${text} as ${expected}`, () => {
    assert.equal(listenAddressText(parseListenAddress(text)), expected);
  });
