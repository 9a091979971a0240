import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { compare, isEqual } from "../../../src/plan/compare.js";
import type { Table } from "../../../src/ipvs/table.js";
import { serverRefusal } from "../../../src/rules/kernel-refusals.js";
import { readRules } from "../../../src/rules/read.js";
import { ruleTexts } from "../../../src/commands/save/rule-text.js";
import { tables } from "../../document/tables.js";
import { pairs } from "../../plan/pairs.js";
import { stats } from "../../fixtures/entries.js";

const NO_NAMES = {
  hostAddress: () => Promise.reject(new Error("a host was asked for")),
  servicePort: () => undefined,
};

/** What a kernel has that was given a table, as far as comparing goes. */
function existingOf(table: Table) {
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

/** Writes a table as rules, reads them, and compares what was read with what was written. */
async function isKept(table: Table): Promise<boolean> {
  const text = [...ruleTexts(table)].map((one) => one.text).join("");
  const file = await readRules("rules", text, NO_NAMES);
  const differences = compare(file.table, existingOf(table), {
    prune: true,
    keepWeights: false,
  });
  return file.faults.length === 0 && isEqual(differences);
}

const matters = (table: Table) =>
  [...ruleTexts(table)].some(({ lost }) => lost?.matters);

test("rules of which nothing that matters is unsaid make the same table", async () => {
  let kept = 0;
  await fc.assert(
    fc.asyncProperty(pairs, async ([wanted]) => {
      if (matters(wanted)) return;
      kept++;
      assert.ok(await isKept(wanted));
    }),
    { numRuns: 500 },
  );
  assert.ok(kept > 50, `${kept} tables`);
});

test("of any table that rules do not keep, it is told what they do not say", async () => {
  let told = 0;
  await fc.assert(
    fc.asyncProperty(tables, async (table) => {
      // What is twice in a table the kernel would not take either, nor every server.
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
      if (matters(table)) told++;
      else assert.ok(await isKept({ ...table, daemons: [] }));
    }),
    { numRuns: 500 },
  );
  assert.ok(told > 50, `${told} tables`);
});
