import { type Address } from "../../../ipvs/address.js";
import {
  DIRECT_ROUTING,
  formatEndpoint,
  MASQUERADING,
  PERSISTENT,
  TUNNELING,
  type ServerEntry,
  type ServiceWithServers,
  type Timeouts,
} from "../../../ipvs/model.js";
import { sameAddress } from "../../../ipvs/address.js";
import { groupsOf, type ConnectionGroup } from "../../connections.js";
import type { Connections } from "../../connections.js";
import { nextHopTo, type Network, type Stations } from "../../network.js";
import { isServing, isSilent } from "./reach.js";

/** A real server whose connections all wait for an answer. */
export interface Silence {
  readonly service: ServiceWithServers;
  readonly server: ServerEntry;
  /** How many wait in SYN_RECV */
  readonly count: number;
  /** A few of the clients that wait */
  readonly clients: readonly Address[];
  /** Seconds since the last packet of any that waits */
  readonly sinceSeconds: number;
  /** Seconds since the last packet of any other connection of the server; undefined if there is none */
  readonly othersSeconds?: number | undefined;
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

/** Clients repeat a request after 1, 2, 4 and 8 seconds: without a packet for longer, perhaps none tries any more. */
const OLD_SECONDS = 10;

/** How old the waiting connections are, if that is long: something may have been repaired since. */
export function ageEvidence({ sinceSeconds }: Silence): string[] {
  return sinceSeconds < OLD_SECONDS
    ? []
    : [
        `the last packet of those that wait came ${sinceSeconds} s ago: if something was repaired since, let a client try again`,
      ];
}

/** Fewer connections can be those of a scanner, or on their way right now. */
const FEWEST = 3;
/** So many are enough if another server of the service answers meanwhile. */
const FEWEST_BESIDE_OTHERS = 2;
/** And if the last packet of one of them is at least this old: clients repeat a request after 1, 2 and 4 seconds. */
export const WAITING_SECONDS = 3;

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

/** States of connections that a server has answered */
export const ANSWERED: ReadonlySet<string> = new Set([
  "ESTABLISHED",
  "FIN_WAIT",
  "TIME_WAIT",
  "CLOSE_WAIT",
  "LAST_ACK",
]);

/** Schedulers that send a client to the same server each time */
const HASHING: ReadonlySet<string> = new Set(["sh", "mh"]);

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
 * the service are alike and three wait for them together, or if two wait for seconds and another server has answered
 * connections meanwhile.
 */
export function silences(facts: SilenceFacts): Silence[] {
  return facts.table.flatMap((service) => {
    const serving = service.servers.filter(isServing);
    const silent = serving.flatMap((server) =>
      silenceOf(service, server, facts),
    );
    const together = silent.reduce((sum, { count }) => sum + count, 0);
    const all = silent.length === serving.length && together >= FEWEST;
    return silent.filter(
      ({ server, count }) =>
        all ||
        count >= FEWEST ||
        answeringMeanwhile(service, server, facts).length > 0,
    );
  });
}

/**
 * The other servers of a service that have answered connections while requests to this server wait. None if that says
 * nothing: fewer than two wait, they began just now, all answers came after the last of their packets, so that a fault of
 * all servers may have been repaired in between, or the service keeps a client with its server, so that the client can be
 * the cause.
 */
export function answeringMeanwhile(
  service: ServiceWithServers,
  server: ServerEntry,
  { connections, timeouts, allServices }: SilenceFacts,
): ServerEntry[] {
  const { flags, scheduler } = service.settings;
  if (flags & PERSISTENT || HASHING.has(scheduler)) return [];
  // Only the kernel knows which connections a firewall mark made.
  if ("firewallMark" in service.key) return [];
  const groups = groupsOf(connections, service, server, allServices);
  const { count, idleSeconds, sinceSeconds } = waitingIn(groups, timeouts);
  if (count < FEWEST_BESIDE_OTHERS || idleSeconds < WAITING_SECONDS) return [];
  return service.servers.filter((other) => {
    if (other === server || !isServing(other)) return false;
    const theirs = groupsOf(connections, service, other, allServices);
    return (
      waitingIn(theirs, timeouts).count === 0 &&
      theirs.some(({ states }) =>
        Array.from(states).some(
          ([state, { longestSeconds, shortestSeconds }]) =>
            ANSWERED.has(state) &&
            expirySeconds(state, timeouts) - longestSeconds <= idleSeconds &&
            expirySeconds(state, timeouts) - shortestSeconds >= sinceSeconds,
        ),
      )
    );
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
  const {
    count: waiting,
    sinceSeconds,
    othersSeconds,
  } = waitingIn(groups, timeouts);
  // Only the kernel knows which connections a firewall mark made: it counts them for the server.
  const count =
    "firewallMark" in service.key
      ? Math.min(waiting, server.activeConnections + server.inactiveConnections)
      : waiting;
  if (count === 0) return [];
  const clients = groups.flatMap(({ openingClients }) => openingClients);
  return [{ service, server, count, clients, sinceSeconds, othersSeconds }];
}

/** The connections that wait for an answer and began after the last packet of every other connection. */
function waitingIn(
  groups: readonly ConnectionGroup[],
  timeouts: Timeouts,
): {
  count: number;
  /** Of the oldest */
  idleSeconds: number;
  /** Of the youngest */
  sinceSeconds: number;
  /** Of the connection that got further and had the last packet */
  othersSeconds: number | undefined;
} {
  let idle = Infinity;
  for (const { states } of groups)
    for (const [state, { longestSeconds }] of states)
      if (state !== "SYN_RECV")
        idle = Math.min(idle, expirySeconds(state, timeouts) - longestSeconds);
  let count = 0;
  let idleSeconds = 0;
  let sinceSeconds = Infinity;
  for (const { opening } of groups)
    for (const [expires, some] of opening) {
      const seconds = expirySeconds("SYN_RECV", timeouts) - expires;
      if (seconds >= idle) continue;
      count += some;
      idleSeconds = Math.max(idleSeconds, seconds);
      sinceSeconds = Math.min(sinceSeconds, seconds);
    }
  const othersSeconds = idle === Infinity ? undefined : idle;
  return { count, idleSeconds, sinceSeconds, othersSeconds };
}
