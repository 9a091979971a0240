import assert from "node:assert/strict";
import { test } from "node:test";
import {
  csvText,
  recordChunks,
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
    name: "id",
    write: (out, { id }) => {
      out.text(id);
    },
  },
  { name: "size", value: ({ size }) => size },
  { name: "large", value: ({ size }) => size > 9 },
  { name: "remark", value: ({ remark }) => remark },
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

test("RecordWriter writes json as one document", () => {
  const expected = { schema: "test/1", total: 2, items: OBJECTS };
  assert.deepEqual(JSON.parse(written("json", ITEMS)), expected);
  assert.deepEqual(JSON.parse(written("json", [])), { ...expected, items: [] });
});

test("RecordWriter writes ndjson as one object per line, and nothing for no records", () => {
  const lines = written("ndjson", ITEMS).split("\n");
  assert.equal(lines.pop(), "");
  assert.deepEqual(
    lines.map((line) => JSON.parse(line) as unknown),
    OBJECTS,
  );
  assert.equal(written("ndjson", []), "");
});

test("RecordWriter writes csv with a title line, quotes and no control characters", () => {
  assert.equal(
    written("csv", ITEMS),
    'id,size,large,remark\na,10,true,\nb,0.5,false,"say ""ü"", ?[31m??"\n',
  );
  assert.equal(written("csv", []), "id,size,large,remark\n");
});

test("RecordWriter writes yaml with quoted strings", () => {
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

test("RecordWriter writes no control characters except line feeds", () => {
  for (const format of ["json", "ndjson", "csv", "yaml"] as const)
    assert.doesNotMatch(written(format, ITEMS), /[^\P{Cc}\n]/u);
});

test("RecordWriter writes bigints and negative numbers with all digits", () => {
  const fields = [
    { name: "value", value: (value: number | bigint) => value },
  ] as const;
  const chunks = recordChunks("csv", fields, {}, "", [2n ** 64n, -1, 0.5]);
  assert.equal([...chunks].join(""), "value\n18446744073709551616\n-1\n0.5\n");
});

test("recordChunks() keeps the order over many chunks", () => {
  const fields = [{ name: "n", value: (n: number) => n }] as const;
  const numbers = Array.from({ length: 50_000 }, (_, i) => i);
  const chunks = [...recordChunks("csv", fields, {}, "", numbers)];
  assert.ok(chunks.length > 2);
  assert.equal(chunks.join(""), `n\n${numbers.join("\n")}\n`);
});

test("csvText() marks what a spreadsheet would run as a formula", () => {
  assert.equal(csvText('=1+"1"'), `"'=1+""1"""`);
  assert.equal(csvText("10.0.0.1"), "10.0.0.1");
});
