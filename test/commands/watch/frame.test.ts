import assert from "node:assert/strict";
import { test } from "node:test";
import { PLAIN, paintFor } from "../../../src/cli/color.js";
import { WATCH_COLUMNS } from "../../../src/commands/watch/column-keys.js";
import { NARROWEST, rateText } from "../../../src/commands/watch/columns.js";
import {
  fitLine,
  plainLines,
  shortenMiddle,
  type Frame,
} from "../../../src/commands/watch/frame.js";
import { KEY_HELP } from "../../../src/commands/watch/key-help.js";
import { arrange } from "../../../src/commands/watch/rows.js";
import { Sampler } from "../../../src/commands/watch/sampler.js";
import { screenLines, SMALLEST } from "../../../src/commands/watch/screen.js";
import { NO_EXTRAS } from "../../../src/commands/watch/screen-footer.js";
import {
  startState,
  type ScreenState,
} from "../../../src/commands/watch/screen-state.js";
import { terminal } from "../run-subcommand.js";
import { golden, goldenName, WIDTHS } from "../golden.js";
import {
  LONG,
  MARK,
  NAMES,
  reading,
  server,
  service,
  WEB,
} from "./sample-table.js";

const STATE: ScreenState = startState(
  { sort: "connections", reversed: false, filter: "", servers: true },
  [],
);

/** A minute in which a service was added, one was removed, and a server was edited. */
function minute() {
  const sampler = new Sampler();
  for (let i = 0; i < 20; i++)
    sampler.take(
      reading(i * 2, [
        service(WEB, [
          server("192.0.2.10", 2400 * i + (i % 5) * 400, { weight: 100 }, 1234),
          server("192.0.2.11", 1200 * i, { weight: 50 }),
        ]),
        service(NAMES, [server("192.0.2.20", i)], { scheduler: "sh" }),
        service(LONG, [server("2001:db8:ffff:ffff:ffff:ffff:ffff:1", 90 * i)]),
      ]),
    );
  return sampler.take(
    reading(40, [
      service(WEB, [
        server("192.0.2.10", 2400 * 20 + 700, { weight: 0 }, 1200),
        server("192.0.2.11", 1200 * 20 + 600, { weight: 50 }, 17),
      ]),
      service(LONG, [server("2001:db8:ffff:ffff:ffff:ffff:ffff:1", 90 * 20)]),
      service(MARK, [server("192.0.2.30", 0), server("192.0.2.31", 0)], {
        scheduler: "wrr",
      }),
    ]),
  );
}

const SAMPLE = minute();

function frameOf(state: ScreenState, change: Partial<Frame> = {}): Frame {
  return {
    sample: SAMPLE,
    arrangement: state,
    rows: arrange(SAMPLE, state),
    columns: state.columns,
    intervalSeconds: 2,
    paused: state.paused,
    ...change,
  };
}

/** Draws a screen without colors, and checks that it fits. */
function screen(
  columns: number,
  rows: number,
  change: Partial<ScreenState> = {},
): string {
  const state = { ...STATE, ...change };
  const size = { columns, rows };
  const lines = screenLines(frameOf(state), state, size, PLAIN);
  assert.ok(lines.length <= rows, `${lines.length} lines`);
  for (const line of lines) assert.ok(Array.from(line).length <= columns, line);
  return lines.map((line) => `${line}\n`).join("");
}

for (const width of WIDTHS)
  test(`plainLines() at width ${width ?? "unlimited"}`, () => {
    const lines = plainLines(frameOf(STATE), { paint: PLAIN, width });
    for (const line of lines)
      assert.ok(Array.from(line).length <= (width ?? Infinity), line);
    golden(
      goldenName("watch/frame", width),
      lines.map((line) => `${line}\n`).join(""),
    );
  });

test("screenLines() fills the terminal, with the keys below", () => {
  const text = screen(80, 24);
  golden("watch/screen-80x24.txt", text);
  assert.equal(text.split("\n").length - 1, 24);
});

test("screenLines() shows the rows in view of a long table, and their position", () => {
  golden("watch/screen-80x10.txt", screen(80, 10, { top: 4 }));
});

test("screenLines() fits every size and state", () => {
  for (let columns = 1; columns <= 130; columns += 3)
    for (const rows of [1, 2, 5, 8, 11, 30])
      for (const change of [
        {},
        { help: true },
        { prompt: { kind: "filter", text: "x".repeat(200) } as const },
        { view: "columns", columnCursor: 13 } as const,
        { cursor: 3 },
        { columns: WATCH_COLUMNS },
        { filter: "nothing has this", paused: true, reversed: true },
        { top: 1000, sort: "changed" as const },
      ])
        screen(columns, rows, change);
});

test("screenLines() explains that the terminal is too small", () => {
  assert.match(
    screen(NARROWEST, 24),
    /^This terminal has 41 columns and 24\nlines; watch needs 42 and 8\. Make it\nlarger, or press q to quit\.\n$/,
  );
  assert.match(screen(80, SMALLEST.rows - 1), /^This terminal has 80 columns/);
  assert.match(screen(SMALLEST.columns, SMALLEST.rows), /Conn\/s/);
});

test("the key help fits 80 columns and 24 lines", () => {
  golden("watch/help.txt", screen(80, 24, { help: true }));
  assert.ok(KEY_HELP.length <= 24);
  for (const { text } of KEY_HELP) assert.ok(text.length <= 80, text);
});

test("screenLines() shows pause, sort key, order and filter", () => {
  const text = screen(120, 24, {
    paused: true,
    reversed: true,
    sort: "bytes",
    filter: "tcp",
  });
  assert.match(
    text,
    /^ipvsadm watch · PAUSED · .* · by bytes\/s, least busy first/,
  );
  assert.match(text, /filter: tcp/);
  assert.match(text, /p resume/);
  assert.match(text, /Esc clear/);
});

test("screenLines() shows the filter while it is typed, and the end of a long one", () => {
  assert.match(
    screen(80, 24, { prompt: { kind: "filter", text: "we" } }),
    /^Filter: we_ {3}Enter/m,
  );
  assert.match(
    screen(80, 24, {
      prompt: { kind: "filter", text: `${"x".repeat(190)}end` },
    }),
    /^Filter: x+end_$/m,
  );
});

test("screenLines() shows the whole command of a question, in as many lines as it takes", () => {
  const line = `Run 'ipvsadm -e -t [${"2001:db8:".repeat(4)}:1]:8080 -r [${"2001:db8:".repeat(4)}:2]:8080 -m -w 5'?`;
  for (let columns = SMALLEST.columns; columns < 200; columns += 7)
    for (const rows of [SMALLEST.rows, 24]) {
      const state = { ...STATE, asking: true };
      const lines = screenLines(
        frameOf(state),
        state,
        { columns, rows },
        PLAIN,
        { ...NO_EXTRAS, question: [line] },
      );
      assert.equal(lines.length, rows);
      const text = lines.join("").replaceAll(" ", "");
      assert.ok(text.includes(line.replaceAll(" ", "")), `${columns}`);
      assert.match(lines.at(-1) ?? "", /^y: run it/);
    }
});

test("screenLines() marks the selected row", () => {
  const rows = screen(80, 24, { cursor: 1 }).split("\n");
  assert.match(rows[5] ?? "", /^> {2}192\.0\.2\.11:8080/);
  assert.equal(rows.filter((row) => row.startsWith(">")).length, 1);
});

test("screenLines() lists the columns, and marks those that are shown", () => {
  golden(
    "watch/columns.txt",
    screen(80, 24, { view: "columns", columnCursor: 4 }),
  );
});

test("plainLines() prints the chosen columns in their order", () => {
  const lines = plainLines(frameOf({ ...STATE, columns: ["rate", "state"] }), {
    paint: PLAIN,
    width: undefined,
  });
  assert.match(lines[3] ?? "", /^Service, its servers +Conn\/s {2}State$/);
  assert.match(lines[5] ?? "", /^ {2}192\.0\.2\.11:8080 +900 {2}ok$/);
});

test("plainLines() leaves out the last of the chosen columns that do not fit", () => {
  const all = plainLines(frameOf({ ...STATE, columns: WATCH_COLUMNS }), {
    paint: PLAIN,
    width: 60,
  });
  assert.match(
    all[3] ?? "",
    /^Service,… {0,1}\S* Inactive Persist +Limits Conn\/s In B\/s$/,
  );
});

test("plainLines() draws only the known part of the last minute", () => {
  const sampler = new Sampler();
  const table = [service(WEB, [server("192.0.2.10", 5)])];
  const bars: number[] = [];
  for (const at of [0, 2, 4, 40, 70, 200]) {
    const sample = sampler.take(reading(at, table));
    const frame = frameOf(STATE, { sample, rows: arrange(sample, STATE) });
    const lines = plainLines(frame, { paint: PLAIN, width: undefined });
    bars.push(Array.from(lines[4] ?? "").filter((one) => one === "▁").length);
    if (at === 4)
      assert.match(lines[1] ?? "", / · conn\/s in the last minute ▁▁$/);
  }
  assert.deepEqual(bars, [0, 1, 2, 20, 30, 30]);
});

test("plainLines() dims zeros", () => {
  const paint = paintFor("always", "stdout", terminal(80));
  const sampler = new Sampler();
  const table = [service(WEB, [server("192.0.2.10", 5)])];
  sampler.take(reading(0, table));
  const sample = sampler.take(reading(10, table));
  const frame = frameOf(STATE, { sample, rows: arrange(sample, STATE) });
  const lines = plainLines(frame, { paint, width: undefined });
  assert.equal((lines[4] ?? "").split(paint.dim("0")).length - 1, 6);
});

test("an empty table and a filter without matches are explained", () => {
  assert.match(
    screen(80, 24, { filter: "nothing" }),
    /^The filter matches no service or server\.$/m,
  );
  const empty = new Sampler().take(reading(0, []));
  assert.deepEqual(
    plainLines(frameOf(STATE, { sample: empty, rows: [] }), {
      paint: PLAIN,
      width: 80,
    }).at(-1),
    "There is no virtual service. 'ipvsadm -A' adds one.",
  );
});

test("plainLines() says why numbers may be wrong", () => {
  const slow = { ...SAMPLE, readingSeconds: 3.21 };
  const first = { ...SAMPLE, elapsedSeconds: undefined };
  const line = (change: Partial<Frame>) =>
    plainLines(frameOf(STATE, change), { paint: PLAIN, width: 120 })[2] ?? "";
  assert.match(
    line({ sample: slow }),
    /reading the table takes 3\.2 s, longer than the interval/,
  );
  assert.match(line({ sample: first }), /measuring rates/);
  assert.match(line({ notice: "counters stopped" }), /counters stopped$/);
});

test("plainLines() prints the same text with colors, and colors changes", () => {
  const paint = paintFor("always", "stdout", terminal(80));
  const draw = (with_: typeof paint) =>
    plainLines(frameOf(STATE), { paint: with_, width: 100 }).join("\n");
  const colored = draw(paint);
  assert.equal(
    colored.replace(/\x1b\[[0-9;]*m/g, ""), // eslint-disable-line no-control-regex
    draw(PLAIN),
  );
  assert.ok(colored.includes(paint.good("new")));
  assert.ok(colored.includes(paint.bad("gone")));
  assert.ok(colored.includes(paint.warning("was 100")));
  assert.ok(colored.includes(paint.warning("0")), "a weight of 0");
});

test("rateText() is short, and 0 only for a rate of 0", () => {
  const rates = [undefined, 0, 0.01, 0.5, 9.94, 9.96, 999.6, 12_345, 4e9];
  assert.deepEqual(rates.map(rateText), [
    ...["-", "0", "<0.1", "0.5", "9.9", "10"],
    ...["1.0k", "12.3k", "4.0G"],
  ]);
});

test("shortenMiddle() keeps the port of a name", () => {
  const name = "tcp/[2001:db8:1234:5678:9abc:def0:1234:5678]:8443";
  assert.equal(shortenMiddle(name, 20), "tcp/[2001:d…78]:8443");
  assert.equal(shortenMiddle(name, 100), name);
  for (let width = 1; width < 30; width++)
    assert.equal(shortenMiddle(name, width).length, width);
});

test("fitLine() drops parts, then cuts the line", () => {
  const parts = [{ text: "one" }, { text: "two", drop: 1 }, { text: "three" }];
  const at = (width: number) => fitLine(parts, { paint: PLAIN, width }, " ");
  assert.equal(at(13), "one two three");
  assert.equal(at(12), "one three");
  assert.equal(at(8), "one thr…");
  assert.equal(at(2), "o…");
});
