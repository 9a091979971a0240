import assert from "node:assert/strict";
import { test } from "node:test";
import { SelectorFault } from "../../src/grammar/selector.js";
import {
  checkServices,
  readServer,
  readService,
  readServices,
} from "../../src/cli/selectors.js";
import type { Names } from "../../src/system/names.js";
import { INET } from "../../src/ipvs/address.js";
import { TCP, type ServiceKey } from "../../src/ipvs/model.js";
import { address } from "../fixtures/entries.js";

const NAMES: Names = {
  hostAddress: (name) =>
    Promise.resolve(name === "web.example" ? "192.0.2.80" : undefined),
  hostName: () => Promise.resolve(undefined),
  servicePort: (name, transport) =>
    name === "http" && transport === "tcp" ? 80 : undefined,
  serviceName: () => undefined,
};

test("readService() and readServer() look up names of hosts and ports", async () => {
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

test("readService() rejects a host without an IPv4 address", async () => {
  await assert.rejects(readService("mail.example:25", NAMES), (error) => {
    assert.ok(error instanceof SelectorFault);
    assert.match(error.message, /host mail\.example has no IPv4 address/);
    return true;
  });
});

test("checkServices() suggests a service, or lists those in the table", async () => {
  const table = [80, 443].map((port) => ({
    key: {
      family: INET,
      protocol: TCP,
      address: address("192.0.2.1"),
      port,
    } satisfies ServiceKey,
  }));
  for (const [text, known, advice] of [
    ["192.0.2.1:81", table, "did you mean tcp/192.0.2.1:80?"],
    [
      "fwm/7",
      table,
      "services in the table: tcp/192.0.2.1:80, tcp/192.0.2.1:443",
    ],
    ["fwm/7", [], "the table is empty"],
  ] as const) {
    const named = await readServices([text], NAMES);
    assert.throws(
      () => {
        checkServices(named, known);
      },
      { message: `there is no service ${text}`, advice },
    );
  }
  checkServices(await readServices(["192.0.2.1"], NAMES), table);
});
