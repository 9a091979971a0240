import assert from "node:assert/strict";
import { test } from "node:test";
import type { ServiceWithServers } from "../../../src/ipvs/model.js";
import { changeText } from "../../../src/commands/watch/change-marks.js";
import { Sampler, type Sample } from "../../../src/commands/watch/sampler.js";
import { MARK, NAMES, reading, server, service, WEB } from "./sample-table.js";

/** Reads tables 2 seconds apart. @returns the last sample */
function sampled(...tables: readonly (readonly ServiceWithServers[])[]) {
  const sampler = new Sampler();
  const samples = tables.map((table, i) => sampler.take(reading(i * 2, table)));
  return samples.at(-1) ?? assert.fail("no table");
}

/** What is said of each service and server that changed. */
function changes({ services }: Sample): string[] {
  return services
    .flatMap((service) => [service, ...service.servers])
    .filter(({ change }) => change !== undefined)
    .map(({ name, change }) => `${name} ${changeText(change)}`);
}

const BEFORE = [service(WEB, [server("192.0.2.10", 0, { weight: 5 })])];

test("services and servers have rates of their own, and the totals are those of the services", () => {
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

test("with the first reading nothing is new, and no rate is known", () => {
  const sample = sampled(BEFORE);
  assert.deepEqual(changes(sample), []);
  assert.equal(sample.totals.rates, undefined);
  assert.equal(sample.elapsedSeconds, undefined);
});

test("an empty table has rates: none", () => {
  assert.equal(sampled([], []).totals.rates?.connections, 0);
});

test("a new service is told, its servers with it are not; a new server is", () => {
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

test("a weight, or a scheduler, is told with what it was", () => {
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

test("what is gone is shown for a minute, without rates, and counts for nothing", () => {
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

test("a server that is gone stays under its service, in its place", () => {
  const [one, two] = [server("192.0.2.10", 0), server("192.0.2.11", 0)];
  const sample = sampled([service(WEB, [two, one])], [service(WEB, [two])]);
  assert.deepEqual(
    sample.services[0]?.servers.map(({ name }) => name),
    ["192.0.2.10:8080", "192.0.2.11:8080"],
  );
  assert.deepEqual(changes(sample), ["192.0.2.10:8080 gone"]);
  assert.equal(sample.totals.servers, 1);
});

test("what comes back is new, with counters of its own", () => {
  const sample = sampled(
    [service(WEB, [server("192.0.2.10", 100)])],
    [],
    [service(WEB, [server("192.0.2.10", 120)])],
  );
  assert.deepEqual(changes(sample), ["tcp/192.0.2.1:80 new"]);
  assert.equal(sample.services[0]?.rates, undefined);
});

test("a change is told for a minute", () => {
  const sampler = new Sampler();
  sampler.take(reading(0, BEFORE));
  const after = [service(WEB, [server("192.0.2.10", 0, { weight: 6 })])];
  assert.equal(changes(sampler.take(reading(2, after))).length, 1);
  assert.equal(changes(sampler.take(reading(61, after))).length, 1);
  assert.equal(changes(sampler.take(reading(62, after))).length, 0);
});

test("zeroed counters give no rate, and then those since", () => {
  const web = (connections: number) => [
    service(WEB, [server("192.0.2.10", connections)]),
  ];
  const rates = (sample: Sample) => sample.services[0]?.rates?.connections;
  assert.equal(rates(sampled(web(0), web(10))), 5);
  assert.equal(rates(sampled(web(0), web(10), web(4))), undefined);
  assert.equal(rates(sampled(web(0), web(10), web(4), web(8))), 2);
});

test("taken in turns, a long table is the same, and others have their turn", async () => {
  const table = Array.from({ length: 1000 }, (_, i) =>
    service({ ...MARK, firewallMark: i + 1 }, []),
  );
  let turns = 0;
  const counting = setInterval(() => turns++, 0);
  const sample = await new Sampler().takeInTurns(reading(0, table));
  clearInterval(counting);
  assert.ok(turns > 0);
  assert.deepEqual(
    sample.services.map(({ name }) => name),
    new Sampler().take(reading(0, table)).services.map(({ name }) => name),
  );
  assert.equal(sample.services.length, 1000);
});

test("the name of a scheduler cannot steer the terminal", () => {
  const odd = [service(WEB, [], { scheduler: "\x1b[2J" })];
  assert.deepEqual(changes(sampled(odd, [service(WEB, [])])), [
    "tcp/192.0.2.1:80 was ?[2J",
  ]);
});
