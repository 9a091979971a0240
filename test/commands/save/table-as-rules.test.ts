import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compare, isUpToDate } from "../../../src/plan/compare.js";
import type { Table } from "../../../src/ipvs/table.js";
import { serverRefusal } from "../../../src/rules/kernel-refusals.js";
import { readRules } from "../../../src/rules/read-rules.js";
import { tableAsRules } from "../../../src/commands/save/table-as-rules.js";
import { tables } from "../../document/tables.js";
import { pairs } from "../../plan/pairs.js";
import { stats } from "../../fixtures/entries.js";

const NO_NAMES = {
  hostAddress: () => Promise.reject(new Error("a host was asked for")),
  servicePort: () => undefined,
};

/** The state of a kernel after a table was applied, as far as compare() needs it. */
function stateOf(table: Table) {
  return {
    ...table,
    services: table.services.map((service) => ({
      ...service,
      stats: stats(),
      servers: service.servers.map((server) => ({
        ...server,
        activeConnections: 0,
        inactiveConnections: 0,
        persistentConnections: 0,
        stats: stats(),
      })),
    })),
  };
}

/** Whether a table is the same after it was written as rules and read back. */
async function roundTrips(table: Table): Promise<boolean> {
  const text = [...tableAsRules(table)].map((one) => one.text).join("");
  const file = await readRules("rules", text, NO_NAMES);
  const differences = compare(file.table, stateOf(table), {
    prune: true,
    keepWeights: false,
  });
  return file.errors.length === 0 && isUpToDate(differences);
}

const matters = (table: Table) =>
  [...tableAsRules(table)].some(({ loss }) => loss?.matters);

test("tableAsRules() round-trips if it reports no loss that matters", async () => {
  let equal = 0;
  await fc.assert(
    fc.asyncProperty(pairs, async ([wanted]) => {
      if (matters(wanted)) return;
      equal++;
      assert.ok(await roundTrips(wanted));
    }),
    { numRuns: 500 },
  );
  assert.ok(equal > 50, `${equal} tables`);
});

test("tableAsRules() reports a loss for each table that does not round-trip", async () => {
  let reported = 0;
  await fc.assert(
    fc.asyncProperty(tables, async (table) => {
      // Skip tables that the kernel would refuse: duplicate services, impossible servers.
      const { services } = table;
      fc.pre(
        new Set(services.map(({ key }) => JSON.stringify(key))).size ===
          services.length,
      );
      fc.pre(
        services.every((service) =>
          service.servers.every(
            ({ key, settings }) => !serverRefusal(service.key, key, settings),
          ),
        ),
      );
      if (matters(table)) reported++;
      else assert.ok(await roundTrips({ ...table, daemons: [] }));
    }),
    { numRuns: 500 },
  );
  assert.ok(reported > 50, `${reported} tables`);
});
