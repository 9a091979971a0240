import Table from "cli-table3";
import type { Paint, Style } from "./color.js";

/** A column of a table. */
export interface Column {
  readonly title: string;
  /** Numbers stand to the right; the default is left */
  readonly align?: "left" | "right";
  /** Where there is no room, the column with the greatest number goes first; those without one stay */
  readonly drop?: number;
  /** To how many characters it may be shortened, when there is nothing left to drop; without it: not at all */
  readonly shortest?: number;
}

/** Text without control characters, and what it means. */
export type Cell =
  string | { readonly text: string; readonly style: Style | undefined };

export interface Drawing {
  /** The columns that a line may have; undefined: as many as it takes, which is what `--wide` is for */
  readonly width: number | undefined;
  readonly paint: Paint;
  /** Blanks before each line; 0 if it is not there */
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

/** cli-table3 takes a time that grows with the square of the rows: 10,000 at once took 20 seconds. */
const ROWS_AT_ONCE = 32;

/**
 * Draws a table without borders: the title line, then a line for each row at its place, so that a caller can put
 * lines of its own between them. No line ends in blanks.
 *
 * What does not fit the width: columns are dropped, the greatest `drop` first, until the others fit when shortened
 * as far as they may be; then those are shortened, the widest first, and end in `…`.
 */
export function drawTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  { width, paint, indent = 0 }: Drawing,
): string[] {
  const { kept, widths } = layOut(columns, rows, width, indent);
  const titles = columns.map(({ title }) => ({
    text: title,
    style: "title" as const,
  }));
  const last = kept.at(-1);
  const colWidths = kept.map(
    (at, i) => (widths[i] ?? 0) + (at === last ? 0 : GAP.length),
  );
  const lines: string[] = [];
  const all = [titles, ...rows];
  const blanks = " ".repeat(indent);
  for (let from = 0; from < all.length; from += ROWS_AT_ONCE) {
    const table = new Table({ chars: NO_BORDERS, style: NO_STYLE, colWidths });
    for (const row of all.slice(from, from + ROWS_AT_ONCE))
      table.push(
        kept.map((at, i) => {
          const gap = at === last ? "" : GAP;
          const text = placed(textOf(row[at]), widths[i] ?? 0, columns[at]);
          const trimmed = at === last ? text.trimEnd() : text;
          return painted(trimmed, row[at], paint) + gap;
        }),
      );
    for (const line of table.toString().split("\n"))
      lines.push((blanks + line).trimEnd());
  }
  return lines;
}

/**
 * Draws the same lines one after the other, for tables of any length: 110,000 rows of 19 columns took 2 s of a CPU.
 *
 * @param rows gives all rows each time it is called: once to measure them, once to draw them
 */
export function* streamTable(
  columns: readonly Column[],
  rows: () => Iterable<readonly Cell[]>,
  { width, paint, indent = 0 }: Drawing,
): Generator<string> {
  const { kept, widths } = layOut(columns, rows(), width, indent);
  const blanks = " ".repeat(indent);
  const line = (row: readonly Cell[]) => {
    const cells = kept.map((at, i) =>
      painted(
        placed(textOf(row[at]), widths[i] ?? 0, columns[at]),
        row[at],
        paint,
      ),
    );
    return (blanks + cells.join(GAP)).trimEnd();
  };
  yield line(columns.map(({ title }) => ({ text: title, style: "title" })));
  for (const row of rows()) yield line(row);
}

/** The columns that stay, by their places, and how wide each is. */
function layOut(
  columns: readonly Column[],
  rows: Iterable<readonly Cell[]>,
  width: number | undefined,
  indent: number,
): { kept: readonly number[]; widths: readonly number[] } {
  const room = width === undefined ? Infinity : Math.max(width - indent, 1);
  const natural = columns.map(({ title }) => length(title));
  for (const row of rows)
    for (const [i, cell] of row.entries())
      natural[i] = Math.max(natural[i] ?? 0, length(textOf(cell)));
  const kept = fitting(columns, natural, room);
  return { kept, widths: shortened(columns, natural, kept, room) };
}

/** The places of the columns that stay. */
export function fitting(
  columns: readonly Column[],
  natural: readonly number[],
  room: number,
): number[] {
  let kept = columns.map((_, i) => i);
  const least = (at: number) =>
    Math.min(natural[at] ?? 0, columns[at]?.shortest ?? Infinity);
  const droppable = kept
    .filter((at) => columns[at]?.drop !== undefined)
    .sort((a, b) => (columns[b]?.drop ?? 0) - (columns[a]?.drop ?? 0));
  for (const at of droppable) {
    if (total(kept.map(least)) <= room) break;
    kept = kept.filter((other) => other !== at);
  }
  return kept;
}

/** The widths of the columns that stay, made to fit: again and again the widest gives a character. */
function shortened(
  columns: readonly Column[],
  natural: readonly number[],
  kept: readonly number[],
  room: number,
): number[] {
  const widths = kept.map((at) => natural[at] ?? 0);
  for (let over = total(widths) - room; over > 0; over--) {
    let widest: number | undefined;
    for (const [i, at] of kept.entries()) {
      const spare = (widths[i] ?? 0) > (columns[at]?.shortest ?? Infinity);
      if (
        spare &&
        (widest === undefined || (widths[i] ?? 0) > (widths[widest] ?? 0))
      )
        widest = i;
    }
    if (widest === undefined) break; // it does not fit, and all of it is wanted
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function total(widths: readonly number[]): number {
  const gaps = Math.max(widths.length - 1, 0) * GAP.length;
  return widths.reduce((sum, width) => sum + width, gaps);
}

/** A text cut or filled up to a width. */
function placed(
  text: string,
  width: number,
  column: Column | undefined,
): string {
  const cut =
    length(text) > width
      ? `${Array.from(text)
          .slice(0, width - 1)
          .join("")}…`
      : text;
  const blanks = " ".repeat(Math.max(width - length(cut), 0));
  return column?.align === "right" ? blanks + cut : cut + blanks;
}

/** The text in its color, the blanks around it without: a line under a title is to end where the title ends. */
function painted(text: string, cell: Cell | undefined, paint: Paint): string {
  const style = typeof cell === "object" ? cell.style : undefined;
  if (style === undefined) return text;
  return text.replace(/\S(?:.*\S)?/su, (word) => paint[style](word));
}

function textOf(cell: Cell | undefined): string {
  return typeof cell === "object" ? cell.text : (cell ?? "");
}

/** Characters, which is columns for all that names of hosts, addresses and numbers are written in. */
function length(text: string): number {
  return /^[\x20-\x7e]*$/.test(text) ? text.length : Array.from(text).length;
}
