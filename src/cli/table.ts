import Table from "cli-table3";
import type { Paint, Style } from "./color.js";

/** A column of a table. */
export interface Column {
  readonly title: string;
  /** `right` is for numbers. Default: left */
  readonly align?: "left" | "right";
  /**
   * In a narrow terminal, the column with the greatest number is dropped first, and those with hardly any content before
   * all others. Columns without a number stay
   */
  readonly drop?: number;
  /** If dropping columns is not enough, the column may be cut to this many characters. Default: it is never cut */
  readonly shortest?: number;
  /**
   * The width that the important part of a text needs. Other columns are dropped rather than cut that. Default: `shortest`
   */
  readonly preferred?: (text: string) => number;
  /** How a text is shortened. Default: its end is cut */
  readonly cut?: (text: string, width: number) => string;
}

/** The text of a cell, without control characters, and its style. */
export type Cell =
  string | { readonly text: string; readonly style: Style | undefined };

export interface Drawing {
  /** The longest line allowed. Undefined: no limit (`--wide`, or stdout is a file) */
  readonly width: number | undefined;
  readonly paint: Paint;
  /** Spaces before each line. Default: 0 */
  readonly indent?: number;
}

const GAP = "  ";

const NO_BORDERS = {
  top: "",
  "top-mid": "",
  "top-left": "",
  "top-right": "",
  bottom: "",
  "bottom-mid": "",
  "bottom-left": "",
  "bottom-right": "",
  left: "",
  "left-mid": "",
  mid: "",
  "mid-mid": "",
  right: "",
  "right-mid": "",
  middle: "",
};

const NO_STYLE = {
  "padding-left": 0,
  "padding-right": 0,
  head: [],
  border: [],
  compact: true,
};

/** cli-table3 takes a time that grows with the square of the rows. Longer tables are drawn line by line. */
const MOST_ROWS_AT_ONCE = 32;

/** Draws the same table as {@link streamTable}, for rows that fit in memory. */
export function drawTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  drawing: Drawing,
): string[] {
  if (rows.length > MOST_ROWS_AT_ONCE)
    return [...streamTable(columns, () => rows, drawing)];
  const { width, paint, indent = 0 } = drawing;
  const { kept, widths } = layOut(columns, rows, width, indent);
  const last = kept.length - 1;
  const table = new Table({
    chars: NO_BORDERS,
    style: NO_STYLE,
    colWidths: widths.map((room, i) => room + (i === last ? 0 : GAP.length)),
  });
  const titles = columns.map(({ title }) => ({
    text: title,
    style: "title" as const,
  }));
  for (const row of [titles, ...rows])
    table.push(
      kept.map((at, i) => {
        const text = aligned(textOf(row[at]), widths[i] ?? 0, columns[at]);
        return i === last
          ? painted(text.trimEnd(), row[at], paint)
          : painted(text, row[at], paint) + GAP;
      }),
    );
  const margin = " ".repeat(indent);
  return table
    .toString()
    .split("\n")
    .map((line) => (margin + line).trimEnd());
}

/**
 * Draws a table without borders: the title line, then one line per row. Lines have no trailing spaces.
 *
 * If the table is wider than `width`, columns are dropped until the rest fits, and then columns are cut. A wider table
 * never shows less: which column is dropped next does not depend on the width.
 *
 * @param rows is called twice: once to measure the rows, once to draw them
 */
export function* streamTable(
  columns: readonly Column[],
  rows: () => Iterable<readonly Cell[]>,
  { width, paint, indent = 0 }: Drawing,
): Generator<string> {
  const { kept, widths } = layOut(columns, rows(), width, indent);
  const margin = " ".repeat(indent);
  const line = (row: readonly Cell[]) => {
    const cells = kept.map((at, i) =>
      painted(
        aligned(textOf(row[at]), widths[i] ?? 0, columns[at]),
        row[at],
        paint,
      ),
    );
    return (margin + cells.join(GAP)).trimEnd();
  };
  yield line(columns.map(({ title }) => ({ text: title, style: "title" })));
  for (const row of rows()) yield line(row);
}

/** The text of a cell with nothing to say: none, or zero. */
const NOTHING = /^\s*(?:0(?:B|%|\/s|B\/s)?)?\s*$/;
/** The part of the rows that may have content in a column that is dropped before others. */
const NEARLY_EMPTY = 0.1;

/** The indexes of the columns that are kept, and their widths. */
function layOut(
  columns: readonly Column[],
  rows: Iterable<readonly Cell[]>,
  width: number | undefined,
  indent: number,
): { kept: readonly number[]; widths: readonly number[] } {
  const room = width === undefined ? Infinity : Math.max(width - indent, 1);
  const natural = columns.map(({ title }) => length(title));
  const preferred = columns.map(({ title }) => length(title));
  const filled = columns.map(() => 0);
  let count = 0;
  for (const row of rows) {
    count++;
    for (const [i, cell] of row.entries()) {
      const text = textOf(cell);
      const needed = columns[i]?.preferred?.(text) ?? 0;
      natural[i] = Math.max(natural[i] ?? 0, length(text));
      preferred[i] = Math.max(preferred[i] ?? 0, needed);
      if (!NOTHING.test(text)) filled[i] = (filled[i] ?? 0) + 1;
    }
  }
  const isEmpty = (at: number) => (filled[at] ?? 0) <= count * NEARLY_EMPTY;
  const least = columns.map((column, i) =>
    column.preferred
      ? Math.min(natural[i] ?? 0, preferred[i] ?? 0)
      : Math.min(natural[i] ?? 0, column.shortest ?? Infinity),
  );
  const kept = keptColumns(columns, least, room, isEmpty);
  // As long as a column is missing, the others have no more room than they need: they would shrink when it appears.
  const complete = kept.length === columns.length;
  const wanted = columns.map((column, i) =>
    column.preferred && !complete ? (least[i] ?? 0) : (natural[i] ?? 0),
  );
  const fits = total(kept.map((at) => least[at] ?? 0)) <= room;
  const shortest = columns.map((column, i) =>
    fits ? (least[i] ?? 0) : (column.shortest ?? Infinity),
  );
  return { kept, widths: shrunkWidths(wanted, shortest, kept, room) };
}

/**
 * Chooses which columns to keep.
 *
 * @param least the width that each column needs
 * @param isEmpty whether a column has hardly any content
 * @returns their indexes
 */
export function keptColumns(
  columns: readonly Pick<Column, "drop">[],
  least: readonly number[],
  room: number,
  isEmpty: (at: number) => boolean = () => false,
): number[] {
  let kept = columns.map((_, i) => i);
  const droppable = kept
    .filter((at) => columns[at]?.drop !== undefined)
    .sort(
      (a, b) =>
        Number(isEmpty(b)) - Number(isEmpty(a)) ||
        (columns[b]?.drop ?? 0) - (columns[a]?.drop ?? 0),
    );
  for (const at of droppable) {
    if (total(kept.map((at) => least[at] ?? 0)) <= room) break;
    kept = kept.filter((other) => other !== at);
  }
  return kept;
}

/** Shrinks the kept columns until they fit: one character at a time, from the widest column that may be cut. */
function shrunkWidths(
  wanted: readonly number[],
  shortest: readonly number[],
  kept: readonly number[],
  room: number,
): number[] {
  const widths = kept.map((at) => wanted[at] ?? 0);
  for (let over = total(widths) - room; over > 0; over--) {
    let widest: number | undefined;
    for (const [i, at] of kept.entries()) {
      const spare = (widths[i] ?? 0) > (shortest[at] ?? Infinity);
      if (
        spare &&
        (widest === undefined || (widths[i] ?? 0) > (widths[widest] ?? 0))
      )
        widest = i;
    }
    if (widest === undefined) break; // No column may be cut further: the lines are too long.
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function total(widths: readonly number[]): number {
  const gaps = Math.max(widths.length - 1, 0) * GAP.length;
  return widths.reduce((sum, width) => sum + width, gaps);
}

/** Cuts a text to a width, or pads it. */
function aligned(
  text: string,
  width: number,
  { align, cut: shorten = cut }: Pick<Column, "align" | "cut"> = {},
): string {
  const fitted = shorten(text, width);
  const padding = " ".repeat(Math.max(width - length(fitted), 0));
  return align === "right" ? padding + fitted : fitted + padding;
}

/** Cuts a text to a width. A text that was cut ends in `…`. */
export function cut(text: string, width: number): string {
  if (length(text) <= width) return text;
  const kept = Array.from(text).slice(0, Math.max(width - 1, 0));
  return `${kept.join("")}…`;
}

/** Cuts an address or a name in its middle, because the port is at its end. A port is never cut if there is room for it. */
export function cutMiddle(text: string, width: number): string {
  const characters = Array.from(text);
  if (characters.length <= width) return text;
  const port = /:[^:\]]*$/.exec(text)?.[0] ?? "";
  const least = Array.from(port).length;
  const tail = Math.max(least, Math.min(Math.floor((width - 1) / 2), 8));
  const head = width - 1 - tail;
  return head < 0
    ? cut(text, width)
    : `${characters.slice(0, head).join("")}…${tail > 0 ? characters.slice(-tail).join("") : ""}`;
}

/** Cuts a text between words: what comes first is kept whole. */
export function cutWords(text: string, width: number): string {
  if (length(text) <= width) return text;
  const [first = "", ...words] = text.split(" ");
  let kept = first;
  for (const word of words) {
    if (length(kept) + length(word) + 2 > width) break;
    kept += ` ${word}`;
  }
  return cut(`${kept}…`, width);
}

/** Colors the text but not its padding: an underlined title must end where the title ends. */
function painted(text: string, cell: Cell | undefined, paint: Paint): string {
  const style = typeof cell === "object" ? cell.style : undefined;
  if (style === undefined) return text;
  return text.replace(/\S(?:.*\S)?/su, (visible) => paint[style](visible));
}

function textOf(cell: Cell | undefined): string {
  return typeof cell === "object" ? cell.text : (cell ?? "");
}

/** The number of characters. Each takes one column: the texts are addresses, numbers and host names. */
function length(text: string): number {
  return /^[\x20-\x7e]*$/.test(text) ? text.length : Array.from(text).length;
}
