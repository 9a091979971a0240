import { SERVER_STATES, SERVICE_STATES } from "../../ipvs/state.js";
import { sortServers, sortServices } from "../../view/order.js";
import type { SortKey } from "./option-values.js";
import {
  serverRow,
  serviceRow,
  type Figures,
  type ListedService,
  type ServerRow,
  type ServiceRow,
} from "./rows.js";

/** The number by which a row is sorted. */
type Measure = (row: ServiceRow | ServerRow) => number | bigint;

const sumOf =
  (a: keyof Figures, b: keyof Figures): Measure =>
  ({ figures }) =>
    BigInt(figures[a]) + BigInt(figures[b]);

const MEASURES: Readonly<Record<Exclude<SortKey, "name">, Measure>> = {
  state: severityOf,
  weight: (row) =>
    row.kind === "service"
      ? row.service.effectiveWeight
      : row.server.settings.weight,
  active: ({ figures }) => figures.activeConnections,
  connections: sumOf("activeConnections", "inactiveConnections"),
  persistent: ({ figures }) => figures.persistentConnections,
  rate: ({ figures }) => figures.connectionsPerSecond,
  traffic: sumOf("inBytesPerSecond", "outBytesPerSecond"),
  total: ({ figures }) => figures.connections,
  bytes: sumOf("inBytes", "outBytes"),
};

/** How severe a state is. A service without a usable server is more severe than any state of a server. */
function severityOf(row: ServiceRow | ServerRow): number {
  if (row.kind === "server") return SERVER_STATES.indexOf(row.server.state);
  const { service, servers } = row.listed;
  const severity = SERVICE_STATES.indexOf(service.state);
  return severity > 0
    ? SERVER_STATES.length + severity
    : Math.max(0, ...servers.map(({ state }) => SERVER_STATES.indexOf(state)));
}

/** Sorts services, and the servers of each. Equal ones keep the order of the classic listing. */
export function sortListing(
  listing: readonly ListedService[],
  key: SortKey,
  reverse: boolean,
): ListedService[] {
  const byService = new Map(listing.map((one) => [one.service, one]));
  const byName = sortServices(listing.map(({ service }) => service)).flatMap(
    (service) => byService.get(service) ?? [],
  );
  const measure = key === "name" ? undefined : MEASURES[key];
  const services = ordered(
    byName,
    measure && ((listed) => measure(serviceRow(listed))),
    reverse,
  );
  return services.map(({ service, servers }) => ({
    service,
    servers: ordered(
      sortServers(servers),
      measure && ((server) => measure(serverRow(service, server))),
      reverse,
    ),
  }));
}

function ordered<T>(
  items: readonly T[],
  measure: ((item: T) => number | bigint) | undefined,
  reverse: boolean,
): T[] {
  if (!measure) return reverse ? items.toReversed() : [...items];
  const measured = items.map((item) => ({ item, size: measure(item) }));
  const sign = reverse ? -1 : 1;
  return measured
    .sort((a, b) => (a.size === b.size ? 0 : a.size > b.size ? -sign : sign))
    .map(({ item }) => item);
}
