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
const EMPTY_READINGS = 2;

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

export interface DrainOptions {
  /**
   * Time between two readings. About a second is right, because a server must be empty in two
   * readings
   */
  readonly pollSeconds: number;
  /** Time to wait at most; undefined waits without limit */
  readonly timeoutSeconds?: number | undefined;
  /** Stops waiting early. */
  readonly signal: AbortSignal;
  readonly clock: {
    /** Milliseconds since an arbitrary moment */
    now(): number;
    /** Returns early if the signal is triggered. */
    sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  };
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
  const { clock, signal, pollSeconds, timeoutSeconds = Infinity } = options;
  const began = clock.now();
  const elapsed = () => (clock.now() - began) / 1000;
  const emptyReadings = servers.map(() => 0);
  for (let readings = 1; ; readings++) {
    const states = (await readStates(client, servers)).map((state, i) => {
      const count = state.state === "empty" ? (emptyReadings[i] ?? 0) + 1 : 0;
      emptyReadings[i] = count;
      return count > 0 && count < EMPTY_READINGS
        ? { ...state, state: "busy" as const }
        : state;
    });
    options.report?.(states, elapsed());
    if (states.every(({ state }) => state !== "busy"))
      return { end: "settled", servers: states };
    if (signal.aborted) return { end: "aborted", servers: states };
    // Even with a short timeout, take enough readings to recognize an empty server.
    const left = timeoutSeconds - elapsed();
    if (left <= 0 && readings >= EMPTY_READINGS)
      return { end: "timeout", servers: states };
    const seconds = left > 0 ? Math.min(pollSeconds, left) : pollSeconds;
    await clock.sleep(seconds * 1000, signal);
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
    return { service, server, entry, state: stateOf(service, entry) };
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
