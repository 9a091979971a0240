import { escapeControls } from "../../cli/escape.js";
import type { Sample, WatchedServer, WatchedService } from "./sampler.js";
import { rateOf, HISTORY_RATES, type HistoryRate } from "./rates.js";

/** What services, and the servers of each, can be sorted by. */
export const SORT_KEYS = [
  ...HISTORY_RATES,
  "active",
  "changed",
  "name",
] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** The name of each key, and its order in words. */
export const SORT_NAMES: Readonly<
  Record<SortKey, readonly [name: string, order: string, reversed: string]>
> = {
  connections: ["connections/s", "busiest first", "least busy first"],
  packets: ["packets/s", "busiest first", "least busy first"],
  bytes: ["bytes/s", "busiest first", "least busy first"],
  active: ["active connections", "most first", "fewest first"],
  changed: ["changes", "latest first", "oldest first"],
  name: ["name", "in listing order", "reversed"],
};

/** How the table is filtered and sorted. */
export interface Arrangement {
  readonly sort: SortKey;
  readonly reversed: boolean;
  /** Words. A line must contain all of them */
  readonly filter: string;
  /** Whether servers are shown */
  readonly servers: boolean;
}

/** A line of the table. */
export type Row =
  | { readonly service: WatchedService; readonly server?: undefined }
  | { readonly service: WatchedService; readonly server: WatchedServer };

/**
 * Filters and sorts the table. The servers of a service are below it, in the same order.
 *
 * If the filter matches a service, all its servers are shown. Otherwise, only the servers that it matches.
 */
export function arrange(
  { services }: Pick<Sample, "services">,
  { sort, reversed, filter, servers: withServers }: Arrangement,
): Row[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const sign = reversed ? -1 : 1;
  const found = services.flatMap((service) => {
    const servers = matchingServers(service, words);
    return servers ? [{ service, servers }] : [];
  });
  const rows: Row[] = [];
  for (const { service, servers } of sorted(found, sign, (found) =>
    sortValue(found.service, found.service.activeConnections, sort),
  )) {
    rows.push({ service });
    if (!withServers) continue;
    for (const server of sorted(servers, sign, (server) =>
      sortValue(server, server.entry.activeConnections, sort),
    ))
      rows.push({ service, server });
  }
  return rows;
}

/** The servers that the filter matches. Undefined if the service is not shown. */
function matchingServers(
  service: WatchedService,
  words: readonly string[],
): readonly WatchedServer[] | undefined {
  if (words.length === 0) return service.servers;
  const text = `${service.name} ${escapeControls(service.entry.settings.scheduler)}`;
  const has = (line: string) =>
    words.every((word) => line.toLowerCase().includes(word));
  if (has(text)) return service.servers;
  const servers = service.servers.filter(({ name }) => has(`${text} ${name}`));
  return servers.length > 0 ? servers : undefined;
}

/** The number by which a service or server is sorted. Undefined: unknown. */
function sortValue(
  { rates, change }: Pick<WatchedServer, "rates" | "change">,
  active: number,
  sort: SortKey,
): number | undefined {
  if (sort === "name") return 0; // Keep the listing order.
  if (sort === "active") return active;
  if (sort === "changed") return change?.at;
  return rates && rateOf(rates, sort);
}

/**
 * Sorts items by a number, greatest first. Equal items keep their order, which `sign` reverses as well. Items with an unknown
 * number are last in both directions.
 */
function sorted<T>(
  items: readonly T[],
  sign: number,
  valueOf: (item: T) => number | undefined,
): T[] {
  const valued = items.map((item, place) => {
    const value = valueOf(item);
    return {
      item,
      place,
      value: (value ?? 0) * sign,
      unknown: value === undefined,
    };
  });
  valued.sort(
    (a, b) =>
      Number(a.unknown) - Number(b.unknown) ||
      b.value - a.value ||
      sign * (a.place - b.place),
  );
  return valued.map(({ item }) => item);
}

/** The unit of each rate with a history. */
export const RATE_UNITS: Readonly<Record<HistoryRate, string>> = {
  connections: "conn/s",
  packets: "pkt/s",
  bytes: "B/s",
};

/** The rate whose history is shown. */
export function historyRateFor(sort: SortKey): HistoryRate {
  return HISTORY_RATES.find((kind) => kind === sort) ?? "connections";
}
