import assert from "node:assert/strict";
import { test } from "node:test";
import { SelectorFault } from "../../src/grammar/selector.js";
import { readServer, readService } from "../../src/cli/selectors.js";
import type { Names } from "../../src/system/names.js";
import { TCP } from "../../src/ipvs/model.js";
import { address } from "../fixtures/entries.js";

const NAMES: Names = {
  hostAddress: (name) =>
    Promise.resolve(name === "web.example" ? "192.0.2.80" : undefined),
  hostName: () => Promise.resolve(undefined),
  servicePort: (name, transport) =>
    name === "http" && transport === "tcp" ? 80 : undefined,
  serviceName: () => undefined,
};

test("hosts and ports may be names", async () => {
  const expected = { address: address("192.0.2.80"), port: 80 };
  assert.deepEqual(await readService("tcp/web.example:http", NAMES), {
    protocol: TCP,
    ...expected,
  });
  assert.deepEqual(
    await readServer("web.example:http", undefined, NAMES),
    expected,
  );
});

test("a host without an address is named", async () => {
  await assert.rejects(readService("mail.example:25", NAMES), (error) => {
    assert.ok(error instanceof SelectorFault);
    assert.match(error.message, /host mail\.example has no IPv4 address/);
    return true;
  });
});
