import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import {
  MASQUERADING,
  PERSISTENT,
  TCP,
  UDP,
  type ServiceWithServers,
} from "../../../src/ipvs/model.js";
import {
  addressKey,
  serverEntry,
  serviceEntry,
  stats,
} from "../../fixtures/entries.js";
import { printed } from "./run-list.js";
import { manyServices, SAMPLE } from "./sample.js";

const NARROWEST = 20;
const WIDEST = 250;

/** What a listing shows. */
interface Shown {
  readonly titles: readonly string[];
  /** The names in the first column, as they are shown */
  readonly names: readonly string[];
  readonly lines: readonly string[];
}

async function shown(
  table: readonly ServiceWithServers[],
  width: number,
): Promise<Shown> {
  const text = await printed("list", table, width);
  const lines = text.split("\n");
  const end = lines.findIndex((line) => line.startsWith("Total"));
  const rows = lines.slice(1, end);
  return {
    titles: (lines[0] ?? "").split(/ {2,}/).filter((title) => title !== ""),
    names: rows.map((line) => /^ *\S+/.exec(line)?.[0] ?? ""),
    lines,
  };
}

/** The ports of a listing without a limit, row by row. */
function portsOf({ names }: Shown): (string | undefined)[] {
  return names.map((name) => /:[0-9]+$/.exec(name)?.[0]);
}

async function holdsAtEachWidth(
  table: readonly ServiceWithServers[],
): Promise<void> {
  const whole = await shown(table, 2000);
  const persistent = whole.lines.flatMap(
    (line) => /persist [0-9]+/.exec(line)?.[0] ?? [],
  );
  let narrower: Shown | undefined;
  for (let width = NARROWEST; width <= WIDEST; width++) {
    const now = await shown(table, width);
    for (const line of now.lines)
      assert.ok(Array.from(line).length <= width, `${width}: ${line}`);
    assert.deepEqual(portsOf(now), portsOf(whole), `ports at ${width}`);
    if (now.titles.includes("Method"))
      for (const text of persistent)
        assert.ok(
          now.lines.some((line) => line.includes(text)),
          `${text} at ${width}`,
        );
    for (const title of narrower?.titles ?? [])
      assert.ok(now.titles.includes(title), `${title} at ${width}`);
    for (const [i, name] of (narrower?.names ?? []).entries())
      assert.ok(
        (now.names[i] ?? "").length >= name.length,
        `${name} at ${width}`,
      );
    narrower = now;
  }
}

test("list shows no less in a wider terminal, and every port and persistence time", async () => {
  await holdsAtEachWidth(SAMPLE);
  await holdsAtEachWidth(manyServices(12));
  await holdsAtEachWidth([]);
});

const v4 = fc.ipV4();
const v6 = fc.ipV6().filter((text) => !text.includes("."));
const port = fc.integer({ min: 1, max: 65_535 });
const count = fc.constantFrom(0, 0, 7, 12_345);

const service = fc
  .record({
    protocol: fc.constantFrom(TCP, UDP),
    address: fc.oneof(v4, v6),
    port,
    scheduler: fc.constantFrom("rr", "wlc", "mh"),
    persists: fc.option(fc.integer({ min: 1, max: 86_400 })),
    rate: fc.constantFrom(0n, 3n, 123_456n),
    servers: fc.array(
      fc.record({
        address: v4,
        port,
        weight: fc.constantFrom(0, 1, 1000),
        upperThreshold: fc.constantFrom(0, 0, 0, 100),
        active: count,
        inactive: count,
      }),
      { maxLength: 4 },
    ),
  })
  .map((one): ServiceWithServers => ({
    ...serviceEntry(
      addressKey(one.protocol, one.address, one.port),
      {
        scheduler: one.scheduler,
        ...(one.persists !== null && {
          flags: PERSISTENT,
          timeoutSeconds: one.persists,
        }),
      },
      one.servers.map(({ address, port, active, inactive, ...settings }) => ({
        ...serverEntry(address, port, {
          forwarding: MASQUERADING,
          ...settings,
        }),
        activeConnections: active,
        inactiveConnections: inactive,
      })),
    ),
    stats: stats({ connectionsPerSecond: one.rate, inBytes: one.rate }),
  }));

test("list shows no less in a wider terminal for any table", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(service, {
        minLength: 1,
        maxLength: 5,
        selector: ({ key }) => JSON.stringify(key),
      }),
      holdsAtEachWidth,
    ),
    { numRuns: 10 },
  );
});
