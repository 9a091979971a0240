import type { Address } from "../../ipvs/address.js";
import {
  ACK,
  FIN,
  RST,
  SYN,
  type CapturedPacket,
  type CapturePoint,
  type Endpoints,
  type OuterPacket,
  type TcpSegment,
} from "./packet.js";

/** The packets from one end to the other that pass one interface in one direction. Times are milliseconds since 1970. */
export interface HalfFlow extends Endpoints {
  /** Index of the interface; 0 if not known */
  readonly device: number;
  readonly direction: "in" | "out";
  /** The packet of the tunnel around each packet */
  readonly outer: OuterPacket | undefined;
  /** The hardware addresses that sent them, if they came in */
  readonly senders: readonly Uint8Array[];
  readonly packets: number;
  readonly first: number;
  readonly last: number;
  /** The largest IP packet in bytes */
  readonly largest: number;
  /** First fragments, and last ones, of packets in fragments */
  readonly firstFragments: number;
  readonly lastFragments: number;
  readonly tcp: TcpHalf | undefined;
}

/** What is known of one direction of a TCP connection. */
export interface TcpHalf {
  /** SYN without ACK */
  readonly opens: Marks;
  /** The sequence number of the first SYN, with or without ACK */
  readonly openSequence: number | undefined;
  /** SYN with ACK */
  readonly accepts: Marks;
  readonly resets: Marks;
  readonly ends: Marks;
  /** Packets with payload */
  readonly data: Marks;
  /** Packets with ACK and without SYN or RST */
  readonly confirms: Marks;
  /** The option MSS: how much payload the other end may send in a packet */
  readonly maximumSegment: number | undefined;
  /** The sequence number after all that was seen */
  readonly end: number | undefined;
  /** The first and the highest number that was acknowledged */
  readonly firstAcknowledged: number | undefined;
  readonly acknowledged: number | undefined;
  /** The latest segments, the oldest first */
  readonly segments: readonly Segment[];
  /** Of segments that are not in the list any more: their end, and the largest packet of those that were sent once */
  readonly older: { readonly end: number; readonly bytes: number } | undefined;
  /** Payload that is missing before later payload */
  readonly gap: Gap | undefined;
}

/** How often something was seen, and when. */
export interface Marks {
  readonly count: number;
  readonly first: number;
  readonly last: number;
}

/** Payload that was sent, perhaps several times. */
export interface Segment {
  readonly sequence: number;
  readonly end: number;
  /** The IP packet, the last time */
  readonly bytes: number;
  readonly times: number;
  readonly first: number;
  readonly last: number;
  /** What the last of these packets acknowledged */
  readonly acknowledged: number;
}

export interface Gap {
  readonly from: number;
  readonly to: number;
  /** When it was seen */
  readonly since: number;
}

type Writable<T> = { -readonly [K in keyof T]: T[K] };

const MOST_SENDERS = 4;
const MOST_SEGMENTS = 64;
/** The same packet twice within this time is one that two interfaces show, if the capture does not tell them apart. */
const SAME_MILLISECONDS = 1;

/** How much later a sequence number is than another one; negative if it is earlier. They wrap around. */
export function distance(from: number, to: number): number {
  return (to - from) | 0;
}

/** Collects a half-flow, packet by packet. Its size is bounded. */
export class HalfFlowBuilder implements HalfFlow {
  readonly protocol: number;
  readonly source: Address;
  readonly sourcePort: number;
  readonly target: Address;
  readonly targetPort: number;
  readonly device: number;
  readonly direction: "in" | "out";
  readonly outer: OuterPacket | undefined;
  readonly senders: Uint8Array[] = [];
  packets = 0;
  readonly first: number;
  last: number;
  largest = 0;
  firstFragments = 0;
  lastFragments = 0;
  tcp: TcpBuilder | undefined;

  constructor(
    packet: CapturedPacket,
    { device, direction, time }: CapturePoint,
  ) {
    // The bytes of the capture are reused, so keep copies.
    this.source = packet.source.slice();
    this.target = packet.target.slice();
    this.protocol = packet.protocol;
    this.sourcePort = packet.sourcePort;
    this.targetPort = packet.targetPort;
    this.outer = packet.outer && {
      protocol: packet.outer.protocol,
      source: packet.outer.source.slice(),
      target: packet.outer.target.slice(),
    };
    this.device = device;
    this.direction = direction;
    this.first = time;
    this.last = time;
  }

  add(packet: CapturedPacket, { time, sender, device }: CapturePoint): void {
    if (packet.tcp && device === 0 && this.#isSame(packet.tcp, time)) return;
    this.packets++;
    this.last = time;
    this.largest = Math.max(this.largest, packet.bytes);
    if (packet.fragment?.isFirst) this.firstFragments++;
    if (sender) this.#addSender(sender);
    if (!packet.tcp) return;
    this.tcp ??= new TcpBuilder();
    this.tcp.add(packet.tcp, packet.bytes, time);
  }

  #isSame(tcp: TcpSegment, time: number): boolean {
    const before = this.tcp?.latest;
    return (
      before !== undefined &&
      time - this.last < SAME_MILLISECONDS &&
      before.sequence === tcp.sequence &&
      before.acknowledged === tcp.acknowledged &&
      before.flags === tcp.flags &&
      before.payloadBytes === tcp.payloadBytes
    );
  }

  #addSender(sender: Uint8Array): void {
    const isKnown = this.senders.some((one) =>
      one.every((byte, i) => byte === sender[i]),
    );
    if (!isKnown && this.senders.length < MOST_SENDERS)
      this.senders.push(sender.slice());
  }
}

const NEVER: Marks = { count: 0, first: 0, last: 0 };

function marked({ count, first }: Marks, time: number): Marks {
  return { count: count + 1, first: count === 0 ? time : first, last: time };
}

class TcpBuilder implements TcpHalf {
  opens = NEVER;
  accepts = NEVER;
  resets = NEVER;
  ends = NEVER;
  data = NEVER;
  confirms = NEVER;
  openSequence: number | undefined;
  maximumSegment: number | undefined;
  end: number | undefined;
  firstAcknowledged: number | undefined;
  acknowledged: number | undefined;
  readonly segments: Writable<Segment>[] = [];
  older: TcpHalf["older"];
  gap: Writable<Gap> | undefined;
  latest: TcpSegment | undefined;

  add(tcp: TcpSegment, bytes: number, time: number): void {
    this.latest = tcp;
    const { flags, sequence, payloadBytes } = tcp;
    if (flags & RST) {
      // Its numbers need not be those of the connection.
      this.resets = marked(this.resets, time);
      return;
    }
    if (flags & SYN && this.openSequence !== sequence) this.#restart(sequence);
    if (flags & ACK) this.#acknowledge(tcp.acknowledged);
    if (flags & SYN) {
      if (flags & ACK) this.accepts = marked(this.accepts, time);
      else this.opens = marked(this.opens, time);
      this.maximumSegment = tcp.maximumSegment ?? this.maximumSegment;
      // A SYN may carry data (RFC 7413).
      const end = (sequence + 1 + payloadBytes) >>> 0;
      if (this.end === undefined || distance(this.end, end) > 0) this.end = end;
      return;
    }
    if (flags & ACK) this.confirms = marked(this.confirms, time);
    if (flags & FIN) this.ends = marked(this.ends, time);
    const end = (sequence + payloadBytes + (flags & FIN ? 1 : 0)) >>> 0;
    const isKeepalive = payloadBytes === 1 && this.end === end;
    this.#advance(sequence, end, time);
    // Some systems send the last byte again to see whether the other end is there: this repeats no data (RFC 1122, 4.2.3.6).
    if (payloadBytes === 0 || isKeepalive) return;
    this.data = marked(this.data, time);
    const last = (sequence + payloadBytes) >>> 0;
    const { acknowledged } = tcp;
    this.#addSegment({ sequence, end: last, bytes, acknowledged, time });
  }

  /** A SYN with another sequence number begins another connection between the same ends. */
  #restart(sequence: number): void {
    this.openSequence = sequence;
    this.end = (sequence + 1) >>> 0;
    this.opens = NEVER;
    this.accepts = NEVER;
    this.firstAcknowledged = undefined;
    this.acknowledged = undefined;
    this.segments.length = 0;
    this.older = undefined;
    this.gap = undefined;
    this.data = NEVER;
    this.ends = NEVER;
    this.confirms = NEVER;
    this.resets = NEVER;
  }

  #acknowledge(number: number): void {
    this.firstAcknowledged ??= number;
    if (
      this.acknowledged === undefined ||
      distance(this.acknowledged, number) > 0 ||
      Math.abs(distance(this.acknowledged, number)) > MOST_WINDOW
    )
      this.acknowledged = number;
  }

  #advance(sequence: number, end: number, time: number): void {
    const next = this.end;
    if (next !== undefined && distance(next, sequence) > 0)
      this.gap ??= { from: next, to: sequence, since: time };
    const { gap } = this;
    if (
      gap &&
      distance(sequence, gap.from) >= 0 &&
      distance(gap.from, end) > 0
    ) {
      gap.from = end;
      this.#skipSeen(gap);
    }
    if (gap && distance(gap.to, gap.from) >= 0) this.gap = undefined;
    if (next === undefined || distance(next, end) > 0) this.end = end;
  }

  /** Packets may overtake each other, so what follows in the gap has perhaps come before. */
  #skipSeen(gap: Writable<Gap>): void {
    const following = () =>
      this.segments.find(
        (one) =>
          distance(one.sequence, gap.from) >= 0 &&
          distance(gap.from, one.end) > 0,
      );
    for (let next = following(); next; next = following()) gap.from = next.end;
  }

  #addSegment({
    sequence,
    end,
    bytes,
    acknowledged,
    time,
  }: Pick<Segment, "sequence" | "end" | "bytes" | "acknowledged"> & {
    time: number;
  }): void {
    const newest = this.segments.at(-1);
    const isAgain = newest !== undefined && distance(newest.end, sequence) < 0;
    const known = isAgain
      ? this.segments.find((one) => one.sequence === sequence)
      : undefined;
    if (known) {
      known.times++;
      known.last = time;
      known.bytes = bytes;
      known.acknowledged = acknowledged;
      known.end = end;
      return;
    }
    this.segments.push({
      sequence,
      end,
      bytes,
      times: isAgain ? 2 : 1,
      first: time,
      last: time,
      acknowledged,
    });
    if (this.segments.length > MOST_SEGMENTS) this.#forget();
  }

  #forget(): void {
    const oldest = this.segments.shift();
    if (!oldest) return;
    const { older } = this;
    const isLater = !older || distance(older.end, oldest.end) > 0;
    this.older = {
      end: isLater ? oldest.end : older.end,
      bytes: Math.max(older?.bytes ?? 0, oldest.times === 1 ? oldest.bytes : 0),
    };
  }
}

/** No window of TCP is larger: a number farther away belongs to another connection (RFC 7323). */
const MOST_WINDOW = 1 << 30;
