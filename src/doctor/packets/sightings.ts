import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../ipvs/address.js";
import { HalfFlowBuilder, type HalfFlow } from "./half-flow.js";
import type {
  CapturedPacket,
  CapturePoint,
  IcmpError,
  OuterPacket,
} from "./packet.js";

/** The packets that were captured, without their contents. */
export interface PacketSightings {
  readonly halfFlows: readonly HalfFlow[];
  readonly errors: readonly SeenError[];
  /** When the capture began and ended, in milliseconds since 1970 */
  readonly began: number;
  readonly ended: number;
  /** All packets that were captured */
  readonly packets: number;
  /** Packets of flows that were not kept, because there were too many */
  readonly unkept: number;
  /** Packets that could not be decoded */
  readonly skipped: number;
  /** Packets that tcpdump lost, by its own count */
  readonly lost: number;
  /** It ended early, because it captured as many packets as it may */
  readonly isFull: boolean;
}

/** ICMP errors of one sender about the same flow. */
export interface SeenError extends Pick<IcmpError, "name" | "about"> {
  readonly device: number;
  readonly direction: "in" | "out";
  readonly source: Address;
  readonly target: Address;
  /** The smallest that was said */
  readonly mtu: number | undefined;
  readonly count: number;
  readonly last: number;
}

const MOST_FLOWS = 4096;
/** Flows of others must not leave too little room for those of the client. */
const MOST_OTHER_FLOWS = 1024;
const MOST_ERRORS = 256;
const MOST_FRAGMENTED = 1024;

type Growing<T> = { -readonly [K in keyof T]: T[K] };

/** Collects what was captured. Its size is bounded, whatever comes. */
export class SightingsBuilder {
  readonly #client: Address;
  readonly #flows = new Map<string, HalfFlowBuilder>();
  readonly #errors = new Map<string, Growing<SeenError>>();
  /** The half-flows of packets in fragments, of which the last fragment has not come */
  readonly #fragmented = new Map<string, HalfFlowBuilder>();
  #otherFlows = 0;
  #packets = 0;
  #unkept = 0;

  constructor(client: Address) {
    this.#client = client;
  }

  add(packet: CapturedPacket, point: CapturePoint): void {
    this.#packets++;
    if (packet.error) {
      this.#addError(packet, packet.error, point);
      return;
    }
    const { fragment } = packet;
    const name = fragment && fragmentName(packet, point, fragment.id);
    if (fragment && name !== undefined && !fragment.isFirst) {
      const flow = this.#fragmented.get(name);
      if (!flow || !fragment.isLast) return;
      flow.lastFragments++;
      this.#fragmented.delete(name);
      return;
    }
    const flow = this.#flowOf(packet, point);
    if (!flow) {
      this.#unkept++;
      return;
    }
    flow.add(packet, point);
    if (name === undefined) return;
    this.#fragmented.set(name, flow);
    if (this.#fragmented.size > MOST_FRAGMENTED)
      for (const oldest of this.#fragmented.keys()) {
        this.#fragmented.delete(oldest);
        break;
      }
  }

  #flowOf(
    packet: CapturedPacket,
    point: CapturePoint,
  ): HalfFlowBuilder | undefined {
    const name = flowName(packet, point);
    const known = this.#flows.get(name);
    if (known) return known;
    const isOther =
      !sameAddress(packet.source, this.#client) &&
      !sameAddress(packet.target, this.#client);
    if (this.#flows.size >= MOST_FLOWS) return undefined;
    if (isOther && this.#otherFlows >= MOST_OTHER_FLOWS) return undefined;
    if (isOther) this.#otherFlows++;
    const flow = new HalfFlowBuilder(packet, point);
    this.#flows.set(name, flow);
    return flow;
  }

  #addError(
    { source, target }: CapturedPacket,
    { name, mtu, about }: IcmpError,
    { device, direction, time }: CapturePoint,
  ): void {
    const key = [
      device,
      direction,
      binary(source),
      binary(target),
      name,
      about ? endsName(about, about.outer) : "",
    ].join(" ");
    const known = this.#errors.get(key);
    if (known) {
      known.count++;
      known.last = time;
      if (mtu !== undefined) known.mtu = Math.min(mtu, known.mtu ?? mtu);
      return;
    }
    if (this.#errors.size >= MOST_ERRORS) return;
    this.#errors.set(key, {
      device,
      direction,
      source: source.slice(),
      target: target.slice(),
      name,
      mtu,
      about: about && {
        ...about,
        source: about.source.slice(),
        target: about.target.slice(),
        outer: about.outer && {
          ...about.outer,
          source: about.outer.source.slice(),
          target: about.outer.target.slice(),
        },
      },
      count: 1,
      last: time,
    });
  }

  /** What was collected. */
  sightings(
    rest: Pick<
      PacketSightings,
      "began" | "ended" | "skipped" | "lost" | "isFull"
    >,
  ): PacketSightings {
    return {
      halfFlows: [...this.#flows.values()],
      errors: [...this.#errors.values()],
      packets: this.#packets,
      unkept: this.#unkept,
      ...rest,
    };
  }
}

/** The bytes of an address as a string, which is faster than to format it. */
function binary(address: Address): string {
  return String.fromCharCode(...address);
}

function endsName(
  {
    protocol,
    source,
    sourcePort,
    target,
    targetPort,
  }: Pick<
    CapturedPacket,
    "protocol" | "source" | "sourcePort" | "target" | "targetPort"
  >,
  outer: OuterPacket | undefined,
): string {
  const around = outer
    ? `${outer.protocol} ${binary(outer.source)} ${binary(outer.target)}`
    : "";
  return `${protocol} ${binary(source)} ${sourcePort} ${binary(target)} ${targetPort} ${around}`;
}

function flowName(
  packet: CapturedPacket,
  { device, direction }: CapturePoint,
): string {
  return `${device} ${direction} ${endsName(packet, packet.outer)}`;
}

function fragmentName(
  { protocol, source, target }: CapturedPacket,
  { device, direction }: CapturePoint,
  id: number,
): string {
  return `${device} ${direction} ${protocol} ${binary(source)} ${binary(target)} ${id}`;
}

/** An address and a port, as text. */
export function flowKey(address: Address, port: number): string {
  return `${formatAddress(address)} ${port}`;
}
