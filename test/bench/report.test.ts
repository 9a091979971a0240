import assert from "node:assert/strict";
import { test } from "node:test";
import { report, table } from "./report.js";
import { NOTHING_MEASURED, withCases } from "./sample-results.js";

test("a table's columns are aligned", () => {
  assert.equal(
    table(
      ["case", "ms"],
      [
        ["short", "1"],
        ["a longer one", "12345"],
      ],
    ),
    [
      "| case         |    ms |",
      "| ------------ | ----: |",
      "| short        |     1 |",
      "| a longer one | 12345 |",
    ].join("\n"),
  );
});

const RESULTS = withCases(
  {
    empty: { "empty-node": [60] },
    "restore-1000": {
      original: [900, 1000, 1100],
      node: [300, 310, 320],
      "floor-node": [250, 250, 250],
    },
  },
  { "restore-1000": { node: 70_000_000 } },
);

/** The one line that begins with this text, with trimmed cells. */
function cells(text: string, begin: string): string[] {
  const found = text.split("\n").filter((line) => line.startsWith(begin));
  assert.equal(found.length, 1, `lines that begin with '${begin}'`);
  return (found[0] ?? "")
    .split("|")
    .slice(1, -1)
    .map((cell) => cell.trim());
}

test("the report compares with the original, with and without the start of the runtime", () => {
  const [part = ""] =
    /## Against the original[^#]*/.exec(report(RESULTS)) ?? [];
  assert.deepEqual(cells(part, "| the case restore-1000"), [
    "the case restore-1000",
    "1000 (900–1100)",
    "3.23× (4.00×)", // 1000 / 310, and 1000 / (310 - 60)
    "–",
    "–",
  ]);
});

test("the report compares with the floor and shows our own cost", () => {
  const [part = ""] = /## Against the floor[^#]*/.exec(report(RESULTS)) ?? [];
  assert.deepEqual(cells(part, "| the case restore-1000"), [
    "the case restore-1000",
    "1.24×",
    "–",
    "20.0", // 60 ms, 3,000 rules
    "–",
  ]);
});

test("the report shows memory peaks, missing programs and bars", () => {
  const text = report(RESULTS);
  const [peaks = ""] = /## Peak memory[^#]*/.exec(text) ?? [];
  assert.deepEqual(cells(peaks, "| restore-1000"), ["restore-1000", "70.0"]);
  assert.match(text, /^- full: not built$/m);
  assert.deepEqual(
    cells(text, "| restore of 3,000 rules, Node: times as fast").slice(1),
    ["at least 3×", "3.23×", "met"],
  );
  assert.deepEqual(
    cells(text, "| restore of 3,000 rules, full: times as fast").slice(1),
    ["at least 5×", "–", "not measured"],
  );
});

test("a time below that of an empty program gives no ratio", () => {
  const text = report(
    withCases({
      empty: { "empty-node": [500] },
      "list-1000": { original: [1000], node: [400] },
    }),
  );
  assert.match(text, /2\.50× \(–\)/);
});

test("a report without results is valid", () => {
  assert.match(report(NOTHING_MEASURED), /not measured/);
});
