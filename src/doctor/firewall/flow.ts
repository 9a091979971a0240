import {
  formatAddress,
  type Address,
  type Family,
} from "../../ipvs/address.js";
import { TRANSPORTS } from "../../ipvs/model.js";
import { decodeUtf8 } from "../../text/utf8.js";
import type { Fix } from "../finding.js";
import { shellWord } from "../shell.js";
import {
  DESTINATION_UNREACHABLE,
  FRAGMENTATION_NEEDED,
  ICMPV6,
  PACKET_TOO_BIG,
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
}

/** The rules that stop a flow. What is behind one that certainly stops it is not looked at. */
export function stopsOf(flow: Flow, ruleset: Ruleset): Stop[] {
  const found: Stop[] = [];
  let before: readonly Packet[] = [];
  for (const { hook, range, packets } of flow.stages) {
    const walked = packets.map((packet, at) =>
      walk(ruleset, hook, carriedOver(packet, packets, before, at), range),
    );
    before = walked.map(({ packet }) => packet);
    let ends = false;
    for (const stop of distinct(walked.flatMap(({ stops }) => stops))) {
      const certain = stop.certain && isForAll(stop, packets, walked);
      found.push({ ...stop, certain });
      ends ||= certain;
    }
    if (ends) break;
  }
  return found;
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

/** The command that has a firewall accept exactly the packets of a flow, ahead of all other rules of the chain. */
export function acceptRule(
  { match, text }: Pick<Flow, "match" | "text">,
  { table, base }: Pick<Stop, "table" | "base">,
  on?: string,
): Fix {
  const chain = decodeUtf8(base.name);
  const effect = `accepts ${text} in chain ${chain}, and nothing else; add it to the firewall's configuration to keep it`;
  const command =
    table.program === "nft"
      ? `nft insert rule ${table.nftFamily} ${shellWord(decodeUtf8(table.name))} ${shellWord(chain)} ${nftMatch(match)} accept`
      : `${table.program} -t ${table.name} -I ${chain} ${iptablesMatch(match)} -j ACCEPT`;
  return { command, on, effect };
}

function iptablesMatch(match: FlowMatch): string {
  const name = protocolWord(match.protocol);
  const bits = match.family === 2 ? 32 : 128;
  return [
    ...(match.source ? [`-s ${formatAddress(match.source)}/${bits}`] : []),
    ...(match.destination
      ? [`-d ${formatAddress(match.destination)}/${bits}`]
      : []),
    match.icmpType === undefined ? `-p ${name}` : icmpWords(match),
    ...(match.sourcePort === undefined ? [] : [`--sport ${match.sourcePort}`]),
    ...(match.destinationPort === undefined
      ? []
      : [`--dport ${match.destinationPort}`]),
  ].join(" ");
}

/** iptables knows the messages about packets that are too large by their names, too. */
function icmpWords({ protocol, icmpType, icmpCode }: FlowMatch): string {
  if (protocol === ICMPV6)
    return `-p icmpv6 --icmpv6-type ${icmpType === PACKET_TOO_BIG ? "packet-too-big" : icmpType}`;
  return icmpType === DESTINATION_UNREACHABLE &&
    icmpCode === FRAGMENTATION_NEEDED
    ? "-p icmp --icmp-type fragmentation-needed"
    : `-p icmp --icmp-type ${icmpType}${icmpCode === undefined ? "" : `/${icmpCode}`}`;
}

function nftMatch(match: FlowMatch): string {
  const name = protocolWord(match.protocol);
  const family = match.family === 2 ? "ip" : "ip6";
  const icmp = match.protocol === ICMPV6 ? "icmpv6" : "icmp";
  const ports = [
    ...(match.sourcePort === undefined
      ? []
      : [`${name} sport ${match.sourcePort}`]),
    ...(match.destinationPort === undefined
      ? []
      : [`${name} dport ${match.destinationPort}`]),
    ...(match.icmpType === undefined ? [] : [`${icmp} type ${match.icmpType}`]),
    ...(match.icmpCode === undefined ? [] : [`${icmp} code ${match.icmpCode}`]),
  ];
  return [
    ...(match.source ? [`${family} saddr ${formatAddress(match.source)}`] : []),
    ...(match.destination
      ? [`${family} daddr ${formatAddress(match.destination)}`]
      : []),
    ...(ports.length > 0 ? ports : [`meta l4proto ${name}`]),
  ].join(" ");
}

function protocolWord(protocol: number): string {
  const known: Readonly<Record<number, string>> = TRANSPORTS;
  return known[protocol] ?? String(protocol);
}
