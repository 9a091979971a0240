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

const at = (second: number) => new Date(1_000_000_000_000 + second * 1000);

test("Tracker reports everything at the first reading, and no changes", () => {
  const { services, figures, changes, removed } = new Tracker().take(
    table(web()),
    at(0),
  );
  assert.deepEqual(
    services.map(({ service }) => service),
    [NAME],
  );
  assert.equal(figures.length, 2);
  assert.deepEqual([changes, removed], [[], []]);
});

test("Tracker reports nothing if nothing changed", () => {
  const tracker = new Tracker();
  tracker.take(table(web()), at(0));
  tracker.take(table(web()), at(2)); // Rates are known from now on.
  assert.deepEqual(tracker.take(table(web()), at(4)), {
    services: [],
    removed: [],
    figures: [],
    changes: [],
  });
});

test("Tracker reports the moment of a weight change with both weights", () => {
  const tracker = new Tracker();
  tracker.take(table(web(3)), at(0));
  const { changes, services } = tracker.take(table(web(0)), at(2));
  assert.deepEqual(changes, [
    {
      time: at(2).toISOString(),
      change: "change",
      of: "server",
      service: NAME,
      server: "10.0.0.11:80",
      from: { weight: 3 },
      to: { weight: 0 },
    },
  ]);
  assert.equal(services[0]?.state, "all-drained");
  assert.equal(services[0].servers[0]?.state, "draining");
});

test("Tracker reports servers and services that come and go", () => {
  const tracker = new Tracker();
  tracker.take(table(web()), at(0));
  const words = (second: number, ...now: readonly ServiceWithServers[]) =>
    tracker
      .take(table(...now), at(second))
      .changes.map(
        ({ change, of, server = "" }) => `${change} ${of} ${server}`,
      );
  assert.deepEqual(words(2, web(1, "10.0.0.12")), ["add server 10.0.0.12:80"]);
  assert.deepEqual(words(4, web()), ["remove server 10.0.0.12:80"]);
  const other = serviceEntry({ ...KEY, port: 443 }, {}, [
    serverEntry("10.0.0.11", 443),
  ]);
  assert.deepEqual(words(6, web(), other), ["add service "]);
  assert.deepEqual(words(8, other), ["remove service "]);
});

test("Tracker reports a new scheduler and new thresholds", () => {
  const tracker = new Tracker();
  const before = web();
  tracker.take(table(before), at(0));
  const after = serviceEntry(KEY, { scheduler: "rr" }, [
    serverEntry("10.0.0.11", 80, { upperThreshold: 9, lowerThreshold: 5 }),
  ]);
  const { changes } = tracker.take(table(after), at(2));
  assert.deepEqual(
    changes.map(({ from, to }) => [from, to]),
    [
      [{ scheduler: "wlc" }, { scheduler: "rr" }],
      [
        { upperThreshold: null, lowerThreshold: null },
        { upperThreshold: 9, lowerThreshold: 5 },
      ],
    ],
  );
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
      ?.history.values(1, slotAt(at(2).getTime()))
      .at(-1),
    500,
  );
});
