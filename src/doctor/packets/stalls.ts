import { distance, type Segment, type TcpHalf } from "./half-flow.js";

/** Payload that is sent again and again, and not acknowledged. */
export interface Stall {
  readonly segment: Segment;
  /** The IP packet on the wire; the kernel splits larger ones outside of the capture */
  readonly bytes: number;
  /** The largest packet with payload that is known to have arrived; 0 if none has */
  readonly passedBytes: number;
  /** Whether only its size can be the reason: it is large, and smaller packets of the connection have arrived */
  readonly isLarge: boolean;
}

/** How the wire limits packets. */
export interface WireLimits {
  /** The option MSS of the other end */
  readonly maximumSegment: number | undefined;
  /** The MTU of the interface by which they leave */
  readonly mtu: number | undefined;
  readonly isIpv6: boolean;
}

/** The payload was sent this often, at least: twice may be a late acknowledgment. */
const FEWEST_TIMES = 3;
/** Every network has to carry packets of this size, so smaller ones have another fault. @see RFC 791 */
const SMALL_BYTES = 576;

/** The size of a packet on the wire. */
export function wireBytes(
  bytes: number,
  { maximumSegment, mtu, isIpv6 }: WireLimits,
): number {
  const headers = isIpv6 ? 60 : 40;
  return Math.min(
    bytes,
    maximumSegment === undefined ? bytes : maximumSegment + headers,
    mtu ?? bytes,
  );
}

/**
 * Finds payload that does not get through.
 *
 * @param acknowledged the highest number that the other end acknowledged
 * @param limits of the wire
 */
export function stallOf(
  data: TcpHalf,
  acknowledged: number | undefined,
  limits: WireLimits,
): Stall | undefined {
  return stallIn(
    data,
    ({ end }) => acknowledged === undefined || distance(acknowledged, end) > 0,
    limits,
  );
}

const NO_LIMITS: WireLimits = {
  maximumSegment: undefined,
  mtu: undefined,
  isIpv6: false,
};

/**
 * Finds payload that a sender repeats, if the packets of the other end are not seen: then only the repetition tells that no
 * acknowledgment reaches the sender.
 *
 * @param ended when the capture ended, in milliseconds since 1970
 */
export function repeatedIn(
  data: TcpHalf,
  ended: number,
  limits: WireLimits = NO_LIMITS,
): Stall | undefined {
  const { resets, acknowledged = 0, segments } = data;
  return stallIn(
    data,
    (one) => {
      // The pause before a repetition doubles. After a longer one, or with new payload, the sender has got an acknowledgment.
      const longest = PAUSES * (one.last - one.first) + SPARE_MILLISECONDS;
      const isOver =
        (resets.last < one.last && ended - one.last > longest) ||
        distance(one.acknowledged, acknowledged) > 0 ||
        segments.some((other) => other.times === 1 && other.first > one.last);
      return !isOver;
    },
    limits,
  );
}

const PAUSES = 1.5;
const SPARE_MILLISECONDS = 1000;

function stallIn(
  data: TcpHalf,
  isWaiting: (segment: Segment) => boolean,
  limits: WireLimits,
): Stall | undefined {
  const segment = data.segments
    .filter((one) => one.times >= FEWEST_TIMES && isWaiting(one))
    .sort((a, b) => distance(b.sequence, a.sequence))[0];
  if (!segment) return undefined;
  const passed = data.segments
    .filter(
      (one) => one.times === 1 && distance(one.end, segment.sequence) >= 0,
    )
    .map((one) => one.bytes);
  const { older } = data;
  if (older && distance(older.end, segment.sequence) >= 0)
    passed.push(older.bytes);
  const bytes = wireBytes(segment.bytes, limits);
  const passedBytes = wireBytes(Math.max(0, ...passed), limits);
  return {
    segment,
    bytes,
    passedBytes,
    isLarge: bytes > SMALL_BYTES && bytes > passedBytes,
  };
}
