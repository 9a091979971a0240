import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { assertFollowsSchema, invalidities, SCHEMAS } from "./schema.js";

test("each schema is a file of its own with the name that documents write", () => {
  for (const { file, $id } of SCHEMAS) {
    const [, name, version] = /^ipvsadm\/([a-z-]+)\/([0-9]+)$/.exec($id) ?? [];
    assert.equal(file, `schema/${name ?? ""}-${version ?? ""}.json`);
    // It can be compiled, and it wants the name.
    assert.notDeepEqual(invalidities({}, "", $id), []);
    assert.notDeepEqual(invalidities({ schema: "other/1" }, "", $id), []);
  }
});

test("a definition is the same in each schema that contains it", () => {
  const known = new Map<string, object>();
  for (const { $defs = {}, file } of SCHEMAS)
    for (const [name, definition] of Object.entries($defs))
      if (known.has(name))
        assert.deepEqual(definition, known.get(name), `${name} in ${file}`);
      else known.set(name, definition);
});

test("the page of the output formats names each schema", () => {
  const page = readFileSync("docs/reference/output-formats.md", "utf8");
  for (const { file, $id } of SCHEMAS)
    assert.ok(page.includes(`[\`${$id}\`](../../${file})`), $id);
});

test("assertFollowsSchema() finds a wrong document in JSON, YAML and among lines", () => {
  const right =
    '{"schema":"ipvsadm/connections-count/1","connections":1,"templates":0}';
  const wrong = right.replace("0", "-1");
  const yaml = (text: string) =>
    text
      .slice(1, -1)
      .replaceAll(",", "\n")
      .replaceAll('":', '": ')
      .replaceAll('"', "");
  for (const text of [right, `${right}\n${right}\n`, yaml(right), "", "{no"])
    assertFollowsSchema(text, "right");
  for (const text of [wrong, `${right}\n${wrong}\n`, yaml(wrong)])
    assert.throws(() => {
      assertFollowsSchema(text, "wrong");
    }, /wrong/);
});
