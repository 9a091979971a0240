import { formatEndpoint, MASQUERADING } from "../../../ipvs/model.js";
import type { Stats } from "../../../ipvs/model.js";
import { serverName } from "../../commands.js";
import type { Facts } from "../../facts.js";
import type { Silence } from "./silence.js";

type Counted = Pick<Stats, "inPackets" | "inBytes" | "outPackets" | "outBytes">;

/** What the counters prove about a masqueraded server whose connections all wait. */
export interface CountedAnswers {
  /** `errors`: each packet is as large as an ICMP message that contains a request */
  readonly are: "answers" | "errors" | "none";
  readonly packets: bigint;
  /** Bytes of a packet on average */
  readonly bytes: number;
  /** Between two readings; undefined: since the server was added, or its counters were set to zero */
  readonly seconds: number | undefined;
}

/** The kernel refreshes the counters every two seconds. */
const DELAY_SECONDS = 3;

/** The headers of an ICMP message, which contains all of a small packet */
const ERROR_BYTES = { 4: 28, 16: 48 } as const;

/**
 * Whether packets of a silent server come back to this machine; undefined if the counters do not tell. If all connections
 * that were counted wait, all packets are theirs. Otherwise only those count that came between two readings.
 */
export function countedAnswers(
  silence: Silence,
  { later }: Pick<Facts, "later">,
): CountedAnswers | undefined {
  const { service, server } = silence;
  if (server.settings.forwarding !== MASQUERADING) return undefined;
  const { stats, key } = server;
  const errorBytes = ERROR_BYTES[key.address.length === 4 ? 4 : 16];
  if (isAlone(silence)) return judge(stats, errorBytes, undefined);
  const now = later?.servers.get(serverName(service, server));
  if (!later || !now || now.outPackets < stats.outPackets) return undefined;
  const grown = {
    inPackets: now.inPackets - stats.inPackets,
    inBytes: now.inBytes - stats.inBytes,
    outPackets: now.outPackets - stats.outPackets,
    outBytes: now.outBytes - stats.outBytes,
  };
  // They may be those of other connections, which the kernel has counted with a delay.
  const areOwn = (silence.othersSeconds ?? Infinity) >= DELAY_SECONDS;
  return (areOwn && grown.outPackets > 0n) ||
    (grown.inPackets > 0n && grown.outPackets === 0n)
    ? judge(grown, errorBytes, later.seconds)
    : undefined;
}

/** Whether the server has had no connection but those that wait. The kernel refreshes only the counters with a delay. */
function isAlone({ server, count }: Silence): boolean {
  const { stats, activeConnections, inactiveConnections } = server;
  return (
    stats.outPackets === 0n ||
    (stats.connections <= BigInt(count) &&
      activeConnections + inactiveConnections <= count)
  );
}

function judge(
  { inPackets, inBytes, outPackets, outBytes }: Counted,
  errorBytes: number,
  seconds: number | undefined,
): CountedAnswers {
  if (outPackets === 0n) return { are: "none", packets: 0n, bytes: 0, seconds };
  const bytes = Number(outBytes) / Number(outPackets);
  const asked = inPackets === 0n ? 0 : Number(inBytes) / Number(inPackets);
  const errors = asked > 0 && bytes >= asked + errorBytes;
  return {
    are: errors ? "errors" : "answers",
    packets: outPackets,
    bytes: Math.round(bytes),
    seconds,
  };
}

/** The counters in words. */
export function countedText(
  { server: { key } }: Silence,
  { are, packets, bytes, seconds }: CountedAnswers,
): string {
  const name = formatEndpoint(key.address, key.port);
  const when =
    seconds === undefined
      ? "since it was added"
      : `in ${Math.round(seconds)} s while doctor looked`;
  if (are === "none") return `no packet of ${name} came back ${when}`;
  const count = packets === 1n ? "1 packet" : `${packets} packets`;
  return `${count} of ${name} came back ${when}, ${bytes} bytes each on average: ${are === "answers" ? "answers" : "as large as ICMP messages that refuse requests"}`;
}

/** Whether only a second reading of the counters can tell, and clients still try. */
export function needsSecondReading(silence: Silence): boolean {
  return (
    silence.server.settings.forwarding === MASQUERADING &&
    !isAlone(silence) &&
    silence.sinceSeconds < TRYING_SECONDS
  );
}

/** Clients repeat a request after 1, 2, 4 and 8 seconds. */
const TRYING_SECONDS = 10;
