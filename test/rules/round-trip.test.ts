import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { jsonText } from "../../src/document/json-text.js";
import { tableMembers } from "../../src/document/write-table.js";
import { yamlText } from "../../src/document/yaml-text.js";
import { ruleLines } from "../../src/grammar/format-rule.js";
import { formatSelector } from "../../src/grammar/selector.js";
import { formatEndpoint } from "../../src/ipvs/model.js";
import type { ServiceRule, Table } from "../../src/ipvs/table.js";
import { readRules } from "../../src/rules/read-rules.js";
import { tables } from "../document/tables.js";
import { serviceEntry, stats } from "../fixtures/entries.js";
import { settableServices } from "../grammar/services.js";
import { fakeLookups } from "./name-lookups.js";

const RUNS = { numRuns: 500 };
const bytes = (text: string) => Buffer.from(text).toString("latin1");

/** Removes duplicate services and servers. */
function withoutDuplicates(table: Table): Table {
  const once = <T>(items: readonly T[], name: (item: T) => string) => [
    ...new Map(items.map((item) => [name(item), item])).values(),
  ];
  return {
    ...table,
    services: once(table.services, ({ key }) => formatSelector(key)).map(
      (service) => ({
        ...service,
        servers: once(service.servers, ({ key }) =>
          formatEndpoint(key.address, key.port),
        ),
      }),
    ),
  };
}

for (const [format, written] of [
  ["json", (table: Table) => jsonText(tableMembers(table))],
  ["yaml", (table: Table) => yamlText(tableMembers(table))],
] as const)
  test(`readRules() reads back any table that was written as ${format}`, async () => {
    await fc.assert(
      fc.asyncProperty(tables, async (table) => {
        const file = await readRules("-", bytes(written(table)), fakeLookups());
        assert.equal(file.format, format);
        assert.deepEqual(file.table, table);
        assert.ok(file.errors.every(({ id }) => id !== "form"));
        for (const service of file.table.services)
          for (const rule of [service, ...service.servers])
            assert.ok(file.positionOf(rule));
      }),
      RUNS,
    );
  });

test("readRules() reads back any table that was written as command lines", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(settableServices, { maxLength: 4 }),
      async (services) => {
        const { services: wanted } = withoutDuplicates({ services });
        const text = wanted.flatMap(linesOf).join("");
        const file = await readRules("-", bytes(text), fakeLookups());
        assert.equal(file.format, "rules");
        // Rules that the kernel refuses are reported, but read.
        for (const { id } of file.errors)
          assert.ok(["thresholds", "not-unicast"].includes(id), id);
        assert.deepEqual(file.table, { services: wanted });
      },
    ),
    RUNS,
  );
});

function linesOf({ key, settings, servers }: ServiceRule): string[] {
  const counts = {
    activeConnections: 0,
    inactiveConnections: 0,
    persistentConnections: 0,
    stats: stats(),
  };
  const entry = serviceEntry(
    key,
    settings,
    servers.map((server) => ({ ...server, ...counts })),
  );
  return [...ruleLines(entry, formatEndpoint)];
}
