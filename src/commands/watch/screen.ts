import type { Size } from "../../system/terminal.js";
import type { Paint } from "../../cli/color.js";
import { escapeControls } from "../../cli/escape.js";
import type { Display } from "../../cli/output.js";
import { wrapWords } from "../../cli/wrap.js";
import type { LogLine } from "./change-log.js";
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

/** What the screen shows besides the table. */
export interface Extras {
  /** The last change of the user, or a message */
  readonly log: readonly LogLine[];
  /** The command that is asked about, with what it means */
  readonly question: readonly string[] | undefined;
  /** The lines of the service or server that is open. They fit the screen */
  readonly details: readonly string[];
  /** Of which server the weight is asked */
  readonly subject: string;
}

export const NO_EXTRAS: Extras = {
  log: [],
  question: undefined,
  details: [],
  subject: "",
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

const COLUMN_KEYS: readonly Part[] = [
  { text: "space: on or off" },
  { text: "r default", drop: 1 },
  { text: "↑↓ move", drop: 2 },
  { text: "Esc back" },
];

const CONFIRM_KEYS: readonly Part[] = [
  { text: "y: run it", style: "strong" },
  { text: "any other key: cancel", style: "dim" },
];

function footerOf(parts: readonly Part[], display: Display): string {
  return fitLine(parts, display, "  ");
}

/** The prompt, if there is one: a label and what was typed. */
function promptLine(
  { prompt }: ScreenState,
  { subject }: Extras,
  display: Display,
): string | undefined {
  if (!prompt) return undefined;
  const label =
    prompt.kind === "filter" ? "Filter: " : `Weight of ${subject}: `;
  // Show the end of a long text, because the user types there.
  const room = Math.max((display.width ?? Infinity) - label.length - 4, 1);
  const end = Array.from(escapeControls(prompt.text)).slice(-room).join("");
  return fitLine(
    [
      { text: `${label}${end}_`, style: "strong" },
      {
        text: `Enter: ${prompt.kind === "filter" ? "apply" : "continue"}, Escape: cancel`,
        style: "dim",
        drop: 1,
      },
    ],
    display,
    "   ",
  );
}

function detailsFooter(
  state: ScreenState,
  top: number,
  { rows, room }: Extent,
  display: Display,
  extras: Extras,
): string {
  if (extras.question) return footerOf(CONFIRM_KEYS, display);
  return (
    promptLine(state, extras, display) ??
    footerOf(
      [
        { text: "Esc back" },
        { text: "d drain", drop: 2 },
        { text: "u undrain", drop: 3 },
        { text: "w weight", drop: 4 },
        { text: state.paused ? "p resume" : "p pause", drop: 5 },
        { text: "? help", drop: 1 },
        ...(rows > room
          ? [{ text: `↑↓ ${top + 1}-${top + room} of ${rows}`, drop: 0 }]
          : []),
      ],
      display,
    )
  );
}

/** The keys, a prompt, or how to answer. */
function tableFooter(
  state: ScreenState,
  top: number,
  visible: number,
  { rows, room }: Extent,
  display: Display,
  extras: Extras,
): string {
  if (extras.question) return footerOf(CONFIRM_KEYS, display);
  const { filter, paused, cursor } = state;
  return (
    promptLine(state, extras, display) ??
    footerOf(
      [
        { text: "q quit" },
        { text: "? help" },
        { text: "Enter open", drop: 1 },
        ...(cursor === undefined
          ? []
          : [
              { text: "d drain", drop: 1 },
              { text: "u undrain", drop: 1 },
              { text: "w weight", drop: 2 },
            ]),
        { text: "s sort", drop: 3 },
        { text: "r reverse", drop: 6 },
        { text: "/ filter", drop: 4 },
        { text: paused ? "p resume" : "p pause", drop: 5 },
        { text: "v servers", drop: 7 },
        { text: "c columns", drop: 8 },
        ...(filter === "" ? [] : [{ text: "Esc clear", drop: 2 }]),
        ...(rows > room
          ? [{ text: `↑↓ ${top + 1}-${top + visible} of ${rows}`, drop: 0 }]
          : []),
      ],
      display,
    )
  );
}
