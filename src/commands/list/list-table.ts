import type { Totals } from "../../ipvs/totals.js";
import type { Paint } from "../../cli/color.js";
import { shortRate } from "../../cli/units.js";
import { streamTable, type Cell, type Column } from "../../cli/table.js";
import { COLUMNS, serviceRow, STATE_STYLES, stateWords } from "./columns.js";
import { COLUMN_KEYS, type ColumnKey } from "./column-keys.js";
import type { Labels } from "./labels.js";
import type { Shown } from "./filter.js";
import { sortShown } from "./sort.js";

/** How a table is drawn. */
export interface TableStyle {
  /** Undefined: lines are as long as they are */
  readonly width: number | undefined;
  readonly paint: Paint;
  /** None: those that there is room for */
  readonly columns: readonly ColumnKey[];
  readonly labels: Labels;
  /** Whether what is out of order is named again at the end */
  readonly notable: boolean;
}

/** Names are shortened to a third of a line at most, and never to less than this. */
const SHORTEST_NAME = 20;

/** A listing as people read it: services with their servers under them, the totals, what is out of order. */
export function* tableLines(
  shown: readonly Shown[],
  totals: Totals,
  style: TableStyle,
): Generator<string> {
  const { width, paint, labels } = style;
  const keys = style.columns.length > 0 ? style.columns : COLUMN_KEYS;
  const columns = keys.map((key) =>
    columnOf(key, width, style.columns.length > 0),
  );
  function* rows(): Generator<readonly Cell[]> {
    for (const { service, servers } of shown) {
      const row = serviceRow(service, labels);
      yield keys.map((key) => COLUMNS[key].service(service, row));
      for (const server of servers)
        yield keys.map((key) => COLUMNS[key].server(server, row));
    }
    yield keys.map((key) => COLUMNS[key].total(totals));
  }
  yield* streamTable(columns, rows, { width, paint });
  yield countsText(shown, totals);
  if (!style.notable || totals.services + totals.servers <= LONG) return;
  yield* extremeLines(shown, style);
  yield* notableLines(shown, style);
}

/** Columns that were chosen are not dropped. */
function columnOf(
  key: ColumnKey,
  width: number | undefined,
  chosen: boolean,
): Column {
  const { title, align, drop, shortest } = COLUMNS[key];
  const least =
    key === "name"
      ? width && Math.max(SHORTEST_NAME, Math.floor(width / 3))
      : shortest;
  return {
    title,
    ...(align && { align }),
    ...(drop !== undefined && !chosen && { drop }),
    ...(least !== undefined && { shortest: least }),
  };
}

/** With fewer lines than this, all of a table is in view. */
const LONG = 20;
/** Which services get the most and the fewest connections now. */
function* extremeLines(
  shown: readonly Shown[],
  { labels, width }: TableStyle,
): Generator<string> {
  const services = sortShown(shown, "rate", false).map(
    ({ service }) => service,
  );
  const [most, fewest] = [services[0], services.at(-1)];
  const rates = [most, fewest].map(
    (service) => service?.stats.connectionsPerSecond ?? 0n,
  );
  if (!most || !fewest || rates[0] === rates[1]) return;
  const line = (title: string, { key, stats }: typeof most) => {
    const rate = `: ${shortRate(stats.connectionsPerSecond)} at `;
    const room = (width ?? Infinity) - title.length - rate.length;
    return `${title}${rate}${cut(labels.service(key), room)}`;
  };
  yield line("Most connections now", most);
  yield line("Fewest connections now", fewest);
}

/** A name that fits, or its beginning. */
function cut(name: string, room: number): string {
  const letters = Array.from(name);
  return letters.length <= room
    ? name
    : `${letters.slice(0, Math.max(room - 1, 0)).join("")}…`;
}

/** So many in each state are named; of the others there is the number. */
const NAMED = 5;

/** The states that are named at the end, in their order. */
const NOTABLE = [
  "no-servers",
  "all-drained",
  "all-overloaded",
  "overloaded",
  "draining",
  "maybe-overloaded",
] as const;

/** What is out of order, the gravest first: in a long table one would have to search for it. */
function* notableLines(
  shown: readonly Shown[],
  { labels, paint, width }: TableStyle,
): Generator<string> {
  const found = new Map<string, string[]>(NOTABLE.map((state) => [state, []]));
  for (const { service, servers } of shown) {
    const name = labels.service(service.key);
    found.get(service.state)?.push(name);
    if (service.state !== "ok") continue; // that says it all
    for (const { key, state } of servers)
      found.get(state)?.push(`${labels.server(service.key, key)} of ${name}`);
  }
  const states = NOTABLE.filter((state) => found.get(state)?.length);
  const columns = Math.max(...states.map((state) => stateWords(state).length));
  if (states.length > 0) yield `\n${paint.strong("Out of order:")}`;
  for (const state of states) {
    const names = found.get(state) ?? [];
    const word = paint[STATE_STYLES[state] ?? "strong"](stateWords(state));
    const blanks = " ".repeat(columns - stateWords(state).length + 2);
    const room = (width ?? Infinity) - columns - 4;
    for (const name of names.slice(0, NAMED))
      yield `  ${word}${blanks}${cut(name, room)}`;
    if (names.length > NAMED)
      yield `  ${word}${blanks}… and ${names.length - NAMED} more: --state ${state}`;
  }
}

function counted(count: number, one: string): string {
  return `${count} ${one}${count === 1 ? "" : "s"}`;
}

/** `200 services, 3 of their 612 real servers` */
function countsText(shown: readonly Shown[], totals: Totals): string {
  const servers = shown.reduce((sum, one) => sum + one.servers.length, 0);
  const some = servers < totals.servers ? `${servers} of their ` : "";
  return `${counted(totals.services, "service")}, ${some}${counted(totals.servers, "real server")}`;
}
