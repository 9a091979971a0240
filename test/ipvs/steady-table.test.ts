import assert from "node:assert/strict";
import { test } from "node:test";
import { TableUnsteady } from "../../src/ipvs/errors.js";
import { edited, replaced } from "../fixtures/edit.js";
import { hex } from "../fixtures/hex.js";
import {
  MASQUERADED_SERVER,
  ROUTED_SERVER,
  SERVICE,
} from "../fixtures/replies.js";
import { clientOf, payloads } from "./scripted-client.js";

/* IpvsClient.steadyTable() of src/ipvs/client.ts: a table that changes while it is read. */

const WEIGHT = 4;
const STATS64 = 12;
const HEAVIER = replaced(MASQUERADED_SERVER, WEIGHT, hex("06000000"));

/** A service in a dump, with these servers; or twice. */
interface Reading {
  readonly services?: readonly Uint8Array[];
  readonly servers: readonly Uint8Array[];
}

/** A client whose table differs at each reading. The last reading repeats. */
async function reading(...readings: [Reading, ...Reading[]]) {
  let count = 0;
  const { client } = await clientOf(({ bytes }) => {
    const asksForServices = bytes[0] === 4;
    if (asksForServices) count++;
    const now = readings[Math.min(count, readings.length) - 1] ?? readings[0];
    return payloads(
      ...(asksForServices ? (now.services ?? [SERVICE]) : now.servers),
    );
  });
  return { client, count: () => count };
}

async function weights(...readings: [Reading, ...Reading[]]) {
  const { client, count } = await reading(...readings);
  const [service] = await client.steadyTable();
  return {
    weights: service?.servers.map(({ settings }) => settings.weight),
    readings: count(),
  };
}

const ONE = { servers: [MASQUERADED_SERVER] };
const TWO = { servers: [ROUTED_SERVER, MASQUERADED_SERVER] };

test("steadyTable() reads an unchanging table twice", async () => {
  assert.deepEqual(await weights(ONE), { weights: [5], readings: 2 });
});

test("steadyTable() accepts an empty table", async () => {
  const { client } = await reading({ services: [], servers: [] });
  assert.deepEqual(await client.steadyTable(), []);
});

test("steadyTable() reads a changing table until two readings in a row agree", async () => {
  assert.deepEqual(await weights(ONE, TWO, ONE, TWO, TWO), {
    weights: [1, 5],
    readings: 5,
  });
});

test("steadyTable() notices a changed server setting", async () => {
  assert.deepEqual(await weights(ONE, { servers: [HEAVIER] }), {
    weights: [6],
    readings: 3,
  });
});

test("steadyTable() notices a changed service setting", async () => {
  const FLAGS = 7;
  const flagged = replaced(SERVICE, FLAGS, hex("0b000000ffffffff"));
  const { client, count } = await reading(ONE, {
    services: [flagged],
    ...ONE,
  });
  assert.equal((await client.steadyTable())[0]?.settings.flags, 11);
  assert.equal(count(), 3);
});

test("steadyTable() rejects a reading in which a server appears twice", async () => {
  const twice = { servers: [ROUTED_SERVER, ROUTED_SERVER] };
  assert.deepEqual(await weights(twice, twice, twice, ONE), {
    weights: [5],
    readings: 5,
  });
});

test("steadyTable() rejects a reading in which a service appears twice", async () => {
  const twice = { services: [SERVICE, SERVICE], servers: [] };
  assert.deepEqual(await weights(twice, twice, ONE), {
    weights: [5],
    readings: 4,
  });
});

test("steadyTable() ignores the order", async () => {
  const turned = { servers: [MASQUERADED_SERVER, ROUTED_SERVER] };
  assert.equal((await weights(TWO, turned)).readings, 2);
});

test("steadyTable() ignores counters and returns those of the last reading", async () => {
  const busy = edited(MASQUERADED_SERVER, (attributes) =>
    attributes.map(({ type, value }) => {
      if (type === STATS64) value.writeUInt8(9, 4); // lowest byte of the connections counter
      return { type, value };
    }),
  );
  const { client, count } = await reading(ONE, { servers: [busy] });
  const [service] = await client.steadyTable();
  assert.equal(count(), 2);
  assert.equal(service?.servers[0]?.stats.connections, 9n);
});

test("steadyTable() throws TableUnsteady if the table changes every time", async () => {
  const endless = Array.from({ length: 20 }, (_, i) =>
    i % 2 === 0 ? ONE : TWO,
  );
  const { client } = await reading(ONE, ...endless.slice(1));
  await assert.rejects(client.steadyTable(), new TableUnsteady(10));
});
