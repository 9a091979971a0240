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
 * A real server with weight 0 is chosen for no new connection. Those that it has go on, and so do the clients that
 * persistence binds to it by a connection template: they may even come anew.
 *
 * When is it empty? Active connections and templates must be gone. Inactive ones are two things: of TCP and SCTP
 * those that are being closed, whose entries the kernel keeps for up to two minutes, which nobody misses; and those
 * that are being opened, which become active as soon as the client answers, if it does. For the latter a server
 * must be found empty twice in a row. UDP knows no active connections: all that is under way is inactive, and is
 * waited for. A firewall mark may stand for either.
 * @see ip_vs_bind_dest() in net/netfilter/ipvs/ip_vs_conn.c, set_tcp_state() in ip_vs_proto_tcp.c
 */

/** So many readings in a row must find a server empty. */
const EMPTY_READINGS = 2;

/** A real server that is to become empty. */
export interface DrainingServer {
  readonly service: ServiceKey;
  readonly server: ServerKey;
}

/** How a real server stands that is to become empty. */
export interface DrainState extends DrainingServer {
  /**
   * - `busy`: it has connections, or was found empty only once
   * - `empty`: it has none of those that are waited for
   * - `absent`: it, or its service, is not in the table any more
   * - `undrained`: somebody gave it a weight again, so that nothing is to be waited for
   */
  readonly state: "busy" | "empty" | "absent" | "undrained";
  /** As it was read; undefined if it is absent */
  readonly entry: ServerEntry | undefined;
}

/** How waiting came to its end, and how the servers stand, in the order asked. */
export interface DrainOutcome {
  /** `settled`: none of them is busy; `aborted`: the signal was given */
  readonly end: "settled" | "timeout" | "aborted";
  readonly servers: readonly DrainState[];
}

export interface DrainOptions {
  /** From one reading to the next; a second or so, for two of them must find a server empty */
  readonly pollSeconds: number;
  /** After how long to give up; undefined: never */
  readonly timeoutSeconds?: number | undefined;
  /** Ends waiting early. */
  readonly signal: AbortSignal;
  readonly clock: {
    /** Milliseconds since some moment */
    now(): number;
    /** Comes back early when the signal is given. */
    sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  };
  /** Is told after each reading how the servers stand. @param seconds since waiting began */
  readonly report?: (servers: readonly DrainState[], seconds: number) => void;
}

/**
 * Waits until real servers have no connections any more that somebody would miss. Changes nothing: their weight has
 * to be 0 already, and a server with another counts as `undrained`.
 *
 * They are read at least once. What comes after the last reading is not known: a client that persistence binds may
 * come at any time.
 *
 * @throws {KernelRefusal} when the table cannot be read
 */
export async function waitUntilGone(
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
    // However short the time is, what is empty gets the readings that show it.
    const left = timeoutSeconds - elapsed();
    if (left <= 0 && readings >= EMPTY_READINGS)
      return { end: "timeout", servers: states };
    const seconds = left > 0 ? Math.min(pollSeconds, left) : pollSeconds;
    await clock.sleep(seconds * 1000, signal);
  }
}

/**
 * Reads how real servers stand at this moment. Empty is what has no connections to wait for.
 *
 * @throws {KernelRefusal} when the table cannot be read
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

/** How many connections of a real server are waited for. */
function awaitedConnections(service: ServiceKey, entry: ServerEntry): number {
  const { activeConnections, inactiveConnections, persistentConnections } =
    entry;
  const others = waitsForInactive(service) ? inactiveConnections : 0;
  return activeConnections + persistentConnections + others;
}

/** Whether the inactive connections of a service's real servers may be under way. */
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
