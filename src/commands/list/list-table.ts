import type { Totals } from "../../ipvs/totals.js";
import type { Display } from "../../cli/output.js";
import { counted, shortRate } from "../../cli/units.js";
import { wrapWords } from "../../cli/wrap.js";
import {
  cutMiddle,
  streamTable,
  type Cell,
  type Column,
} from "../../cli/table.js";
import { STATE_STYLES, stateText } from "../../cli/state-text.js";
import { columnsWith, type ListColumn } from "./columns.js";
import type { EndpointNames } from "./endpoint-names.js";
import { COLUMN_KEYS, type ColumnKey } from "./option-values.js";
import { rowsOf, type ListedService } from "./rows.js";
import { sortListing } from "./sort.js";

/** How a listing is drawn. */
export interface TableStyle extends Display {
  /** The columns that the user chose. Empty: all columns that fit */
  readonly columns: readonly ColumnKey[];
  readonly names: EndpointNames;
  /** Whether to print the titles, the totals and the counts */
  readonly header: boolean;
  /** Whether a long listing repeats at the end what needs attention */
  readonly summary: boolean;
}

/** Other columns are dropped rather than cut names to less than this. Only long IPv6 addresses and host names are longer. */
const PREFERRED_NAME = 32;
const SHORTEST_NAME = 16;

/** A listing that has more lines than this does not fit a terminal. */
const LONG_LISTING = 20;

/** The listing as a table: services with their servers, the totals and, if it is long, a summary. */
export function* tableLines(
  listing: readonly ListedService[],
  totals: Totals,
  style: TableStyle,
): Generator<string> {
  const { width, paint, names } = style;
  const chosen = style.columns.length > 0;
  const keys = chosen ? style.columns : COLUMN_KEYS;
  const all = columnsWith(names);
  const columns = keys.map((key) => all[key]);
  function* rows(): Generator<readonly Cell[]> {
    for (const row of rowsOf(listing))
      yield columns.map(({ cell }) => cell(row) ?? "");
    if (style.header)
      yield columns.map(
        ({ cell }) => cell({ kind: "total", figures: totals }) ?? "",
      );
  }
  const layout = columns.map((column) =>
    column === all.name
      ? nameColumn(column, width)
      : chosen
        ? withoutDrop(column)
        : column,
  );
  const table = streamTable(layout, rows, { width, paint });
  if (!style.header) {
    table.next(); // the titles
    yield* table;
    return;
  }
  yield* table;
  yield* wrapWords(countsText(listing, totals), width ?? Infinity);
  if (!style.summary || totals.services + totals.servers <= LONG_LISTING)
    return;
  yield* rateExtremes(listing, style);
  yield* attentionLines(listing, style);
}

function nameColumn({ title }: ListColumn, width: number | undefined): Column {
  return width === undefined
    ? { title }
    : {
        title,
        preferred: (text) => Math.min(Array.from(text).length, PREFERRED_NAME),
        shortest: SHORTEST_NAME,
        cut: cutMiddle,
      };
}

/** Columns that the user chose are not dropped. */
function withoutDrop({ title, align }: ListColumn): Column {
  return { title, ...(align && { align }) };
}

/** Which services have the highest and the lowest rate of new connections. */
function* rateExtremes(
  listing: readonly ListedService[],
  { names, width }: TableStyle,
): Generator<string> {
  const services = sortListing(listing, "rate", false).map(
    ({ service }) => service,
  );
  const [highest, lowest] = [services[0], services.at(-1)];
  if (
    !highest ||
    !lowest ||
    highest.stats.connectionsPerSecond === lowest.stats.connectionsPerSecond
  )
    return;
  const lines = (title: string, { key, stats }: typeof highest) => {
    const rate = shortRate(stats.connectionsPerSecond);
    const text = `${title} connection rate: ${rate} at ${names.service(key)}`;
    return wrapWords(text, width ?? Infinity);
  };
  yield* lines("Highest", highest);
  yield* lines("Lowest", lowest);
}

/** How many services or servers in each state are listed. The others are counted. */
const LISTED_PER_STATE = 5;

/** The states that need attention, most severe first. */
const ATTENTION = [
  "no-servers",
  "all-drained",
  "all-overloaded",
  "overloaded",
  "draining",
  "maybe-overloaded",
] as const;

/** Lists what needs attention, so that the user need not search a long table. */
function* attentionLines(
  listing: readonly ListedService[],
  { names, paint, width }: TableStyle,
): Generator<string> {
  const found = new Map<string, string[]>(
    ATTENTION.map((state) => [state, []]),
  );
  for (const { service, servers } of listing) {
    const name = names.service(service.key);
    found.get(service.state)?.push(name);
    if (service.state !== "ok") continue; // The state of the service covers its servers.
    for (const { key, state } of servers)
      found.get(state)?.push(`${names.server(service.key, key)} of ${name}`);
  }
  const states = ATTENTION.filter((state) => found.get(state)?.length);
  const widest = Math.max(...states.map((state) => stateText(state).length));
  if (states.length > 0) yield `\n${paint.strong("Needs attention:")}`;
  for (const state of states) {
    const all = found.get(state) ?? [];
    const text = stateText(state);
    const label = `  ${paint[STATE_STYLES[state] ?? "strong"](text)}${" ".repeat(widest - text.length + 2)}`;
    const room = (width ?? Infinity) - widest - 4;
    const more = all.length - LISTED_PER_STATE;
    for (const line of [
      ...all.slice(0, LISTED_PER_STATE),
      ...(more > 0 ? [`... and ${more} more: --state ${state}`] : []),
    ])
      for (const [i, part] of wrapWords(line, room).entries())
        yield (i === 0 ? label : " ".repeat(widest + 4)) + part;
  }
}

/** `200 services, 3 of their 612 real servers` */
function countsText(listing: readonly ListedService[], totals: Totals): string {
  const servers = listing.reduce((sum, one) => sum + one.servers.length, 0);
  const whose = totals.services === 1 ? "its" : "their";
  const part = servers < totals.servers ? `${servers} of ${whose} ` : "";
  return `${counted(totals.services, "service")}, ${part}${counted(totals.servers, "real server")}`;
}
