import type { IpvsClient } from "./client.js";
import {
  formatEndpoint,
  formatService,
  SCTP,
  TCP,
  type ServerEntry,
  type ServerKey,
  type ServiceKey,
} from "./model.js";
import { poll, type PollOptions } from "./poll.js";

/*
 * A real server with weight 0 gets no new connections. Its existing connections continue. Clients
 * that a persistence template binds to it can even open new ones.
 *
 * A server is drained when its active connections and persistence templates are gone. Inactive
 * connections need care:
 *
 * - TCP and SCTP: most are closing. The kernel keeps their entries for up to two minutes, and
 *   nobody misses them. Some are opening, and become active when the client replies. Therefore a
 *   server must be empty in two readings in a row.
 * - UDP: all connections are inactive, so the drain waits for them.
 * - Firewall marks: the connections can be of any protocol, so the drain waits for inactive ones
 *   too.
 *
 * @see ip_vs_bind_dest() in net/netfilter/ipvs/ip_vs_conn.c, set_tcp_state() in ip_vs_proto_tcp.c
 */

/** A server counts as empty after this number of empty readings in a row. */
export const EMPTY_READINGS = 2;

/** A real server to wait for. */
export interface DrainingServer {
  readonly service: ServiceKey;
  readonly server: ServerKey;
}

/** The drain state of a real server. */
export interface DrainState extends DrainingServer {
  /**
   * - `busy`: it has connections, or was empty in only one reading
   * - `empty`: it has no connections to wait for
   * - `absent`: the server or its service is not in the table any more
   * - `undrained`: its weight is not 0, so there is nothing to wait for
   */
  readonly state: "busy" | "empty" | "absent" | "undrained";
  /** The server as it was read; undefined if it is absent */
  readonly entry: ServerEntry | undefined;
}

/** The result of a drain: why waiting ended, and the state of each server, in the order given. */
export interface DrainOutcome {
  /**
   * `settled`: no server is busy. `timeout`: the time is over. `aborted`: the signal was triggered
   */
  readonly end: "settled" | "timeout" | "aborted";
  readonly servers: readonly DrainState[];
}

/**
 * How to wait. A second between two readings is right, because a server must be empty in two
 * readings.
 */
export interface DrainOptions extends PollOptions {
  /** Is called after each reading. @param seconds since the beginning */
  readonly report?: (servers: readonly DrainState[], seconds: number) => void;
}

/**
 * Waits until real servers have no connections left that matter. Changes nothing: set their weights
 * to 0 first. A server with another weight counts as `undrained`.
 *
 * Reads the servers at least once. A persistent client may still connect after the last reading.
 *
 * @throws {KernelRefusal} if the table cannot be read
 */
export async function waitUntilDrained(
  client: Pick<IpvsClient, "serversOf">,
  servers: readonly DrainingServer[],
  options: DrainOptions,
): Promise<DrainOutcome> {
  const empty = new EmptyReadings();
  const { end, last } = await poll(
    async (seconds) => {
      const states = empty.next(await readStates(client, servers));
      options.report?.(states, seconds);
      return states;
    },
    (states) => states.every(({ state }) => state !== "busy"),
    options,
    EMPTY_READINGS,
  );
  return { end, servers: last };
}

/** Counts the readings in a row in which a server was empty. Before they are enough, it is busy. */
export class EmptyReadings {
  #counts: ReadonlyMap<string, number> = new Map();

  /** The states of the next reading, with those that are not yet surely empty as busy. */
  next(states: readonly DrainState[]): DrainState[] {
    const counts = new Map<string, number>();
    const found = states.map((one) => {
      if (one.state !== "empty") return one;
      const id = `${formatService(one.service)} ${nameOf(one.server)}`;
      const count = (this.#counts.get(id) ?? 0) + 1;
      counts.set(id, count);
      return count < EMPTY_READINGS ? { ...one, state: "busy" as const } : one;
    });
    this.#counts = counts;
    return found;
  }
}

/**
 * Reads the state of each server once.
 *
 * @throws {KernelRefusal} if the table cannot be read
 */
async function readStates(
  client: Pick<IpvsClient, "serversOf">,
  servers: readonly DrainingServer[],
): Promise<DrainState[]> {
  const services = new Map(
    servers.map(({ service }) => [formatService(service), service]),
  );
  const lists = await client.serversOf([...services.values()]);
  const entries = new Map<string, ServerEntry>();
  for (const [i, service] of [...services.keys()].entries())
    for (const entry of lists[i] ?? [])
      entries.set(`${service} ${nameOf(entry.key)}`, entry);
  return servers.map(({ service, server }) => {
    const entry = entries.get(`${formatService(service)} ${nameOf(server)}`);
    return drainState(service, server, entry);
  });
}

/** The number of connections that the drain waits for. */
function awaitedConnections(service: ServiceKey, entry: ServerEntry): number {
  const { activeConnections, inactiveConnections, persistentConnections } =
    entry;
  const others = waitsForInactive(service) ? inactiveConnections : 0;
  return activeConnections + persistentConnections + others;
}

/** Whether inactive connections can be in use: always except for TCP and SCTP. */
function waitsForInactive(service: ServiceKey): boolean {
  return (
    "firewallMark" in service ||
    (service.protocol !== TCP && service.protocol !== SCTP)
  );
}

/** The drain state of a server in one reading. @param entry undefined if it is not in the table */
export function drainState(
  service: ServiceKey,
  server: ServerKey,
  entry: ServerEntry | undefined,
): DrainState {
  return { service, server, entry, state: stateOf(service, entry) };
}

function stateOf(
  service: ServiceKey,
  entry: ServerEntry | undefined,
): DrainState["state"] {
  if (!entry) return "absent";
  if (entry.settings.weight !== 0) return "undrained";
  return awaitedConnections(service, entry) > 0 ? "busy" : "empty";
}

function nameOf({ address, port }: ServerKey): string {
  return formatEndpoint(address, port);
}
