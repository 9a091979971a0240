import assert from "node:assert/strict";
import { test } from "node:test";
import { slotAt } from "../../../src/commands/serve/rate-history.js";
import { Tracker } from "../../../src/commands/serve/tracker.js";
import { TCP, type ServiceWithServers } from "../../../src/ipvs/model.js";
import { assess } from "../../../src/ipvs/state.js";
import {
  addressKey,
  serverEntry,
  serviceEntry,
  stats,
} from "../../fixtures/entries.js";

const KEY = addressKey(TCP, "192.0.2.1", 80);
const NAME = "tcp/192.0.2.1:80";

function table(...services: readonly ServiceWithServers[]) {
  return services.map(assess);
}

function web(weight = 1, ...more: readonly string[]): ServiceWithServers {
  const servers = [
    serverEntry("10.0.0.11", 80, { weight }),
    ...more.map((address) => serverEntry(address, 80)),
  ];
  return serviceEntry(KEY, {}, servers);
}

const at = (second: number) => ({
  date: new Date(1_000_000_000_000 + second * 1000),
  seconds: second,
});

test("Tracker reports everything at the first reading", () => {
  const { services, figures, removed } = new Tracker().take(
    table(web()),
    at(0),
  );
  assert.deepEqual(
    services.map(({ service }) => service),
    [NAME],
  );
  assert.equal(figures.length, 2);
  assert.deepEqual(removed, []);
});

test("Tracker reports nothing if nothing changed", () => {
  const tracker = new Tracker();
  tracker.take(table(web()), at(0));
  tracker.take(table(web()), at(2)); // Rates are known from now on.
  assert.deepEqual(tracker.take(table(web()), at(4)), {
    services: [],
    removed: [],
    figures: [],
  });
});

test("Tracker reports the new state of a drained server", () => {
  const tracker = new Tracker();
  tracker.take(table(web(3)), at(0));
  const { services } = tracker.take(table(web(0)), at(2));
  assert.equal(services[0]?.state, "all-drained");
  assert.equal(services[0].servers[0]?.state, "draining");
});

test("Tracker reports the ids of services that are gone", () => {
  const tracker = new Tracker();
  const [row] = tracker.take(table(web()), at(0)).services;
  assert.deepEqual(tracker.take([], at(2)).removed, [row?.id]);
});

test("Tracker measures rates by a clock that nobody sets", () => {
  const tracker = new Tracker();
  const grown = (inBytes: bigint) =>
    table({ ...web(), stats: stats({ inBytes }) });
  tracker.take(grown(0n), at(0));
  const anHourBack = { ...at(-3600), seconds: 2 };
  const { figures } = tracker.take(grown(1000n), anHourBack);
  assert.equal(figures[0]?.[5], 500);
});

test("Tracker keeps the id of a service, and its rates are the growth per second", () => {
  const tracker = new Tracker();
  const grown = (bytes: bigint): ServiceWithServers => ({
    ...web(),
    stats: stats({ inBytes: bytes, connections: bytes / 100n }),
  });
  const [row] = tracker.take(table(grown(0n)), at(0)).services;
  assert.ok(row);
  const { figures } = tracker.take(table(grown(1000n)), at(2));
  assert.deepEqual(figures[0], [row.id, 0, 0, 0, 5, 500, 0]);
  assert.deepEqual(
    tracker
      .historyOf(NAME)
      ?.history.values(1, slotAt(at(2).date.getTime()))
      .at(-1),
    500,
  );
});
