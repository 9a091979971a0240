import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parse as parseWithPackage } from "yaml";
import { jsonText } from "../../src/document/json-text.js";
import { parseJson } from "../../src/document/parse-json.js";
import { parseYaml } from "../../src/document/parse-yaml.js";
import { readTable } from "../../src/document/read-table.js";
import { tableMembers } from "../../src/document/write-table.js";
import { yamlText } from "../../src/document/yaml-text.js";
import { invalidities } from "./schema.js";
import { tables } from "./tables.js";

const RUNS = { numRuns: 1000 };

test("readTable() reads back any table from JSON", () => {
  fc.assert(
    fc.property(tables, (table) => {
      const text = jsonText(tableMembers(table));
      assert.deepEqual(readTable(parseJson(text)).table, table);
    }),
    RUNS,
  );
});

test("readTable() reads back any table from YAML", () => {
  fc.assert(
    fc.property(tables, (table) => {
      const text = yamlText(tableMembers(table));
      assert.deepEqual(readTable(parseYaml(text)).table, table);
    }),
    RUNS,
  );
});

test("parseYaml() reads JSON, too", () => {
  fc.assert(
    fc.property(tables, (table) => {
      const text = jsonText(tableMembers(table));
      assert.deepEqual(readTable(parseYaml(text)).table, table);
    }),
  );
});

test("tableMembers() follows the published schema for any table", () => {
  fc.assert(
    fc.property(tables, (table) => {
      const document: unknown = JSON.parse(jsonText(tableMembers(table)));
      assert.deepEqual(invalidities(document), []);
    }),
    RUNS,
  );
});

test("yamlText() reads the same as JSON in YAML 1.1 and 1.2", () => {
  fc.assert(
    fc.property(tables, (table) => {
      const members = tableMembers(table);
      const document: unknown = JSON.parse(jsonText(members));
      for (const version of ["1.1", "1.2"] as const)
        assert.deepEqual(
          parseWithPackage(yamlText(members), { version }),
          document,
        );
    }),
    RUNS,
  );
});
