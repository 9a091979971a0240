import type { Paint, Style } from "../../cli/color.js";
import { shortCount } from "../../cli/units.js";
import {
  layoutFor,
  rateText,
  type ColumnPlan,
  type Layout,
  type Shown,
} from "./columns.js";
import { sparkline } from "./history.js";
import { SORT_NAMES, sparkedBy, type Arrangement, type Row } from "./rows.js";
import { isThere, type Sample } from "./sampler.js";

/** What a frame is drawn of. */
export interface Frame {
  readonly sample: Sample;
  readonly arrangement: Arrangement;
  /** The rows of the table, arranged */
  readonly rows: readonly Row[];
  readonly intervalSeconds: number;
  readonly paused: boolean;
  /** What keeps the figures from being right */
  readonly notice?: string | undefined;
}

export interface Looks {
  readonly paint: Paint;
  /** The columns of a line; undefined: as many as it takes */
  readonly width: number | undefined;
}

/** A part of a line that says one thing. */
export interface Part {
  readonly text: string;
  readonly style?: Style | undefined;
  /** Where there is no room, the part with the greatest number goes first; those without one are cut */
  readonly drop?: number;
}

/** A whole frame for whoever has no terminal: all rows. */
export function plainLines(frame: Frame, looks: Looks): string[] {
  const { rows } = frame;
  const nothing = nothingText(frame);
  return [
    ...headLines(frame, looks),
    ...(nothing === undefined
      ? tableLines(frame, rows, looks)
      : [fitted([{ text: nothing }], looks)]),
  ];
}

/** What is to be known of the whole: three lines. */
export function headLines(frame: Frame, looks: Looks): string[] {
  const { sample, arrangement, paused } = frame;
  const { sort, reversed, filter } = arrangement;
  const [name, usual, other] = SORT_NAMES[sort];
  const first: Part[] = [
    { text: "ipvsadm watch", style: "strong", drop: 4 },
    ...(paused ? [{ text: "PAUSED", style: "warning" } as const] : []),
    { text: clockText(sample.date), drop: 1 },
    { text: `every ${frame.intervalSeconds} s`, drop: 3 },
    { text: `by ${name}, ${reversed ? other : usual}` },
    {
      text: `${counted(sample.totals.services, "service")}, ${counted(sample.totals.servers, "server")}`,
      drop: 5,
    },
    ...(filter === ""
      ? []
      : [{ text: `filter: ${filter}`, style: "name", drop: 2 } as const]),
  ];
  return [fitted(first, looks), totalLine(frame, looks), news(frame, looks)];
}

function totalLine({ sample, arrangement }: Frame, looks: Looks): string {
  const { rates, activeConnections, history } = sample.totals;
  const spark = sparkline(
    history.values(sparkedBy(arrangement.sort), sample.at),
    30,
  );
  const flow = (packets: number | undefined, bytes: number | undefined) =>
    `${rateText(packets)} pkt/s ${rateText(bytes)}B/s`;
  return fitted(
    [
      { text: `Total ${rateText(rates?.connections)} conn/s` },
      { text: `in ${flow(rates?.inPackets, rates?.inBytes)}`, drop: 1 },
      { text: `out ${flow(rates?.outPackets, rates?.outBytes)}`, drop: 2 },
      { text: `${shortCount(activeConnections)} active`, drop: 4 },
      { text: spark.trim(), style: "name", drop: 3 },
    ],
    looks,
  );
}

/** What changed, and what is wrong with the figures. */
function news({ sample, intervalSeconds, notice }: Frame, looks: Looks) {
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
      text: `a reading takes ${sample.readingSeconds.toFixed(1)} s, longer than the interval`,
      style: "warning",
    });
  if (notice !== undefined) parts.push({ text: notice, style: "bad" });
  return fitted(parts, looks);
}

/** What stands where there are no rows. */
export function nothingText({ sample, rows }: Frame): string | undefined {
  if (rows.length > 0) return undefined;
  return sample.services.length > 0
    ? "No service or server is found by the filter."
    : "There is no virtual service; 'ipvsadm -A' adds one.";
}

/**
 * The title line, and a line for each row that is to be shown.
 *
 * @param rows those to be shown; the columns are as wide as all of the frame's need
 */
export function tableLines(
  frame: Frame,
  rows: readonly Row[],
  { paint, width }: Looks,
): string[] {
  const longest = frame.rows.reduce(
    (most, row) => Math.max(most, nameOf(row).length),
    TITLE.length,
  );
  const layout = layoutFor(width, longest);
  const shown: Shown = { sort: frame.arrangement.sort, at: frame.sample.at };
  return [
    titleLine(layout, paint),
    ...rows.map((row) => rowLine(row, layout, shown, paint)),
  ];
}

const TITLE = "Service, its servers";

function titleLine({ name, gap, columns }: Layout, paint: Paint): string {
  const cells = [
    paint.title(shortened(TITLE, name)) +
      " ".repeat(Math.max(name - TITLE.length, 0)),
    ...columns.map((column) => placed(column.title, column, paint.title)),
  ];
  return cells.join(" ".repeat(gap)).trimEnd();
}

function rowLine(
  row: Row,
  { name, gap, columns }: Layout,
  shown: Shown,
  paint: Paint,
): string {
  const { service, server } = row;
  const there = isThere(server ?? service);
  const text = shortened(nameOf(row), name);
  const blanks = " ".repeat(name - text.length);
  const cells = [
    (there ? (server ? text : paint.strong(text)) : paint.dim(text)) + blanks,
    ...columns.map((column) => {
      const said = column.say(row, shown, column.width);
      const style =
        there || column.id === "change" ? said.style : ("dim" as const);
      return placed(said.text, column, style && paint[style]);
    }),
  ];
  return cells.join(" ".repeat(gap)).trimEnd();
}

function nameOf({ service, server }: Row): string {
  return server ? `  ${server.name}` : service.name;
}

/** A text in its column, in its color. */
function placed(
  text: string,
  { width, align }: ColumnPlan,
  paint: ((text: string) => string) | undefined,
): string {
  const cut = shortened(text, width);
  const blanks = " ".repeat(width - cut.length);
  const painted = paint && cut.trim() !== "" ? paint(cut) : cut;
  return align === "right" ? blanks + painted : painted + blanks;
}

/** Shortens the middle of a name: its port is at the end. */
export function shortened(text: string, width: number): string {
  if (text.length <= width) return text;
  const tail = Math.min(Math.floor((width - 1) / 2), 8);
  return `${text.slice(0, width - 1 - tail)}…${tail > 0 ? text.slice(-tail) : ""}`;
}

const BETWEEN = " · ";

/** Parts on a line that fits: some are dropped, then the line is cut. */
export function fitted(
  parts: readonly Part[],
  { paint, width = Infinity }: Looks,
  between = BETWEEN,
): string {
  let kept = [...parts];
  const length = () =>
    kept.reduce(
      (sum, { text }) => sum + Array.from(text).length,
      (kept.length - 1) * between.length,
    );
  const droppable = parts
    .filter(({ drop }) => drop !== undefined)
    .sort((a, b) => (b.drop ?? 0) - (a.drop ?? 0));
  for (const part of droppable) {
    if (length() <= width) break;
    kept = kept.filter((other) => other !== part);
  }
  let room = width;
  const shown: string[] = [];
  for (const { text, style } of kept) {
    const letters = Array.from(text);
    const fits = letters.length <= room;
    const cut = fits
      ? text
      : room > 0
        ? `${letters.slice(0, room - 1).join("")}…`
        : "";
    if (cut === "") break;
    shown.push(style ? paint[style](cut) : cut);
    room -= letters.length + between.length;
  }
  return shown.join(between);
}

function clockText(date: Date): string {
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((n) => String(n).padStart(2, "0"))
    .join(":");
}

function counted(count: number, one: string): string {
  return `${shortCount(count)} ${one}${count === 1 ? "" : "s"}`;
}
