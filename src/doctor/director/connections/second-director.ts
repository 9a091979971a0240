import { formatAddress, type Address } from "../../../ipvs/address.js";
import {
  DIRECT_ROUTING,
  formatEndpoint,
  LOCAL_NODE,
  TUNNELING,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { groupsOf } from "../../connections.js";
import { isLocal, nextHopTo, type Network } from "../../network.js";
import { isServing, isSilent } from "../reach/reach.js";
import {
  ANSWERED,
  expirySeconds,
  WAITING_SECONDS,
  type Silence,
  type SilenceFacts,
} from "../reach/silence.js";

/** A real server that answers only some requests. */
interface PartialSilence extends Silence {
  /** How many connections it has answered that are still in the table */
  readonly answered: number;
}

/** A single one can be a client that went away. */
const FEWEST = 2;
/** At least one of so many connections waits. */
const SHARE = 4;
/** The server works again if it has answered a connection so long after the last one that waits. */
const REPAIRED_SECONDS = 2;

/**
 * Real servers that answer only some requests, of services of which this machine is a real server, too: each can be a
 * second director, which balances again what it gets, and sends a part of it back.
 */
export function partialSilences(facts: SilenceFacts): PartialSilence[] {
  return facts.table.flatMap((service) => {
    // Only the kernel knows which connections a firewall mark made.
    if ("firewallMark" in service.key) return [];
    if (!isServedHere(service, facts.network)) return [];
    const counted = service.servers.map((server) => ({
      server,
      ...countsOf(service, server, facts),
    }));
    const waiting = counted.filter(({ count }) => count > 0);
    const [one] = waiting;
    if (!one || waiting.length > 1) return [];
    const { server, count, clients, answered, waitingIdle, answeredIdle } = one;
    return mayBalance(server, facts) &&
      count >= FEWEST &&
      answered > 0 &&
      count * SHARE >= count + answered &&
      answeredIdle + REPAIRED_SECONDS > waitingIdle
      ? [
          {
            ...{ service, server, count, clients, answered },
            sinceSeconds: waitingIdle,
          },
        ]
      : [];
  });
}

/** Whether this machine is a real server of a service. */
function isServedHere(
  { servers }: ServiceWithServers,
  network: Network,
): boolean {
  return servers.some((server) => isServing(server) && isHere(server, network));
}

function isHere({ key, settings }: ServerEntry, network: Network): boolean {
  return (
    settings.forwarding === LOCAL_NODE || isLocal(network, key.address) === true
  );
}

/** Whether a server is another machine that gets packets for the virtual address. */
function mayBalance(
  server: ServerEntry,
  { network, stations }: Pick<SilenceFacts, "network" | "stations">,
): boolean {
  const { key, settings } = server;
  if (
    settings.forwarding !== DIRECT_ROUTING &&
    settings.forwarding !== TUNNELING
  )
    return false;
  const hop = nextHopTo(network, key.address);
  return (
    isServing(server) &&
    !isHere(server, network) &&
    hop !== undefined &&
    !isSilent(network, stations, hop)
  );
}

function countsOf(
  service: ServiceWithServers,
  server: ServerEntry,
  { connections, allServices, timeouts }: SilenceFacts,
) {
  const clients: Address[] = [];
  /** Those that wait long enough, and seconds since the last packet of the newest that waits and that was answered */
  let [count, waitingIdle] = [0, Infinity];
  let [answered, answeredIdle] = [0, Infinity];
  for (const group of groupsOf(connections, service, server, allServices)) {
    clients.push(...group.openingClients);
    for (const [expires, some] of group.opening) {
      const idle = expirySeconds("SYN_RECV", timeouts) - expires;
      waitingIdle = Math.min(waitingIdle, idle);
      if (idle >= WAITING_SECONDS) count += some;
    }
    for (const [state, one] of group.states) {
      if (!ANSWERED.has(state)) continue;
      answered += one.count;
      const idle = expirySeconds(state, timeouts) - one.longestSeconds;
      answeredIdle = Math.min(answeredIdle, idle);
    }
  }
  // Entries that a master sent for a table of before belong to no server of this one, and the kernel does not count them.
  const bound = server.activeConnections + server.inactiveConnections;
  if (bound > 0) answered = Math.min(answered, Math.max(0, bound - count));
  return { clients, count, waitingIdle, answered, answeredIdle };
}

/** So many packets for a connection, all of them small, are those of a loop. */
const LOOPING_PACKETS = 8;
/** A SYN or an ACK without data, with all options */
const LARGEST_EMPTY = 80;

/** Why a server perhaps is a second director, if this machine is one of the service's servers. */
export function directorEvidence(
  service: ServiceWithServers,
  server: ServerEntry,
  facts: Pick<SilenceFacts, "network" | "stations">,
): string[] {
  if (!isServedHere(service, facts.network) || !mayBalance(server, facts))
    return [];
  const { key, stats } = server;
  const { connections, inPackets, inBytes } = stats;
  const loops =
    connections > 0n &&
    inPackets >= connections * BigInt(LOOPING_PACKETS) &&
    inBytes <= inPackets * BigInt(LARGEST_EMPTY);
  return [
    `this machine is a real server of the service as well: if ${formatAddress(key.address)} is a director, too, it perhaps balances requests again, and sends a part of them back here; the command under Next looks at the IPVS table there`,
    ...(loops
      ? [
          `${formatEndpoint(key.address, key.port)} has got ${inPackets} small packets for ${connections} ${connections === 1n ? "connection" : "connections"} since it was added, as if they went round in a loop`,
        ]
      : []),
  ];
}
