import assert from "node:assert/strict";
import { test } from "node:test";
import { PLAIN, paintFor } from "../../src/cli/color.js";
import { drawTable, type Cell, type Column } from "../../src/cli/table.js";
import { terminal } from "../commands/run-subcommand.js";
import { golden, goldenName, WIDTHS } from "../commands/golden.js";

const COLUMNS: readonly Column[] = [
  { title: "Server", shortest: 12 },
  { title: "Forwarding", drop: 3 },
  { title: "Weight", align: "right" },
  { title: "Active", align: "right" },
  { title: "Inactive", align: "right", drop: 1 },
  { title: "Bytes in", align: "right", drop: 2 },
  { title: "A long and unimportant column", drop: 4 },
];

const ROWS: readonly (readonly Cell[])[] = [
  ["192.0.2.10:8080", "masquerading", "100", "12.3k", "7", "1.5GB", "none"],
  [
    "[2001:db8:1234:5678:9abc:def0:1234:5678]:8080",
    "tunneling",
    { text: "0", style: "bad" },
    "3",
    "12345",
    "0B",
    "draining",
  ],
  ["web.example:http", "direct routing", "1", "0", "0"],
];

for (const width of WIDTHS)
  test(`drawTable() at width ${width ?? "unlimited"}`, () => {
    const lines = drawTable(COLUMNS, ROWS, { width, paint: PLAIN });
    assert.equal(lines.length, ROWS.length + 1);
    for (const line of lines)
      assert.ok(line.length <= (width ?? Infinity), line);
    golden(
      goldenName("table", width),
      lines.map((line) => `${line}\n`).join(""),
    );
  });

test("drawTable() places colored text like plain text", () => {
  const paint = paintFor("always", "stdout", terminal(80));
  const drawn = (with_: typeof paint) =>
    drawTable(COLUMNS, ROWS, { width: 60, paint: with_, indent: 2 });
  const colored = drawn(paint);
  assert.match(colored.join("\n"), /\x1b\[31m\x1b\[1m0\x1b/); // eslint-disable-line no-control-regex
  assert.deepEqual(
    colored.map((line) => line.replace(/\x1b\[[0-9;]*m/g, "").trimEnd()), // eslint-disable-line no-control-regex
    drawn(PLAIN),
  );
});

test("drawTable() exceeds the width rather than cut a column without shortest", () => {
  const columns: Column[] = [
    { title: "Name" },
    { title: "Weight", align: "right" },
  ];
  const lines = drawTable(columns, [["192.0.2.10:8080", "1"]], {
    width: 10,
    paint: PLAIN,
  });
  assert.deepEqual(lines, [
    "Name             Weight",
    "192.0.2.10:8080       1",
  ]);
});

test("drawTable() prints the titles of an empty table", () => {
  assert.deepEqual(
    drawTable([{ title: "A" }, { title: "B" }], [], {
      width: 80,
      paint: PLAIN,
    }),
    ["A  B"],
  );
});

test("drawTable() keeps the order of 100 rows", () => {
  const rows = Array.from({ length: 100 }, (_, i) => [`row ${i}`, String(i)]);
  const columns: Column[] = [{ title: "Name" }, { title: "N", align: "right" }];
  const lines = drawTable(columns, rows, { width: 80, paint: PLAIN });
  assert.equal(lines.length, 101);
  assert.deepEqual(
    [lines[1], lines[33], lines[100]],
    ["row 0    0", "row 32  32", "row 99  99"],
  );
});
