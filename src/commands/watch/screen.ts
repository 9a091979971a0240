import type { Size } from "../../system/terminal.js";
import type { Paint } from "../../cli/color.js";
import type { Display } from "../../cli/output.js";
import { wrapWords } from "../../cli/wrap.js";
import { DEFAULT_COLUMNS, WATCH_COLUMNS } from "./column-keys.js";
import { columnTitle, NARROWEST } from "./columns.js";
import {
  fitLine,
  headerLines,
  emptyText,
  tableLines,
  type Frame,
  type Part,
} from "./frame.js";
import { KEY_HELP } from "./key-help.js";
import {
  COLUMN_KEYS,
  detailsFooter,
  footerOf,
  NO_EXTRAS,
  tableFooter,
  type Extras,
} from "./screen-footer.js";
import type { Extent, ScreenState } from "./screen-state.js";
import { topOf } from "./scrolling.js";

/** Lines of the screen that are not rows: three above the table, the titles, and the keys below. */
const OTHER_LINES = 5;
/** With fewer rows, the screen is too small. */
const FEWEST_ROWS = 3;
/** The mark of the selected row is before the names. */
const MARK_COLUMNS = 1;

export const SMALLEST: Size = {
  columns: NARROWEST + MARK_COLUMNS,
  rows: OTHER_LINES + FEWEST_ROWS,
};

/** A question is shown in full. Of the log, these lines. */
const MOST_LOG_LINES = 4;

/** The lines above the keys: the question, or the log. */
function messageParts({ log, question }: Extras, size: Size): Part[] {
  if (question)
    return wrapped(
      question.map((text, i) => ({
        text,
        style: i === 0 ? ("strong" as const) : ("warning" as const),
      })),
      size,
    ).slice(0, size.rows - 1);
  const most = Math.min(MOST_LOG_LINES, size.rows - SMALLEST.rows + 1);
  return wrapped(log, size).slice(0, Math.max(most, 0));
}

function wrapped(parts: readonly Part[], { columns }: Size): Part[] {
  return parts.flatMap(({ text, style }) =>
    wrapWords(text, columns)
      .flatMap((line) => chunksOf(line, columns))
      .map((line) => ({ text: line, style })),
  );
}

/** A word that is longer than the line continues in the next one: a command must be shown in full. */
function chunksOf(line: string, columns: number): string[] {
  const letters = Array.from(line);
  return Array.from({ length: Math.ceil(letters.length / columns) }, (_, i) =>
    letters.slice(i * columns, (i + 1) * columns).join(""),
  );
}

/** The extent of scrolling in the table. @param rows how many rows the table has */
export function extentOf(rows: number, size: Size, extras = NO_EXTRAS): Extent {
  const others = OTHER_LINES + messageParts(extras, size).length;
  return { rows, room: Math.max(size.rows - others, 1) };
}

/** The extent of scrolling in the details. */
export function detailsExtent(size: Size, extras: Extras): Extent {
  const others = 1 + messageParts(extras, size).length;
  return {
    rows: extras.details.length,
    room: Math.max(size.rows - others, 1),
  };
}

/** The lines of the screen. They fit its size. Only the rows in view are drawn. */
export function screenLines(
  frame: Frame,
  state: ScreenState,
  size: Size,
  paint: Paint,
  extras = NO_EXTRAS,
): string[] {
  const display: Display = { paint, width: size.columns };
  if (size.columns < SMALLEST.columns || size.rows < SMALLEST.rows)
    return wrapWords(
      `This terminal has ${size.columns} columns and ${size.rows} lines; watch needs ${SMALLEST.columns} and ${SMALLEST.rows}. Make it larger, or press q to quit.`,
      size.columns,
    )
      .map((line) => line.slice(0, size.columns))
      .slice(0, size.rows);
  if (state.help)
    return KEY_HELP.slice(0, size.rows).map((part) => fitLine([part], display));
  const messages = messageParts(extras, size).map((part) =>
    fitLine([part], display),
  );
  const [lines, footer] = bodyOf(frame, state, size, display, extras);
  const body = lines.slice(0, size.rows - messages.length - 1);
  while (body.length < size.rows - messages.length - 1) body.push("");
  return [...body, ...messages, footer];
}

/** The lines above the messages, and the line of the keys. */
function bodyOf(
  frame: Frame,
  state: ScreenState,
  size: Size,
  display: Display,
  extras: Extras,
): readonly [lines: string[], footer: string] {
  if (state.view === "columns")
    return [
      columnLines(state, display, size.rows - 1),
      footerOf(COLUMN_KEYS, display),
    ];
  if (state.view === "details") {
    const extent = detailsExtent(size, extras);
    const top = topOf({ top: state.detailsTop }, extent);
    return [
      extras.details.slice(top, top + extent.room),
      detailsFooter(state, top, extent, display, extras),
    ];
  }
  const extent = extentOf(frame.rows.length, size, extras);
  const top = topOf(state, extent);
  const visible = frame.rows.slice(top, top + extent.room);
  const empty = emptyText(frame);
  const table =
    empty === undefined
      ? markedLines(frame, state, top, visible, display)
      : ["", fitLine([{ text: empty }], display)];
  return [
    [...headerLines(frame, display), ...table],
    tableFooter(state, top, visible.length, extent, display, extras),
  ];
}

/** The table, with a mark before the selected row. */
function markedLines(
  frame: Frame,
  { cursor }: ScreenState,
  top: number,
  visible: Frame["rows"],
  { paint, width }: Display,
): string[] {
  const [titles = "", ...lines] = tableLines(frame, visible, {
    paint,
    width: width === undefined ? undefined : width - MARK_COLUMNS,
  });
  return [
    ` ${titles}`,
    ...lines.map((line, i) =>
      top + i === cursor ? paint.selected(`>${line}`) : ` ${line}`,
    ),
  ];
}

/** The list of columns. A mark shows which are on. */
function columnLines(
  { columns, columnCursor }: ScreenState,
  display: Display,
  room: number,
): string[] {
  const shown = columns.length > 0 ? columns : DEFAULT_COLUMNS;
  const lines = WATCH_COLUMNS.map((key, i) => {
    const place = shown.indexOf(key) + 1;
    const line = fitLine(
      [
        {
          text: `${i === columnCursor ? ">" : " "} [${place > 0 ? "x" : " "}] ${columnTitle(key).padEnd(12)} ${key}`,
        },
      ],
      display,
    );
    return i === columnCursor ? display.paint.selected(line) : line;
  });
  const top = Math.max(0, Math.min(columnCursor - room + 3, lines.length));
  return [
    fitLine([{ text: "Columns of ipvsadm watch", style: "title" }], display),
    ...lines.slice(top),
  ];
}
