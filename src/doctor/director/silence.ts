import { type Address } from "../../ipvs/address.js";
import {
  DIRECT_ROUTING,
  formatEndpoint,
  MASQUERADING,
  TUNNELING,
  type ServerEntry,
  type ServiceWithServers,
  type Timeouts,
} from "../../ipvs/model.js";
import { sameAddress } from "../../ipvs/address.js";
import { groupsOf, type ConnectionGroup } from "../connections.js";
import type { Connections } from "../connections.js";
import { nextHopTo, type Network, type Stations } from "../network.js";
import { isServing, isSilent } from "./reach.js";

/** A real server whose connections all wait for an answer. */
export interface Silence {
  readonly service: ServiceWithServers;
  readonly server: ServerEntry;
  /** How many wait in SYN_RECV */
  readonly count: number;
  /** A few of the clients that wait */
  readonly clients: readonly Address[];
}

/** What is needed to tell that servers do not answer */
export interface SilenceFacts {
  readonly table: readonly ServiceWithServers[];
  readonly allServices: readonly ServiceWithServers[];
  readonly network: Network;
  readonly stations: Stations;
  readonly connections: Connections;
  readonly timeouts: Timeouts;
}

/** A silence as evidence of its cause. */
export function waitingText({ server, count }: Silence): string {
  const { address, port } = server.key;
  return `${count} ${count === 1 ? "connection" : "connections"} to ${formatEndpoint(address, port)} ${count === 1 ? "waits" : "wait"} in SYN_RECV`;
}

/** Fewer connections can be those of a scanner, or on their way right now. */
const FEWEST = 3;

/**
 * Seconds after the last packet when the kernel forgets a TCP connection in a state.
 *
 * @see tcp_timeouts in net/netfilter/ipvs/ip_vs_proto_tcp.c
 */
const EXPIRY_SECONDS: Readonly<Record<string, number>> = {
  SYN_SENT: 120,
  SYN_RECV: 60,
  TIME_WAIT: 120,
  CLOSE: 10,
  CLOSE_WAIT: 60,
  LAST_ACK: 30,
  SYNACK: 120,
};

const METHODS: ReadonlySet<number> = new Set([
  MASQUERADING,
  DIRECT_ROUTING,
  TUNNELING,
]);

/** Seconds after the last packet when a connection in a state expires. */
export function expirySeconds(state: string, timeouts: Timeouts): number {
  if (state === "ESTABLISHED") return timeouts.tcpSeconds;
  if (state === "FIN_WAIT") return timeouts.tcpFinSeconds;
  return EXPIRY_SECONDS[state] ?? 0;
}

/**
 * The real servers that answer nobody. Three waiting connections make a server silent; fewer do so if all servers of
 * the service are alike and three wait for them together.
 */
export function silences(facts: SilenceFacts): Silence[] {
  return facts.table.flatMap((service) => {
    const serving = service.servers.filter(isServing);
    const silent = serving.flatMap((server) =>
      silenceOf(service, server, facts),
    );
    const together = silent.reduce((sum, { count }) => sum + count, 0);
    const all = silent.length === serving.length && together >= FEWEST;
    return silent.filter(({ count }) => all || count >= FEWEST);
  });
}

function silenceOf(
  service: ServiceWithServers,
  server: ServerEntry,
  { network, stations, connections, timeouts, allServices }: SilenceFacts,
): Silence[] {
  const { forwarding } = server.settings;
  if (!METHODS.has(forwarding)) return [];
  const hop = nextHopTo(network, server.key.address);
  // Other findings say that a server cannot be reached.
  if (!hop || isSilent(network, stations, hop)) return [];
  if (
    forwarding === DIRECT_ROUTING &&
    !sameAddress(hop.address, server.key.address)
  )
    return [];
  const groups = groupsOf(connections, service, server, allServices);
  const waiting = waitingIn(groups, timeouts);
  // Only the kernel knows which connections a firewall mark made: it counts them for the server.
  const count =
    "firewallMark" in service.key
      ? Math.min(waiting, server.activeConnections + server.inactiveConnections)
      : waiting;
  if (count === 0) return [];
  const clients = groups.flatMap(({ openingClients }) => openingClients);
  return [{ service, server, count, clients }];
}

/** How many connections wait for an answer that began after the last packet of every other connection. */
function waitingIn(
  groups: readonly ConnectionGroup[],
  timeouts: Timeouts,
): number {
  let idle = Infinity;
  for (const { states } of groups)
    for (const [state, { longestSeconds }] of states)
      if (state !== "SYN_RECV")
        idle = Math.min(idle, expirySeconds(state, timeouts) - longestSeconds);
  let count = 0;
  for (const { opening } of groups)
    for (const [seconds, some] of opening)
      if (expirySeconds("SYN_RECV", timeouts) - seconds < idle) count += some;
  return count;
}
