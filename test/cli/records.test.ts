import assert from "node:assert/strict";
import { test } from "node:test";
import {
  RecordWriter,
  type Field,
  type RecordFormat,
} from "../../src/cli/records.js";
import { ByteBuilder } from "../../src/text/text-builder.js";

interface Item {
  readonly id: string;
  readonly size: number;
  readonly remark?: string;
}

const FIELDS: readonly Field<Item>[] = [
  {
    key: "id",
    plain: (out, { id }) => {
      out.text(id);
    },
  },
  { key: "size", number: ({ size }) => size },
  { key: "large", number: ({ size }) => size > 9 },
  { key: "remark", text: ({ remark }) => remark },
];

const ITEMS: readonly Item[] = [
  { id: "a", size: 10 },
  { id: "b", size: 0.5, remark: 'say "ü", \x1b[31m\x9b\n' },
];

function written(format: RecordFormat, items: readonly Item[]): string {
  const out = new ByteBuilder();
  const writer = new RecordWriter(format, out, FIELDS);
  writer.begin({ schema: "test/1", total: 2n }, "items");
  for (const item of items) writer.add(item);
  writer.end();
  return Buffer.from(out.take(), "latin1").toString("utf8");
}

const OBJECTS = [
  { id: "a", size: 10, large: true },
  { id: "b", size: 0.5, large: false, remark: 'say "ü", \x1b[31m\x9b\n' },
];

test("json is a document", () => {
  const expected = { schema: "test/1", total: 2, items: OBJECTS };
  assert.deepEqual(JSON.parse(written("json", ITEMS)), expected);
  assert.deepEqual(JSON.parse(written("json", [])), { ...expected, items: [] });
});

test("ndjson is an object a line, and of nothing it is nothing", () => {
  const lines = written("ndjson", ITEMS).split("\n");
  assert.equal(lines.pop(), "");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as unknown),
    OBJECTS,
  );
  assert.equal(written("ndjson", []), "");
});

test("csv has titles, and quotes what needs them; control characters are none of it", () => {
  assert.equal(
    written("csv", ITEMS),
    'id,size,large,remark\na,10,true,\nb,0.5,false,"say ""ü"", ?[31m??"\n',
  );
  assert.equal(written("csv", []), "id,size,large,remark\n");
});

test("yaml has the texts in the quotes of JSON", () => {
  assert.equal(
    written("yaml", ITEMS),
    `schema: "test/1"
total: 2
items:
  - id: "a"
    size: 10
    large: true
  - id: "b"
    size: 0.5
    large: false
    remark: "say \\"ü\\", \\u001b[31m\\u009b\\n"
`,
  );
  assert.equal(written("yaml", []), 'schema: "test/1"\ntotal: 2\nitems: []\n');
});

test("no format has control characters but line feeds", () => {
  for (const format of ["json", "ndjson", "csv", "yaml"] as const)
    assert.doesNotMatch(written(format, ITEMS), /[^\P{Cc}\n]/u);
});
