import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, suite, test } from "node:test";
import { ours } from "../lab/program.js";
import { TABLES, tableNames } from "./tables.js";

suite("the tables among the examples, on a kernel", () => {
  before(() => ours(["-C"])); // loads the module
  after(() => ours(["-C"]));

  for (const name of tableNames())
    test(`${name} is the same table as rules, YAML and JSON`, async () => {
      const rules = readFileSync(join(TABLES, `${name}.rules`), "utf8");
      const restored = await ours(["-R"], rules);
      assert.equal(restored.stderr, "");
      for (const format of ["rules", "yaml", "json"]) {
        const file = join(TABLES, `${name}.${format}`);
        const { stdout, stderr, status } = await ours(["diff", file]);
        assert.equal(stderr, "");
        assert.equal(status, 0, `${file}: ${stdout}`);
      }
      await ours(["-C"]);
      const applied = await ours(["apply", join(TABLES, `${name}.yaml`)]);
      assert.equal(applied.status, 0, applied.stderr);
      const { stdout } = await ours(["-Sn"]);
      const lines = (text: string) =>
        text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
      assert.deepEqual(lines(stdout).sort(), lines(rules).sort());
      await ours(["-C"]);
    });
});
