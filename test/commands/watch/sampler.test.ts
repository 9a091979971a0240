import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServiceWithServers } from "../../../src/ipvs/model.js";
import { changeText } from "../../../src/commands/watch/changes.js";
import { Sampler, type Sample } from "../../../src/commands/watch/sampler.js";
import { MARK, NAMES, reading, server, service, WEB } from "./sample-table.js";

/** Takes readings 2 seconds apart. @returns the last sample */
function sampled(...tables: readonly (readonly ServiceWithServers[])[]) {
  const sampler = new Sampler();
  const samples = tables.map((table, i) => sampler.take(reading(i * 2, table)));
  return samples.at(-1) ?? assert.fail("no table");
}

/** The changes of all services and servers. */
function changes({ services }: Sample): string[] {
  return services
    .flatMap((service) => [service, ...service.servers])
    .filter(({ change }) => change !== undefined)
    .map(({ name, change }) => `${name} ${changeText(change)}`);
}

const BEFORE = [service(WEB, [server("192.0.2.10", 0, { weight: 5 })])];

test("Sampler measures services and servers, and adds up the services", () => {
  const sample = sampled(
    [
      service(WEB, [server("192.0.2.10", 10), server("192.0.2.11", 20)]),
      service(MARK, [server("192.0.2.10", 0)]),
    ],
    [
      service(WEB, [server("192.0.2.10", 12), server("192.0.2.11", 28, {}, 3)]),
      service(MARK, [server("192.0.2.10", 2)]),
    ],
  );
  const [web, mark] = sample.services;
  assert.equal(web?.name, "tcp/192.0.2.1:80");
  assert.equal(web.rates?.connections, 5);
  assert.deepEqual(
    web.servers.map(({ name, rates }) => [name, rates?.connections]),
    [
      ["192.0.2.10:8080", 1],
      ["192.0.2.11:8080", 4],
    ],
  );
  assert.equal(web.activeConnections, 3);
  assert.equal(mark?.rates?.connections, 1);
  assert.equal(sample.totals.rates?.connections, 6);
  assert.equal(sample.totals.rates.inBytes, 6000);
  assert.deepEqual([sample.totals.services, sample.totals.servers], [2, 3]);
  assert.equal(sample.elapsedSeconds, 2);
});

test("Sampler marks nothing as new after the first reading, and knows no rates", () => {
  const sample = sampled(BEFORE);
  assert.deepEqual(changes(sample), []);
  assert.equal(sample.totals.rates, undefined);
  assert.equal(sample.elapsedSeconds, undefined);
});

test("Sampler returns zero rates for an empty table", () => {
  assert.equal(sampled([], []).totals.rates?.connections, 0);
});

test("Sampler marks a new service without its servers, and a new server", () => {
  assert.deepEqual(
    changes(
      sampled(BEFORE, [...BEFORE, service(NAMES, [server("192.0.2.20", 0)])]),
    ),
    ["udp/192.0.2.1:53 new"],
  );
  assert.deepEqual(
    changes(
      sampled(BEFORE, [
        service(WEB, [
          server("192.0.2.10", 0, { weight: 5 }),
          server("192.0.2.11", 0),
        ]),
      ]),
    ),
    ["192.0.2.11:8080 new"],
  );
});

test("Sampler reports the old weight or scheduler", () => {
  const after = [
    service(WEB, [server("192.0.2.10", 0, { weight: 0 })], { scheduler: "rr" }),
  ];
  const sample = sampled(BEFORE, after);
  assert.deepEqual(changes(sample), [
    "tcp/192.0.2.1:80 was wlc",
    "192.0.2.10:8080 was 5",
  ]);
  assert.equal(sample.totals.edited, 2);
});

test("Sampler keeps a removed service for a minute, without rates and out of the totals", () => {
  const sampler = new Sampler();
  sampler.take(reading(0, BEFORE));
  const gone = sampler.take(reading(2, []));
  assert.deepEqual(changes(gone), ["tcp/192.0.2.1:80 gone"]);
  assert.equal(gone.services[0]?.rates, undefined);
  assert.deepEqual([gone.totals.services, gone.totals.servers], [0, 0]);
  assert.equal(gone.totals.gone, 1);
  assert.equal(sampler.take(reading(61, [])).services.length, 1);
  assert.equal(sampler.take(reading(62, [])).services.length, 0);
});

test("Sampler keeps a removed server in its place", () => {
  const [one, two] = [server("192.0.2.10", 0), server("192.0.2.11", 0)];
  const sample = sampled([service(WEB, [two, one])], [service(WEB, [two])]);
  assert.deepEqual(
    sample.services[0]?.servers.map(({ name }) => name),
    ["192.0.2.10:8080", "192.0.2.11:8080"],
  );
  assert.deepEqual(changes(sample), ["192.0.2.10:8080 gone"]);
  assert.equal(sample.totals.servers, 1);
});

test("Sampler treats a service that comes back as new", () => {
  const sample = sampled(
    [service(WEB, [server("192.0.2.10", 100)])],
    [],
    [service(WEB, [server("192.0.2.10", 120)])],
  );
  assert.deepEqual(changes(sample), ["tcp/192.0.2.1:80 new"]);
  assert.equal(sample.services[0]?.rates, undefined);
});

test("Sampler reports a change for a minute", () => {
  const sampler = new Sampler();
  sampler.take(reading(0, BEFORE));
  const after = [service(WEB, [server("192.0.2.10", 0, { weight: 6 })])];
  assert.equal(changes(sampler.take(reading(2, after))).length, 1);
  assert.equal(changes(sampler.take(reading(61, after))).length, 1);
  assert.equal(changes(sampler.take(reading(62, after))).length, 0);
});

test("Sampler has no rate after counters were zeroed, until the next reading", () => {
  const web = (connections: number) => [
    service(WEB, [server("192.0.2.10", connections)]),
  ];
  const rates = (sample: Sample) => sample.services[0]?.rates?.connections;
  assert.equal(rates(sampled(web(0), web(10))), 5);
  assert.equal(rates(sampled(web(0), web(10), web(4))), undefined);
  assert.equal(rates(sampled(web(0), web(10), web(4), web(8))), 2);
});

test("Sampler.takeInChunks() returns the same sample, and handles other events", async () => {
  const table = Array.from({ length: 1000 }, (_, i) =>
    service({ ...MARK, firewallMark: i + 1 }, []),
  );
  let turns = 0;
  let counting = setImmediate(function count() {
    turns++;
    counting = setImmediate(count);
  });
  const sample = await new Sampler().takeInChunks(reading(0, table));
  clearImmediate(counting);
  assert.ok(turns > 0);
  assert.deepEqual(
    sample.services.map(({ name }) => name),
    new Sampler().take(reading(0, table)).services.map(({ name }) => name),
  );
  assert.equal(sample.services.length, 1000);
});

test("Sampler escapes the name of a scheduler", () => {
  const odd = [service(WEB, [], { scheduler: "\x1b[2J" })];
  assert.deepEqual(changes(sampled(odd, [service(WEB, [])])), [
    "tcp/192.0.2.1:80 was ?[2J",
  ]);
});
