import type { Stats } from "../../ipvs/model.js";
import {
  SERVER_STATES,
  SERVICE_STATES,
  type AssessedServer,
  type AssessedService,
} from "../../ipvs/state.js";
import { sortServers, sortServices } from "../../view/order.js";
import type { SortKey } from "./column-keys.js";
import type { Shown } from "./filter.js";
import { sumsOf } from "./sums.js";

/** How great services and servers are in a sense. */
interface Measure {
  readonly service: (shown: Shown) => number | bigint;
  readonly server: (server: AssessedServer) => number | bigint;
}

const ofStats = (measure: (stats: Stats) => bigint): Measure => ({
  service: ({ service }) => measure(service.stats),
  server: ({ stats }) => measure(stats),
});

const MEASURES: Readonly<Record<Exclude<SortKey, "name">, Measure>> = {
  state: {
    service: gravity,
    server: ({ state }) => SERVER_STATES.indexOf(state),
  },
  weight: {
    service: ({ service }) => service.effectiveWeight,
    server: ({ settings }) => settings.weight,
  },
  active: {
    service: ({ service }) => sumsOf(service).active,
    server: ({ activeConnections }) => activeConnections,
  },
  connections: {
    service: ({ service }) => connectionsOf(service),
    server: ({ activeConnections, inactiveConnections }) =>
      activeConnections + inactiveConnections,
  },
  persistent: {
    service: ({ service }) => sumsOf(service).persistent,
    server: ({ persistentConnections }) => persistentConnections,
  },
  rate: ofStats(({ connectionsPerSecond }) => connectionsPerSecond),
  traffic: ofStats(
    ({ inBytesPerSecond, outBytesPerSecond }) =>
      inBytesPerSecond + outBytesPerSecond,
  ),
  total: ofStats(({ connections }) => connections),
  bytes: ofStats(({ inBytes, outBytes }) => inBytes + outBytes),
};

function connectionsOf(service: AssessedService): number {
  const { active, inactive } = sumsOf(service);
  return active + inactive;
}

/** A service out of order is graver than all that its servers can be. */
function gravity({ service, servers }: Shown): number {
  const own = SERVICE_STATES.indexOf(service.state);
  return own > 0
    ? SERVER_STATES.length + own
    : Math.max(0, ...servers.map(({ state }) => SERVER_STATES.indexOf(state)));
}

/** Sorts services, and the servers of each; those that are equal keep the order of the classic listing. */
export function sortShown(
  shown: readonly Shown[],
  key: SortKey,
  reverse: boolean,
): Shown[] {
  const byKey = new Map(shown.map((one) => [one.service, one]));
  const named = sortServices(shown.map(({ service }) => service)).flatMap(
    (service) => byKey.get(service) ?? [],
  );
  const measure = key === "name" ? undefined : MEASURES[key];
  return ordered(named, measure?.service, reverse).map(
    ({ service, servers }) => ({
      service,
      servers: ordered(sortServers(servers), measure?.server, reverse),
    }),
  );
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
