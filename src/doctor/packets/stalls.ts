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
 * @param acknowledged the highest number that the other end acknowledged; undefined if its packets are not seen. Then
 * the sender's own repetition tells that it got no acknowledgment
 * @param limits of the wire
 */
export function stallOf(
  data: TcpHalf,
  acknowledged: number | undefined,
  limits: WireLimits,
): Stall | undefined {
  const segment = data.segments
    .filter(
      (one) =>
        one.times >= FEWEST_TIMES &&
        (acknowledged === undefined || distance(acknowledged, one.end) > 0),
    )
    .sort((a, b) => distance(b.sequence, a.sequence))[0];
  if (!segment) return undefined;
  // New payload after the last repetition: it got through after all.
  const isOver =
    acknowledged === undefined &&
    data.segments.some(
      (one) => one.times === 1 && one.first > segment.last && one !== segment,
    );
  if (isOver) return undefined;
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
