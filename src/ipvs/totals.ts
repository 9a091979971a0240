import type { ServerEntry, ServiceWithServers, Stats } from "./model.js";

/** How many connections real servers have. */
export interface ConnectionCounts {
  readonly activeConnections: number;
  readonly inactiveConnections: number;
  /** Persistence templates */
  readonly persistentConnections: number;
}

/** Adds up the connections of real servers. */
export function sumConnections(
  servers: readonly Pick<ServerEntry, keyof ConnectionCounts>[],
): ConnectionCounts {
  const sums = {
    activeConnections: 0,
    inactiveConnections: 0,
    persistentConnections: 0,
  };
  for (const server of servers) {
    sums.activeConnections += server.activeConnections;
    sums.inactiveConnections += server.inactiveConnections;
    sums.persistentConnections += server.persistentConnections;
  }
  return sums;
}

/** Sums over all services. Counters and rates are the sums of the services' own. */
export interface Totals extends Stats, ConnectionCounts {
  readonly services: number;
  readonly servers: number;
}

/** Counters and rates before the first packet. */
export const NO_TRAFFIC: Stats = {
  connections: 0n,
  inPackets: 0n,
  outPackets: 0n,
  inBytes: 0n,
  outBytes: 0n,
  connectionsPerSecond: 0n,
  inPacketsPerSecond: 0n,
  outPacketsPerSecond: 0n,
  inBytesPerSecond: 0n,
  outBytesPerSecond: 0n,
};

const NOTHING: Totals = {
  services: 0,
  servers: 0,
  activeConnections: 0,
  inactiveConnections: 0,
  persistentConnections: 0,
  ...NO_TRAFFIC,
};

/** Adds up a table. */
export function totalsOf(table: readonly ServiceWithServers[]): Totals {
  const totals: Record<string, number | bigint> = { ...NOTHING };
  const add = (name: string, value: number | bigint) => {
    const sum = totals[name] ?? 0;
    totals[name] =
      typeof value === "bigint" ? BigInt(sum) + value : Number(sum) + value;
  };
  for (const { stats, servers } of table) {
    add("services", 1);
    add("servers", servers.length);
    for (const [name, value] of Object.entries(stats) as [string, bigint][])
      add(name, value);
    for (const server of servers) {
      add("activeConnections", server.activeConnections);
      add("inactiveConnections", server.inactiveConnections);
      add("persistentConnections", server.persistentConnections);
    }
  }
  return totals as unknown as Totals;
}
