import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { suite, test } from "node:test";
import { ours } from "../lab/program.js";
import { TABLES, tableNames } from "./tables.js";

suite("the tables among the examples", () => {
  test("each is there as rules, YAML and JSON", () => {
    const files = readdirSync(TABLES).filter((file) => !file.endsWith(".md"));
    const expected = tableNames().flatMap((name) =>
      ["json", "rules", "yaml"].map((format) => `${name}.${format}`),
    );
    assert.deepEqual(files.sort(), expected.sort());
    assert.ok(expected.length >= 12);
  });

  for (const file of readdirSync(TABLES).filter(
    (name) => !name.endsWith(".md"),
  ))
    test(`check has nothing to say about ${file}`, async () => {
      const path = join(TABLES, file);
      const { stdout, stderr, status } = await ours([
        "check",
        "--strict",
        "--no-resolve",
        path,
      ]);
      assert.equal(stderr, "");
      assert.equal(status, 0, stdout);
      assert.ok(readFileSync(path, "utf8").length > 0);
    });
});
