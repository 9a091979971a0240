import type { ServerEntry } from "../../../ipvs/model.js";

/** TCP repeats a packet after 0.2, 0.4, 0.8 seconds and so on: more packets are no repetitions. */
const MOST_PACKETS = 12n;
const FEWEST_PACKETS = 2n;
/** The sizes of full packets on usual links, and on those with a tunnel */
const SMALLEST_FULL = 1400n;

/**
 * What the counters of a server say if few packets came, all of full size, and none after them: a client repeats a packet
 * that gets lost. Undefined if they do not say it.
 *
 * @param open how many connections of the client are established and older than these counters
 */
export function repeatedPackets(
  { stats: before }: Pick<ServerEntry, "stats">,
  { stats: after }: Pick<ServerEntry, "stats">,
  open: number,
): string | undefined {
  const packets = after.inPackets - before.inPackets;
  const bytes = after.inBytes - before.inBytes;
  if (open === 0 || packets < FEWEST_PACKETS || packets > MOST_PACKETS)
    return undefined;
  if (bytes < packets * SMALLEST_FULL || bytes % packets !== 0n)
    return undefined;
  if (after.outPackets !== before.outPackets) return undefined;
  if (after.connections !== before.connections) return undefined;
  return `each of them has ${bytes / packets} bytes, as if a client repeats a large packet that gets lost on the way to the server: 'ipvsadm doctor --probe' tries which sizes get there`;
}
