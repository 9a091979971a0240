import assert from "node:assert/strict";
import { test } from "node:test";
import { kindOf } from "../../../src/cli/changes/difference-items.js";
import { readNext } from "../../../src/commands/monitor/table-changes.js";
import { TCP, type ServiceWithServers } from "../../../src/ipvs/model.js";
import {
  addressKey,
  serverEntry,
  serviceEntry,
} from "../../fixtures/entries.js";

type Table = readonly ServiceWithServers[];

function service(port: number, weight = 1): ServiceWithServers {
  return serviceEntry(addressKey(TCP, "192.0.2.1", port), {}, [
    serverEntry("10.0.0.11", port, { weight }),
  ]);
}

const [A, B, C] = [service(1), service(2), service(3)];

/** Takes the readings one after the other. */
async function next(before: Table, ...readings: readonly Table[]) {
  const left = [...readings];
  const { reading, changes } = await readNext(
    () => {
      const table = left.shift();
      return table
        ? Promise.resolve(table)
        : Promise.reject(new Error("one reading too many"));
    },
    (services) => ({ services }),
    before,
  );
  const words = changes.map((item) =>
    "service" in item && "port" in item.service
      ? `${kindOf(item)} ${item.of} ${item.service.port}`
      : item.of,
  );
  return { reading, words, left: left.length };
}

test("readNext() reads once if nothing changed, or only settings", async () => {
  const same = [service(1), B];
  assert.deepEqual(await next([A, B], same), {
    reading: same,
    words: [],
    left: 0,
  });
  const drained = [service(1, 0), B];
  assert.deepEqual((await next([A, B], drained)).words, ["change server 1"]);
});

test("readNext() does not report an entry that a dump skipped", async () => {
  // While the kernel lists the table, A is deleted. B moves to its place, which the dump has passed.
  const { words, reading } = await next([A, B, C], [A, C], [B, C], [B, C]);
  assert.deepEqual(words, ["remove service 1", "remove server 1"]);
  assert.deepEqual(reading, [B, C]);
});

test("readNext() does not report an entry that a dump has twice", async () => {
  const { words, left } = await next([A, B], [A, B, B]);
  assert.deepEqual([words, left], [[], 0]);
});

test("readNext() takes the last of four readings if entries come and go in each", async () => {
  const { words, reading, left } = await next(
    [A],
    [A, B],
    [A],
    [A, B],
    [A, C],
    [A],
  );
  assert.deepEqual(words, ["add service 3", "add server 3"]);
  assert.deepEqual([reading, left], [[A, C], 1]);
});

test("readNext() fails as a reading fails", async () => {
  await assert.rejects(next([A], [A, B]), /one reading too many/);
});
