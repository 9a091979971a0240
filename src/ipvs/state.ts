import type { ServerEntry, ServiceEntry, ServiceWithServers } from "./model.js";

/*
 * The states of services and real servers, derived from what the kernel reports. The kernel has a
 * flag for overloaded servers, IP_VS_DEST_F_OVERLOAD, but does not report it over netlink:
 *
 * - It is set when active and inactive connections together reach the upper threshold.
 * - It is cleared when they fall below the lower threshold, or below three quarters of the upper
 *   threshold if there is no lower one.
 * - Between these two limits it may be set or not.
 *
 * Schedulers skip a server with the flag.
 *
 * @see ip_vs_bind_dest(), ip_vs_unbind_dest() in net/netfilter/ipvs/ip_vs_conn.c
 */

/** The states of a real server, the most severe last. */
export const SERVER_STATES = [
  "ok",
  /**
   * Between its thresholds. It gets no new connections if the kernel's overload flag is set, which
   * is unknown
   */
  "maybe-overloaded",
  /** Weight 0: no new connections, except from clients with a persistence template */
  "draining",
  /** At its upper threshold: no new connections */
  "overloaded",
] as const;
export type ServerState = (typeof SERVER_STATES)[number];

/** The states of a virtual service, the most severe last. */
export const SERVICE_STATES = [
  "ok",
  /** All servers with a weight above 0 are overloaded */
  "all-overloaded",
  /** All servers have weight 0 */
  "all-drained",
  "no-servers",
] as const;
export type ServiceState = (typeof SERVICE_STATES)[number];

/** A real server with its state. */
export interface AssessedServer extends ServerEntry {
  readonly state: ServerState;
  /** Its share of the service's effective weight, 0 to 1 */
  readonly share: number;
}

/** A virtual service with its state and its assessed servers. */
export interface AssessedService extends ServiceEntry {
  readonly state: ServiceState;
  /** The sum of the weights of all servers that accept new connections */
  readonly effectiveWeight: number;
  readonly servers: readonly AssessedServer[];
}

/** The state of a real server. */
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

/** Whether a server in this state gets new connections, as far as is known. */
export function takesConnections(state: ServerState): boolean {
  return state === "ok" || state === "maybe-overloaded";
}

/** The state of a virtual service, from the states of its servers. */
export function serviceState(servers: readonly ServerState[]): ServiceState {
  if (servers.length === 0) return "no-servers";
  if (servers.some(takesConnections)) return "ok";
  return servers.includes("overloaded") ? "all-overloaded" : "all-drained";
}

/** Adds the states to a service and its servers. */
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
