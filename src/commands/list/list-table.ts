import type { Totals } from "../../ipvs/totals.js";
import type { Display } from "../../cli/output.js";
import { counted, shortRate } from "../../cli/units.js";
import { cut, streamTable, type Cell, type Column } from "../../cli/table.js";
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
  /** Whether a long listing repeats at the end what needs attention */
  readonly summary: boolean;
}

/** Names are cut to a third of the line, but not below this. */
const SHORTEST_NAME = 20;

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
  yield* streamTable(layout, rows, { width, paint });
  yield countsText(listing, totals);
  if (!style.summary || totals.services + totals.servers <= LONG_LISTING)
    return;
  yield* rateExtremes(listing, style);
  yield* attentionLines(listing, style);
}

function nameColumn({ title }: ListColumn, width: number | undefined): Column {
  return width === undefined
    ? { title }
    : { title, shortest: Math.max(SHORTEST_NAME, Math.floor(width / 3)) };
}

/** Columns that the user chose are not dropped. */
function withoutDrop({ title, align, shortest }: ListColumn): Column {
  return {
    title,
    ...(align && { align }),
    ...(shortest !== undefined && { shortest }),
  };
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
  const line = (title: string, { key, stats }: typeof highest) => {
    const text = `${title} connection rate: ${shortRate(stats.connectionsPerSecond)} at `;
    return text + cut(names.service(key), (width ?? Infinity) - text.length);
  };
  yield line("Highest", highest);
  yield line("Lowest", lowest);
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
    for (const name of all.slice(0, LISTED_PER_STATE))
      yield label + cut(name, room);
    if (all.length > LISTED_PER_STATE)
      yield `${label}… and ${all.length - LISTED_PER_STATE} more: --state ${state}`;
  }
}

/** `200 services, 3 of their 612 real servers` */
function countsText(listing: readonly ListedService[], totals: Totals): string {
  const servers = listing.reduce((sum, one) => sum + one.servers.length, 0);
  const part = servers < totals.servers ? `${servers} of their ` : "";
  return `${counted(totals.services, "service")}, ${part}${counted(totals.servers, "real server")}`;
}
