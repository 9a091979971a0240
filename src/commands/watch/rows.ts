import { escapeControls } from "../../cli/escape.js";
import type { Sample, WatchedServer, WatchedService } from "./sampler.js";
import { rateOf, SPARKED, type Sparked } from "./rates.js";

/** By what services, and the servers of each, can be sorted: by a rate, or by something else. */
export const SORT_KEYS = [...SPARKED, "active", "changed", "name"] as const;
export type SortKey = (typeof SORT_KEYS)[number];

/** How each is called, and what comes first. */
export const SORT_NAMES: Readonly<
  Record<SortKey, readonly [name: string, usual: string, reversed: string]>
> = {
  connections: ["connections/s", "busiest first", "idlest first"],
  packets: ["packets/s", "busiest first", "idlest first"],
  bytes: ["bytes/s", "busiest first", "idlest first"],
  active: ["active connections", "most first", "fewest first"],
  changed: ["changes", "latest first", "latest last"],
  name: ["name", "as listed", "from the end"],
};

export interface Arrangement {
  readonly sort: SortKey;
  readonly reversed: boolean;
  /** Words that must all occur in a service, or in a server */
  readonly filter: string;
  /** Whether the servers are shown */
  readonly servers: boolean;
}

/** A line of the table. */
export type Row =
  | { readonly service: WatchedService; readonly server?: undefined }
  | { readonly service: WatchedService; readonly server: WatchedServer };

/**
 * The lines of the table: services in the order wanted, under each its servers in the same order.
 *
 * A service that the filter finds has all its servers; otherwise those that the filter finds.
 */
export function arrange(
  { services }: Pick<Sample, "services">,
  { sort, reversed, filter, servers: shown }: Arrangement,
): Row[] {
  const words = filter.toLowerCase().split(/\s+/).filter(Boolean);
  const sign = reversed ? -1 : 1;
  const found = services.flatMap((service) => {
    const servers = matching(service, words);
    return servers ? [{ service, servers }] : [];
  });
  const rows: Row[] = [];
  for (const { service, servers } of sorted(found, sign, (found) =>
    weigh(found.service, found.service.activeConnections, sort),
  )) {
    rows.push({ service });
    if (!shown) continue;
    for (const server of sorted(servers, sign, (server) =>
      weigh(server, server.entry.activeConnections, sort),
    ))
      rows.push({ service, server });
  }
  return rows;
}

/** The servers to be shown with a service; undefined if it is not to be shown at all. */
function matching(
  service: WatchedService,
  words: readonly string[],
): readonly WatchedServer[] | undefined {
  if (words.length === 0) return service.servers;
  const own = `${service.name} ${escapeControls(service.entry.settings.scheduler)}`;
  const has = (text: string) =>
    words.every((word) => text.toLowerCase().includes(word));
  if (has(own)) return service.servers;
  const servers = service.servers.filter(({ name }) => has(`${own} ${name}`));
  return servers.length > 0 ? servers : undefined;
}

/** The number by which a service or server is sorted; undefined if there is none. */
function weigh(
  { rates, change }: Pick<WatchedServer, "rates" | "change">,
  active: number,
  sort: SortKey,
): number | undefined {
  if (sort === "name") return 0; // as listed
  if (sort === "active") return active;
  if (sort === "changed") return change?.at;
  return rates && rateOf(rates, sort);
}

/**
 * The greatest first, equal ones as they stood; the reverse has equal ones the other way round as well. What
 * has no number comes last, either way: it is neither busy nor idle.
 */
function sorted<T>(
  items: readonly T[],
  sign: number,
  weightOf: (item: T) => number | undefined,
): T[] {
  const weighed = items.map((item, place) => {
    const weight = weightOf(item);
    return {
      item,
      place,
      weight: (weight ?? 0) * sign,
      last: weight === undefined,
    };
  });
  weighed.sort(
    (a, b) =>
      Number(a.last) - Number(b.last) ||
      b.weight - a.weight ||
      sign * (a.place - b.place),
  );
  return weighed.map(({ item }) => item);
}

/** The rate that a minute is shown of. */
export function sparkedBy(sort: SortKey): Sparked {
  return SPARKED.find((kind) => kind === sort) ?? "connections";
}
