import type { Size } from "../../system/terminal.js";
import type { Paint } from "../../cli/color.js";
import { escapeControls } from "../../cli/escape.js";
import { NARROWEST } from "./columns.js";
import {
  fitted,
  headLines,
  nothingText,
  tableLines,
  type Frame,
  type Looks,
} from "./frame.js";
import { HELP } from "./key-help.js";
import { topOf, type Extent, type ScreenState } from "./screen-state.js";

/** Lines of the screen that are not rows of the table: three above it, its titles, the keys below. */
const OTHER_LINES = 5;
/** Fewer rows of the table are of no use. */
const FEWEST_ROWS = 3;

export const SMALLEST: Size = {
  columns: NARROWEST,
  rows: OTHER_LINES + FEWEST_ROWS,
};

/** How much there is to scroll, on a screen of some size. */
export function extentOf(rows: number, size: Size): Extent {
  return { rows, room: Math.max(size.rows - OTHER_LINES, 1) };
}

/**
 * The lines of the screen, none wider than it, and not more than it has. Of the table only the rows
 * that are in sight are drawn.
 */
export function screenLines(
  frame: Frame,
  state: ScreenState,
  size: Size,
  paint: Paint,
): string[] {
  const looks: Looks = { paint, width: size.columns };
  if (size.columns < SMALLEST.columns || size.rows < SMALLEST.rows)
    return folded(
      `This terminal has ${size.columns} columns and ${size.rows} lines; watching takes ${SMALLEST.columns} and ${SMALLEST.rows}. Make it larger, or press q to quit.`,
      size,
    );
  if (state.help)
    return HELP.slice(0, size.rows).map((part) => fitted([part], looks));
  const extent = extentOf(frame.rows.length, size);
  const top = topOf(state, extent);
  const shown = frame.rows.slice(top, top + extent.room);
  const nothing = nothingText(frame);
  const table =
    nothing === undefined
      ? tableLines(frame, shown, looks)
      : ["", fitted([{ text: nothing }], looks)];
  const lines = [...headLines(frame, looks), ...table];
  while (lines.length < size.rows - 1) lines.push("");
  return [...lines, footLine(state, top, shown.length, extent, looks)];
}

/** The keys, or the filter that is being typed. */
function footLine(
  { prompt, filter, paused }: ScreenState,
  top: number,
  shown: number,
  { rows, room }: Extent,
  looks: Looks,
): string {
  if (prompt !== undefined) {
    // Of a long one, the end is where the typing goes on.
    const most = Math.max((looks.width ?? Infinity) - 12, 1);
    const end = Array.from(escapeControls(prompt)).slice(-most).join("");
    return fitted(
      [
        { text: `Filter: ${end}_`, style: "strong" },
        { text: "Enter keeps it, Escape does not", style: "dim", drop: 1 },
      ],
      looks,
      "   ",
    );
  }
  const keys = [
    { text: "q quit" },
    { text: "? help" },
    { text: "s sort", drop: 1 },
    { text: "r reverse", drop: 2 },
    { text: "/ filter", drop: 3 },
    { text: paused ? "p go on" : "p pause", drop: 4 },
    { text: "v servers", drop: 5 },
    ...(filter === "" ? [] : [{ text: "Esc no filter", drop: 6 }]),
    ...(rows > room
      ? [{ text: `↑↓ ${top + 1}-${top + shown} of ${rows}`, drop: 0 }]
      : []),
  ];
  return fitted(keys, looks, "  ");
}

/** A sentence on a screen of any size. */
function folded(sentence: string, { columns, rows }: Size): string[] {
  const lines = [""];
  for (const word of sentence.split(" ")) {
    const line = lines.at(-1) ?? "";
    if (line === "") lines[lines.length - 1] = word.slice(0, columns);
    else if (line.length + 1 + word.length <= columns)
      lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word.slice(0, columns));
  }
  return lines.slice(0, rows);
}
