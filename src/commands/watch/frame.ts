import type { Paint, Style } from "../../cli/color.js";
import type { Display } from "../../cli/output.js";
import { counted, shortCount } from "../../cli/units.js";
import { stateText } from "../../cli/state-text.js";
import type { WatchColumnKey } from "./column-keys.js";
import {
  layoutFor,
  rateText,
  recentBars,
  type WatchColumn,
  type Layout,
  type CellContext,
} from "./columns.js";
import { clockText } from "./change-log.js";
import { SLOTS } from "./history.js";
import {
  RATE_UNITS,
  SORT_NAMES,
  historyRateFor,
  type Arrangement,
  type Row,
} from "./rows.js";
import { isPresent, type Sample } from "./sampler.js";

/** What a frame shows. */
export interface Frame {
  readonly sample: Sample;
  readonly arrangement: Arrangement;
  /** The rows of the table, filtered and sorted */
  readonly rows: readonly Row[];
  /** The columns that the user chose. Empty: those that fit */
  readonly columns: readonly WatchColumnKey[];
  readonly intervalSeconds: number;
  readonly paused: boolean;
  /** Why the numbers are wrong, if they are */
  readonly notice?: string | undefined;
}

/** A part of a line. */
export interface Part {
  readonly text: string;
  readonly style?: Style | undefined;
  /** In a narrow terminal, the part with the greatest number is dropped first. Parts without a number are cut */
  readonly drop?: number;
}

/** A frame with all rows, for an output that is not a terminal. */
export function plainLines(frame: Frame, display: Display): string[] {
  const { rows } = frame;
  const empty = emptyText(frame);
  return [
    ...headerLines(frame, display),
    ...(empty === undefined
      ? tableLines(frame, rows, display)
      : [fitLine([{ text: empty }], display)]),
  ];
}

/** The three lines above the table. */
export function headerLines(frame: Frame, display: Display): string[] {
  const { sample, arrangement, paused } = frame;
  const { sort, reversed, filter } = arrangement;
  const [name, order, reversedOrder] = SORT_NAMES[sort];
  const first: Part[] = [
    { text: "ipvsadm watch", style: "strong", drop: 4 },
    ...(paused ? [{ text: "PAUSED", style: "warning" } as const] : []),
    { text: clockText(sample.date), drop: 1 },
    { text: `every ${frame.intervalSeconds} s`, drop: 3 },
    { text: `by ${name}, ${reversed ? reversedOrder : order}` },
    {
      text: `${countText(sample.totals.services, "service")}, ${countText(sample.totals.servers, "server")}`,
      drop: 5,
    },
    ...(filter === ""
      ? []
      : [{ text: `filter: ${filter}`, style: "name", drop: 2 } as const]),
  ];
  return [
    fitLine(first, display),
    totalLine(frame, display),
    noticeLine(frame, display),
  ];
}

function totalLine({ sample, arrangement }: Frame, display: Display): string {
  const { rates, activeConnections, history } = sample.totals;
  const kind = historyRateFor(arrangement.sort);
  const bars = recentBars(
    history.values(kind, sample.at),
    knownSlots(sample),
    SLOTS,
  );
  const flow = (packets: number | undefined, bytes: number | undefined) =>
    `${rateText(packets)} pkt/s ${rateText(bytes)}B/s`;
  return fitLine(
    [
      { text: `Total ${rateText(rates?.connections)} conn/s` },
      { text: `in ${flow(rates?.inPackets, rates?.inBytes)}`, drop: 1 },
      { text: `out ${flow(rates?.outPackets, rates?.outBytes)}`, drop: 2 },
      { text: `${shortCount(activeConnections)} active`, drop: 4 },
      ...(bars === ""
        ? []
        : [
            {
              text: `${RATE_UNITS[kind]} in the last minute ${bars}`,
              style: "name",
              drop: 3,
            } as const,
          ]),
    ],
    display,
  );
}

/** How much of the last minute is known. */
function knownSlots({ totals, at }: Sample): number {
  const values = totals.history.values("connections", at);
  const first = values.findIndex((value) => !Number.isNaN(value));
  return first < 0 ? 0 : SLOTS - first;
}

/** What changed in the last minute, and why the numbers may be wrong. */
function noticeLine(
  { sample, intervalSeconds, notice }: Frame,
  display: Display,
) {
  const { appeared, gone, edited } = sample.totals;
  const parts: Part[] = [];
  if (appeared > 0) parts.push({ text: `${appeared} new`, style: "good" });
  if (gone > 0) parts.push({ text: `${gone} gone`, style: "bad" });
  if (edited > 0) parts.push({ text: `${edited} changed`, style: "warning" });
  if (parts.length === 0)
    parts.push({ text: "no change in the last minute", style: "dim", drop: 1 });
  else parts.push({ text: "in the last minute", drop: 1 });
  if (sample.elapsedSeconds === undefined)
    parts.push({ text: "measuring rates", style: "warning" });
  if (sample.readingSeconds > intervalSeconds)
    parts.push({
      text: `reading the table takes ${sample.readingSeconds.toFixed(1)} s, longer than the interval`,
      style: "warning",
    });
  if (notice !== undefined) parts.push({ text: notice, style: "bad" });
  return fitLine(parts, display);
}

/** The text in place of the table, if there are no rows. */
export function emptyText({ sample, rows }: Frame): string | undefined {
  if (rows.length > 0) return undefined;
  return sample.services.length > 0
    ? "The filter matches no service or server."
    : "There is no virtual service. 'ipvsadm -A' adds one.";
}

/**
 * The title line, and one line per row.
 *
 * @param rows the rows in view. The widths fit all rows of the frame
 */
export function tableLines(
  frame: Frame,
  rows: readonly Row[],
  { paint, width }: Display,
): string[] {
  const longest = frame.rows.reduce(
    (longest, row) => Math.max(longest, nameOf(row).length),
    TITLE.length,
  );
  const layout = layoutFor(
    width,
    longest,
    frame.columns,
    widestState(frame.rows),
  );
  const context: CellContext = {
    sort: frame.arrangement.sort,
    at: frame.sample.at,
    slots: knownSlots(frame.sample),
  };
  return [
    titleLine(layout, paint),
    ...rows.map((row) => rowLine(row, layout, context, paint)),
  ];
}

function widestState(rows: readonly Row[]): number {
  return rows.reduce(
    (widest, { service, server }) =>
      Math.max(widest, stateText((server ?? service).state).length),
    0,
  );
}

const TITLE = "Service, its servers";

function titleLine({ nameWidth, gap, columns }: Layout, paint: Paint): string {
  const cells = [
    paint.title(shortenMiddle(TITLE, nameWidth)) +
      " ".repeat(Math.max(nameWidth - TITLE.length, 0)),
    ...columns.map((column) => aligned(column.title, column, paint.title)),
  ];
  return cells.join(" ".repeat(gap)).trimEnd();
}

function rowLine(
  row: Row,
  { nameWidth, gap, columns }: Layout,
  context: CellContext,
  paint: Paint,
): string {
  const { service, server } = row;
  const present = isPresent(server ?? service);
  const text = shortenMiddle(nameOf(row), nameWidth);
  const padding = " ".repeat(nameWidth - text.length);
  const cells = [
    (present ? (server ? text : paint.strong(text)) : paint.dim(text)) +
      padding,
    ...columns.map((column) => {
      const cell = column.cell(row, context, column.width);
      const style =
        present || column.key === "change" ? cell.style : ("dim" as const);
      return aligned(cell.text, column, style && paint[style]);
    }),
  ];
  return cells.join(" ".repeat(gap)).trimEnd();
}

function nameOf({ service, server }: Row): string {
  return server ? `  ${server.name}` : service.name;
}

/** Cuts and pads a text to the width of its column, and colors it. */
function aligned(
  text: string,
  { width, align }: WatchColumn,
  paint: ((text: string) => string) | undefined,
): string {
  const cut = shortenMiddle(text, width);
  const padding = " ".repeat(width - cut.length);
  const painted = paint && cut.trim() !== "" ? paint(cut) : cut;
  return align === "right" ? padding + painted : painted + padding;
}

/** Cuts the middle of a name, because the port is at the end. */
export function shortenMiddle(text: string, width: number): string {
  if (text.length <= width) return text;
  const tail = Math.min(Math.floor((width - 1) / 2), 8);
  return `${text.slice(0, width - 1 - tail)}…${tail > 0 ? text.slice(-tail) : ""}`;
}

const SEPARATOR = " · ";

/** Joins parts to a line that fits: first parts are dropped, then the line is cut. */
export function fitLine(
  parts: readonly Part[],
  { paint, width = Infinity }: Display,
  separator = SEPARATOR,
): string {
  let kept = [...parts];
  const length = () =>
    kept.reduce(
      (sum, { text }) => sum + Array.from(text).length,
      (kept.length - 1) * separator.length,
    );
  const droppable = parts
    .filter(({ drop }) => drop !== undefined)
    .sort((a, b) => (b.drop ?? 0) - (a.drop ?? 0));
  for (const part of droppable) {
    if (length() <= width) break;
    kept = kept.filter((other) => other !== part);
  }
  let room = width;
  const fitted: string[] = [];
  for (const { text, style } of kept) {
    const letters = Array.from(text);
    const fits = letters.length <= room;
    const cut = fits
      ? text
      : room > 0
        ? `${letters.slice(0, room - 1).join("")}…`
        : "";
    if (cut === "") break;
    fitted.push(style ? paint[style](cut) : cut);
    room -= letters.length + separator.length;
  }
  return fitted.join(separator);
}

function countText(count: number, one: string): string {
  return counted(count, one, undefined, shortCount(count));
}
