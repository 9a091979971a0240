import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  measure,
  rateOf,
  type Meter,
  type Rates,
} from "../../../src/commands/watch/rates.js";
import { stats } from "../../fixtures/entries.js";

/** Measures these readings of a counter. @returns the rate after each reading */
function ratesOf(
  readings: readonly (readonly [at: number, connections: bigint])[],
): (number | undefined)[] {
  let meter: Meter | undefined;
  return readings.map(([at, connections]) => {
    meter = measure(meter, stats({ connections }), at);
    return meter.rates?.connections;
  });
}

test("measure() needs two readings for a rate", () => {
  assert.deepEqual(
    ratesOf([
      [100, 7n],
      [104, 27n],
    ]),
    [undefined, 5],
  );
});

test("measure() divides by the time between the readings", () => {
  assert.deepEqual(
    ratesOf([
      [0, 0n],
      [2.5, 10n],
      [10.5, 26n],
    ]),
    [undefined, 4, 2],
  );
});

test("measure() is exact for counters beyond 2^53", () => {
  assert.deepEqual(
    ratesOf([
      [0, 2n ** 63n],
      [2, 2n ** 63n + 3n],
    ]),
    [undefined, 1.5],
  );
});

test("measure() returns no rate if a counter went back, and never a negative one", () => {
  assert.deepEqual(
    ratesOf([
      [0, 100n],
      [2, 120n],
      [4, 6n],
      [6, 16n],
    ]),
    [undefined, 10, undefined, 5],
  );
  const readings = fc.array(fc.tuple(fc.nat(9), fc.bigInt(0n, 50n)));
  fc.assert(
    fc.property(readings, (steps) => {
      let at = 0;
      for (const rate of ratesOf(
        steps.map(([wait, n]) => [(at += wait + 0.1), n]),
      ))
        assert.ok(rate === undefined || rate >= 0);
    }),
  );
});

test("measure() returns the same rate if it reads more often than the kernel updates", () => {
  // 10 connections per second, updated every 2 seconds, read every half second.
  const readings = Array.from({ length: 20 }, (_, i) => {
    const at = i / 2;
    return [at, BigInt(Math.floor(at / 2) * 20)] as const;
  });
  const rates = ratesOf(readings);
  assert.deepEqual(new Set(rates.slice(4)), new Set([10]));
});

test("measure() returns 0 when the kernel has had time to update its counters", () => {
  assert.deepEqual(
    ratesOf([
      [0, 0n],
      [2, 20n],
      [3, 20n],
      [4, 20n],
      [5, 20n],
      [6, 20n],
    ]),
    [undefined, 10, 10, 10, 0, 0],
  );
});

test("rateOf() adds packets and bytes of both directions", () => {
  const rates: Rates = {
    connections: 1,
    inPackets: 2,
    outPackets: 3,
    inBytes: 10,
    outBytes: 20,
  };
  assert.equal(rateOf(rates, "connections"), 1);
  assert.equal(rateOf(rates, "packets"), 5);
  assert.equal(rateOf(rates, "bytes"), 30);
});
