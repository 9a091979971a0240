import type { Size } from "../../system/terminal.js";
import type { Paint } from "../../cli/color.js";
import { escapeControls } from "../../cli/escape.js";
import type { Display } from "../../cli/output.js";
import { wrapWords } from "../../cli/wrap.js";
import { NARROWEST } from "./columns.js";
import {
  fitLine,
  headerLines,
  emptyText,
  tableLines,
  type Frame,
} from "./frame.js";
import { KEY_HELP } from "./key-help.js";
import { topOf, type Extent, type ScreenState } from "./screen-state.js";

/** Lines of the screen that are not rows: three above the table, the titles, and the keys below. */
const OTHER_LINES = 5;
/** With fewer rows, the screen is too small. */
const FEWEST_ROWS = 3;

export const SMALLEST: Size = {
  columns: NARROWEST,
  rows: OTHER_LINES + FEWEST_ROWS,
};

/** The extent of scrolling on a screen. */
export function extentOf(rows: number, size: Size): Extent {
  return { rows, room: Math.max(size.rows - OTHER_LINES, 1) };
}

/** The lines of the screen. They fit its size. Only the rows in view are drawn. */
export function screenLines(
  frame: Frame,
  state: ScreenState,
  size: Size,
  paint: Paint,
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
  const extent = extentOf(frame.rows.length, size);
  const top = topOf(state, extent);
  const visible = frame.rows.slice(top, top + extent.room);
  const empty = emptyText(frame);
  const table =
    empty === undefined
      ? tableLines(frame, visible, display)
      : ["", fitLine([{ text: empty }], display)];
  const lines = [...headerLines(frame, display), ...table];
  while (lines.length < size.rows - 1) lines.push("");
  return [...lines, footerLine(state, top, visible.length, extent, display)];
}

/** The keys, or the prompt of the filter. */
function footerLine(
  { prompt, filter, paused }: ScreenState,
  top: number,
  visible: number,
  { rows, room }: Extent,
  display: Display,
): string {
  if (prompt !== undefined) {
    // Show the end of a long filter, because the user types there.
    const room = Math.max((display.width ?? Infinity) - 12, 1);
    const end = Array.from(escapeControls(prompt)).slice(-room).join("");
    return fitLine(
      [
        { text: `Filter: ${end}_`, style: "strong" },
        { text: "Enter: apply, Escape: cancel", style: "dim", drop: 1 },
      ],
      display,
      "   ",
    );
  }
  const keys = [
    { text: "q quit" },
    { text: "? help" },
    { text: "s sort", drop: 1 },
    { text: "r reverse", drop: 2 },
    { text: "/ filter", drop: 3 },
    { text: paused ? "p resume" : "p pause", drop: 4 },
    { text: "v servers", drop: 5 },
    ...(filter === "" ? [] : [{ text: "Esc clear", drop: 6 }]),
    ...(rows > room
      ? [{ text: `↑↓ ${top + 1}-${top + visible} of ${rows}`, drop: 0 }]
      : []),
  ];
  return fitLine(keys, display, "  ");
}
