import { formatAddress, type Address } from "../../../ipvs/address.js";
import {
  formatEndpoint,
  ONE_PACKET,
  PERSISTENT,
  UDP,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { assess, takesConnections } from "../../../ipvs/state.js";
import type { Known } from "../../check.js";
import { serverName } from "../../commands.js";
import { groupsOf } from "../../connections.js";
import type { Facts } from "../../facts.js";
import type { LaterCounters } from "../../later-counters.js";

/** With more entries, one busy client is one of many. */
const MOST_ENTRIES = 3;
/** So many datagrams are more than a few questions of one client. */
const FEWEST_SINCE_ADDED = 20n;
/** So many are enough between two readings. */
const FEWEST_MEANWHILE = 5n;
/** The part of the datagrams that one server must have */
const NEARLY_ALL = 0.9;
/** A client that was silent for longer sends perhaps nothing between two readings. */
const RECENT_SECONDS = 10;

/** Schedulers that spread clients, with those that also spread datagrams: without entries, all servers look equally idle to lc. */
export const SPREADING_SCHEDULERS: ReadonlyMap<string, string> = new Map([
  ["rr", "rr"],
  ["wrr", "wrr"],
  ["lc", "rr"],
  ["wlc", "wrr"],
  ["sed", "wrr"],
  ["nq", "wrr"],
  ["twos", "wrr"],
]);

type Needed = Known<"connections" | "timeouts"> & Pick<Facts, "later">;

/** The few entries of a UDP service that all belong to one client. */
interface OneClient {
  readonly client: Address;
  readonly entries: number;
  /** How long ago the last datagram came, at least */
  readonly idleSeconds: number;
}

/** The client of a UDP service whose entries are few and of one client; undefined if there is no such client. */
function oneClient(
  service: ServiceWithServers,
  { connections, timeouts }: Needed,
): OneClient | undefined {
  const { key, settings } = service;
  if ("firewallMark" in key || key.protocol !== UDP) return undefined;
  if (settings.flags & (ONE_PACKET | PERSISTENT)) return undefined;
  if (!SPREADING_SCHEDULERS.has(settings.scheduler)) return undefined;
  const groups = service.servers.flatMap((server) =>
    groupsOf(connections, service, server),
  );
  const states = groups.flatMap((group) => [...group.states.values()]);
  const entries = states.reduce((sum, { count }) => sum + count, 0);
  const clients = groups.flatMap((group) => group.clients);
  const [client] = clients;
  if (!client || entries > MOST_ENTRIES) return undefined;
  if (new Set(clients.map(formatAddress)).size > 1) return undefined;
  const longest = Math.max(
    ...states.map(({ longestSeconds }) => longestSeconds),
  );
  return { client, entries, idleSeconds: timeouts.udpSeconds - longest };
}

/** Whether counters must be read again to tell if one server gets all datagrams of a service. */
export function needsLaterDatagrams(
  service: ServiceWithServers,
  facts: Needed,
): boolean {
  const one = oneClient(service, facts);
  return (
    one !== undefined &&
    one.idleSeconds <= RECENT_SECONDS &&
    pinnedDatagrams(service, { ...facts, later: undefined }) === undefined &&
    service.servers.filter(({ settings }) => settings.weight > 0).length > 1
  );
}

/** Whether enough datagrams of a service have come between two readings. */
export function hasEnoughDatagrams(
  service: ServiceWithServers,
  servers: LaterCounters["servers"],
): boolean {
  const came = service.servers.reduce((sum, server) => {
    const later = servers.get(serverName(service, server));
    return sum + (later ? later.inPackets - server.stats.inPackets : 0n);
  }, 0n);
  return came >= FEWEST_MEANWHILE;
}

/** Nearly all datagrams of a service, as they go to one server. */
export interface PinnedDatagrams extends OneClient {
  readonly server: string;
  readonly atServer: bigint;
  readonly all: bigint;
  /** Between two readings; undefined: since the service was added */
  readonly seconds: number | undefined;
}

/** The datagrams that the entries of one client bind to one server, by what the counters show between two readings, or in all. */
export function pinnedDatagrams(
  service: ServiceWithServers,
  facts: Needed,
): PinnedDatagrams | undefined {
  const one = oneClient(service, facts);
  if (!one) return undefined;
  const { later } = facts;
  const before = service.servers.map(({ stats }) => stats.inPackets);
  const came =
    later &&
    service.servers.map((server, i) => {
      const now = later.servers.get(serverName(service, server));
      return now ? now.inPackets - (before[i] ?? 0n) : 0n;
    });
  const connections = service.servers.reduce(
    (sum, { stats }) => sum + stats.connections,
    0n,
  );
  if (later && came && sumOf(came) >= FEWEST_MEANWHILE)
    return judge(service, one, came, later.seconds);
  return sumOf(before) >= FEWEST_SINCE_ADDED &&
    connections <= BigInt(MOST_ENTRIES)
    ? judge(service, one, before, undefined)
    : undefined;
}

function judge(
  service: ServiceWithServers,
  one: OneClient,
  packets: readonly bigint[],
  seconds: number | undefined,
): PinnedDatagrams | undefined {
  const { servers } = assess(service);
  const serving = servers
    .map((server, i) => ({ server, count: packets[i] ?? 0n }))
    .filter(({ server }) => takesConnections(server.state));
  const [most] = [...serving].sort((a, b) => Number(b.count - a.count));
  if (!most || serving.length < 2 || most.server.share >= NEARLY_ALL)
    return undefined;
  const all = sumOf(packets);
  if (Number(most.count) < Number(all) * NEARLY_ALL) return undefined;
  const { address, port } = most.server.key;
  return {
    ...one,
    server: formatEndpoint(address, port),
    atServer: most.count,
    all,
    seconds,
  };
}

function sumOf(counts: readonly bigint[]): bigint {
  return counts.reduce((sum, count) => sum + count, 0n);
}
