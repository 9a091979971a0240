import { INET6 } from "../../../ipvs/address.js";
import type { ServerEntry, ServiceWithServers } from "../../../ipvs/model.js";
import { isUdp } from "./probe.js";

/** Fewer packets per second are rounded too much. */
const FEWEST = 5;
/** A refused connection is answered with one reset. Some clients try a refused connection three times. */
const MOST_RESETS = 3;
/** IP and ICMP headers. A message that refuses a datagram contains the datagram. */
const REFUSAL_BYTES = { IPv4: 28, IPv6: 48 } as const;
const TOLERANCE = 0.2;

/**
 * Says that a masqueraded server serves clients now: it sends more than refusals. Then a refusal of the director's own
 * probe proves nothing about its clients. Undefined if the rates do not show it.
 */
export function servedTraffic(
  service: Pick<ServiceWithServers, "key">,
  { stats }: Pick<ServerEntry, "stats">,
): string | undefined {
  const connections = Number(stats.connectionsPerSecond);
  const inPackets = Number(stats.inPacketsPerSecond);
  const outPackets = Number(stats.outPacketsPerSecond);
  if (outPackets < FEWEST || outPackets <= connections * MOST_RESETS)
    return undefined;
  if (isUdp(service) && inPackets > 0) {
    const { IPv4, IPv6 } = REFUSAL_BYTES;
    const header = service.key.family === INET6 ? IPv6 : IPv4;
    const answer = Number(stats.outBytesPerSecond) / outPackets;
    const refusal = Number(stats.inBytesPerSecond) / inPackets + header;
    if (Math.abs(answer - refusal) <= answer * TOLERANCE) return undefined;
  }
  return `it sends ${outPackets} packets per second, and gets ${connections} new connections per second: more than refusals, so perhaps it refuses only the director's address`;
}
