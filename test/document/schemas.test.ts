import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { invalidities, SCHEMAS } from "./schema.js";

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
