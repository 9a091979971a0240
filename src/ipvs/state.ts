import type { ServerEntry, ServiceEntry, ServiceWithServers } from "./model.js";

/*
 * How services and real servers are, as far as it follows from what the kernel tells. It keeps a flag for each real
 * server, IP_VS_DEST_F_OVERLOAD, of which netlink says nothing:
 *   - set when its active and inactive connections together reach the upper threshold,
 *   - cleared when they fall below the lower threshold, or below three quarters of the upper if there is no lower.
 * In between it may be set or not. Schedulers pass over a server with the flag.
 * @see ip_vs_bind_dest(), ip_vs_unbind_dest() in net/netfilter/ipvs/ip_vs_conn.c
 */

/** How a real server can be, the gravest last. */
export const SERVER_STATES = [
  "ok",
  /** Between its thresholds: it gets no new connections if it was overloaded, which the kernel does not tell */
  "maybe-overloaded",
  /** Weight 0: no new connections, but for the clients that persistence binds to it */
  "draining",
  /** At its upper threshold: no new connections */
  "overloaded",
] as const;
export type ServerState = (typeof SERVER_STATES)[number];

/** How a virtual service can be, the gravest last. */
export const SERVICE_STATES = [
  "ok",
  /** Every real server that is not drained is overloaded */
  "all-overloaded",
  /** Every real server has weight 0 */
  "all-drained",
  "no-servers",
] as const;
export type ServiceState = (typeof SERVICE_STATES)[number];

/** A real server, and what follows from what the kernel tells of it. */
export interface AssessedServer extends ServerEntry {
  readonly state: ServerState;
  /** Its part of the weight of all servers of the service that can take connections, 0 to 1 */
  readonly share: number;
}

/** A virtual service with its real servers, and what follows from what the kernel tells of them. */
export interface AssessedService extends ServiceEntry {
  readonly state: ServiceState;
  /** The sum of the weights of all servers that can take connections */
  readonly effectiveWeight: number;
  readonly servers: readonly AssessedServer[];
}

/** How a real server is. */
export function serverState(server: ServerEntry): ServerState {
  const { weight, upperThreshold: upper, lowerThreshold } = server.settings;
  if (weight === 0) return "draining";
  if (upper === 0) return "ok";
  const connections = server.activeConnections + server.inactiveConnections;
  if (connections >= upper) return "overloaded";
  const below =
    lowerThreshold === 0
      ? connections * 4 < upper * 3
      : connections < lowerThreshold;
  return below ? "ok" : "maybe-overloaded";
}

/** Whether a real server in a state is given new connections, as far as can be told. */
export function takesConnections(state: ServerState): boolean {
  return state === "ok" || state === "maybe-overloaded";
}

/** How a virtual service is, by the states of all its real servers. */
export function serviceState(servers: readonly ServerState[]): ServiceState {
  if (servers.length === 0) return "no-servers";
  if (servers.some(takesConnections)) return "ok";
  return servers.includes("overloaded") ? "all-overloaded" : "all-drained";
}

/** Finds out how a service and its real servers are. */
export function assess(service: ServiceWithServers): AssessedService {
  const states = service.servers.map(serverState);
  const weights = service.servers.map(({ settings }, i) =>
    takesConnections(states[i] ?? "ok") ? settings.weight : 0,
  );
  const effectiveWeight = weights.reduce((sum, weight) => sum + weight, 0);
  return {
    ...service,
    state: serviceState(states),
    effectiveWeight,
    servers: service.servers.map((server, i) => ({
      ...server,
      state: states[i] ?? "ok",
      share: effectiveWeight === 0 ? 0 : (weights[i] ?? 0) / effectiveWeight,
    })),
  };
}
