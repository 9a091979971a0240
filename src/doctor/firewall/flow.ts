import type { Address, Family } from "../../ipvs/address.js";
import {
  ACK,
  FIN_ACK,
  SYN,
  type ConntrackState,
  type Hook,
  type Packet,
} from "./packet.js";
import type { Ruleset } from "./ruleset.js";
import { walk, type Range, type Stop, type Walked } from "./walk.js";

/** Packets of one kind on their way through a machine. */
export interface Flow {
  /** `requests to tcp/192.0.2.1:80` */
  readonly text: string;
  readonly stages: readonly Stage[];
  /** The packets in the words of a rule that accepts exactly them */
  readonly match: FlowMatch;
}

/** The same packet at one hook: one variant each for clients that differ, and for first and later packets. */
export interface Stage {
  readonly hook: Hook;
  readonly range?: Range;
  readonly packets: readonly Packet[];
}

export interface FlowMatch {
  readonly family: Family;
  readonly source?: Address | undefined;
  readonly destination?: Address | undefined;
  readonly protocol: number;
  /** Undefined: any */
  readonly sourcePort?: number | undefined;
  readonly destinationPort?: number | undefined;
  /** Of ICMP or ICMPv6; undefined: any */
  readonly icmpType?: number | undefined;
  /** Undefined: any */
  readonly icmpCode?: number | undefined;
  /** The names of interfaces; undefined: any */
  readonly incoming?: string | undefined;
  readonly outgoing?: string | undefined;
  /** Of TCP; undefined: any */
  readonly flags?: FlagMatch | undefined;
}

/** Packets that open a connection; all others; all others that acknowledge something. */
export type FlagMatch = "syn" | "not-syn" | "ack";

/** A rule or policy that stops packets of a flow. */
export interface FlowStop extends Stop {
  /** The packets that it stops; perhaps stops, if it is not certain */
  readonly stopped: readonly Packet[];
  /** Whether it stops them for certain, and only because connection tracking does not know their connections */
  readonly byState: boolean;
}

/**
 * The rules that stop a flow. What is behind one that certainly stops its first packets is not looked at. Rules that
 * stop nothing but the end of connections are named only beside others: traffic passes in spite of them.
 */
export function stopsOf(flow: Flow, ruleset: Ruleset): FlowStop[] {
  const found: FlowStop[] = [];
  let before: readonly Packet[] = [];
  for (const { hook, range, packets } of flow.stages) {
    const met = packets.map((packet, at) =>
      carriedOver(packet, packets, before, at),
    );
    const walked = met.map((packet) => walk(ruleset, hook, packet, range));
    before = walked.map(({ packet }) => packet);
    let ends = false;
    for (const stop of distinct(walked.flatMap(({ stops }) => stops))) {
      const stopped = met.filter((_, at) =>
        walked[at]?.stops.some(
          (one) => (one.certain || !stop.certain) && isSame(one, stop),
        ),
      );
      const certain = stop.certain && isForAll(stop, packets, walked);
      // Without certainty nobody asks, and each answer is a walk of its own.
      const isByState = (packet: Packet) => {
        const tracked = { ...packet, states: trackedStates(packet, flow) };
        const { stops } = walk(ruleset, hook, tracked, range);
        return !stops.some((one) => isSame(one, stop));
      };
      const byState = certain && stopped.every(isByState);
      found.push({ ...stop, certain, stopped, byState });
      ends ||= certain && !stopped.every(isLater);
    }
    if (ends) break;
  }
  const isBroken = found.some(
    ({ certain, stopped }) => certain && !isOfEnds(stopped),
  );
  return found.filter(({ stopped }) => isBroken || !isOfEnds(stopped));
}

/** Whether a packet comes after those that open a TCP connection. */
function isLater({ tcpFlags }: Packet): boolean {
  return tcpFlags === ACK || tcpFlags === FIN_ACK;
}

/** Whether the packets only end connections. */
function isOfEnds(packets: readonly Packet[]): boolean {
  return packets.every(({ tcpFlags }) => tcpFlags === FIN_ACK);
}

/** What connection tracking calls a packet if it has seen all packets before it. */
function trackedStates(
  { tcpFlags }: Packet,
  { match }: Flow,
): readonly ConntrackState[] {
  const isFirst =
    tcpFlags === SYN || (tcpFlags === undefined && match.source === undefined);
  return isFirst ? ["new"] : ["established"];
}

/** What earlier hooks did to the mark and the state of a packet stays. */
function carriedOver(
  packet: Packet,
  packets: readonly Packet[],
  before: readonly Packet[],
  at: number,
): Packet {
  const earlier = before.length === packets.length ? before[at] : undefined;
  if (!earlier) return packet;
  return { ...packet, mark: earlier.mark, states: earlier.states };
}

/** A known client is examined alone. Clients in general count as stopped only if they are stopped on every interface. */
function isForAll(
  stop: Stop,
  packets: readonly Packet[],
  walked: readonly Walked[],
): boolean {
  const isGeneral = ({ source, destination }: Packet) =>
    source === undefined || destination === undefined;
  if (!packets.every(isGeneral)) return true;
  const devices = (some: readonly Packet[]) =>
    new Set(some.map((one) => `${one.incoming ?? ""} ${one.outgoing ?? ""}`));
  const stopped = packets.filter((_, at) =>
    walked[at]?.stops.some((one) => one.certain && isSame(one, stop)),
  );
  return devices(stopped).size === devices(packets).size;
}

function distinct(stops: readonly Stop[]): Stop[] {
  const sorted = [...stops].sort(
    (a, b) => Number(b.certain) - Number(a.certain),
  );
  return sorted.filter(
    (stop, at) => sorted.findIndex((one) => isSame(one, stop)) === at,
  );
}

/** Whether two stops are the same rule or policy. */
export function isSame(a: Stop, b: Stop): boolean {
  return a.base === b.base && a.chain === b.chain && a.rule === b.rule;
}
