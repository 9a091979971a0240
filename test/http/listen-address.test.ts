import assert from "node:assert/strict";
import { test } from "node:test";
import { UsageError } from "../../src/cli/errors.js";
import {
  isLocal,
  listenAddressText,
  parseListenAddress,
} from "../../src/http/listen-address.js";

for (const [text, expected, local] of [
  ["9101", "127.0.0.1:9101", true],
  [":9101", "127.0.0.1:9101", true],
  ["127.1.2.3:80", "127.1.2.3:80", true],
  ["[::1]:80", "[::1]:80", true],
  ["192.0.2.1:80", "192.0.2.1:80", false],
  ["0.0.0.0:9101", "0.0.0.0:9101", false],
  ["[::]:9101", "[::]:9101", false],
  ["[2001:db8::1]:65535", "[2001:db8::1]:65535", false],
  ["unix:/run/a.sock", "unix:/run/a.sock", true],
] as const)
  test(`parseListenAddress() reads ${text} as ${expected}`, () => {
    const address = parseListenAddress(text, "serve");
    assert.equal(listenAddressText(address), expected);
    assert.equal(isLocal(address), local);
  });

for (const text of [
  "",
  "99999",
  "192.0.2.1",
  "example.org:80",
  "2001:db8::1:80",
  "[192.0.2.1]:80",
  "unix:",
  "unix:a.sock",
  `unix:/${"a".repeat(200)}`,
])
  test(`parseListenAddress() refuses ${JSON.stringify(text.slice(0, 40))}`, () => {
    assert.throws(() => parseListenAddress(text, "serve"), UsageError);
  });
