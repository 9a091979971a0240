import assert from "node:assert/strict";
import { test } from "node:test";
import { formatOf } from "../../src/rules/detect-format.js";

test("the first line that is no comment tells how a file is written, whatever its name", () => {
  for (const name of ["-", "rules", "a.json", "a.yaml", "a.yml", "a.rules"]) {
    for (const text of [
      "-A -t 192.0.2.1:80\n",
      "# by hand\n\n  -C\n",
      "ipvsadm -A -f 1\n",
      "\r\n--set 1 2 3",
    ])
      assert.equal(formatOf(name, text), "rules", `${name}: ${text}`);
  }
  for (const text of ["schema: x\n", "# x\n---\n", "%YAML 1.2\n", "services:"])
    for (const name of ["-", "rules", "a.yaml", "a.yml"])
      assert.equal(formatOf(name, text), "yaml", `${name}: ${text}`);
  for (const text of ['{"schema"', "\ufeff  {", "\n["])
    for (const name of ["-", "rules", "a.json"])
      assert.equal(formatOf(name, text), "json", `${name}: ${text}`);
});

test("where the text leaves it open, the name tells", () => {
  for (const text of ["", "\n\n", "# nothing\n", "what is this?\n"]) {
    assert.equal(formatOf("-", text), "rules");
    assert.equal(formatOf("a.rules", text), "rules");
    assert.equal(formatOf("a.JSON", text), "json");
    assert.equal(formatOf("a.yml", text), "yaml");
  }
  assert.equal(formatOf("a.yaml", "{schema: x}"), "yaml");
  assert.equal(formatOf("a.json", "schema: x"), "json");
});
