import { formatAddress } from "../../ipvs/address.js";
import { TRANSPORTS } from "../../ipvs/model.js";
import { decodeUtf8 } from "../../text/utf8.js";
import type { Fix } from "../finding.js";
import { shellWord } from "../shell.js";
import {
  DESTINATION_UNREACHABLE,
  FRAGMENTATION_NEEDED,
  ICMPV6,
  PACKET_TOO_BIG,
} from "./packet.js";
import type { FlagMatch, Flow, FlowMatch } from "./flow.js";
import type { Chain, Table } from "./ruleset.js";
import type { Stop } from "./walk.js";

/** Where a rule is put: ahead of the one at a position, or behind all if there is none. */
export interface RulePlace {
  readonly table: Table;
  readonly chain: Chain;
  /** From 1 */
  readonly position: number | undefined;
}

/** The command that has a firewall accept the packets of a flow, ahead of all other rules of the chain. */
export function acceptRule(
  { match, text }: Pick<Flow, "match" | "text">,
  { table, base }: Pick<Stop, "table" | "base">,
  on?: string,
): Fix {
  const chain = decodeUtf8(base.name);
  const effect = `accepts ${text} ahead of all other rules of chain ${chain}; add it to the firewall's configuration to keep it`;
  const command =
    table.program === "nft"
      ? `nft insert rule ${nftChain(table, base)} ${nftMatch(match)} accept`
      : `${table.program} -t ${table.name} -I ${shellWord(chain)} ${iptablesMatch(match)} -j ACCEPT`;
  return { command, on, effect };
}

/** The command that puts a rule that accepts packets where it is needed, so that the rules before it still apply. */
export function acceptCommand(
  match: FlowMatch,
  { table, chain, position }: RulePlace,
): string {
  if (table.program !== "nft") {
    const name = shellWord(decodeUtf8(chain.name));
    const where =
      position === undefined ? `-A ${name}` : `-I ${name} ${position}`;
    return `${table.program} -t ${table.name} ${where} ${iptablesMatch(match)} -j ACCEPT`;
  }
  const handle = chain.rules[(position ?? 0) - 1]?.handle;
  const [verb, where] =
    position === undefined
      ? ["add", ""]
      : handle === undefined
        ? ["insert", ` index ${position - 1}`]
        : ["insert", ` handle ${handle}`];
  return `nft ${verb} rule ${nftChain(table, chain)}${where} ${nftMatch(match)} accept`;
}

/**
 * The command that drops the resets of this machine to packets of a flow.
 *
 * @param program a variant of iptables
 * @returns undefined if the destination of the flow is not known
 */
export function dropResetsCommand(
  { family, protocol, destination, destinationPort }: FlowMatch,
  program: string,
): string | undefined {
  if (!destination) return undefined;
  const answer = {
    ...{ family, protocol },
    source: destination,
    sourcePort: destinationPort,
  };
  return `${program} -t filter -A OUTPUT ${iptablesMatch(answer)} --tcp-flags RST RST -j DROP`;
}

function nftChain({ nftFamily, name }: Table, chain: Chain): string {
  return `${nftFamily} ${shellWord(decodeUtf8(name))} ${shellWord(decodeUtf8(chain.name))}`;
}

const IPTABLES_FLAGS: Readonly<Record<FlagMatch, string>> = {
  syn: "--syn",
  "not-syn": "! --syn",
  ack: "--tcp-flags SYN,ACK ACK",
};

/** The same comparisons in the language of nft */
const NFT_FLAGS: Readonly<Record<FlagMatch, string>> = {
  syn: "tcp flags & (fin | syn | rst | ack) == syn",
  "not-syn": "tcp flags & (fin | syn | rst | ack) != syn",
  ack: "tcp flags & (syn | ack) == ack",
};

function iptablesMatch(match: FlowMatch): string {
  const name = protocolWord(match.protocol);
  const bits = match.family === 2 ? 32 : 128;
  return [
    ...(match.incoming === undefined
      ? []
      : [`-i ${shellWord(decodeUtf8(match.incoming))}`]),
    ...(match.outgoing === undefined
      ? []
      : [`-o ${shellWord(decodeUtf8(match.outgoing))}`]),
    ...(match.source ? [`-s ${formatAddress(match.source)}/${bits}`] : []),
    ...(match.destination
      ? [`-d ${formatAddress(match.destination)}/${bits}`]
      : []),
    match.icmpType === undefined ? `-p ${name}` : icmpWords(match),
    ...(match.sourcePort === undefined ? [] : [`--sport ${match.sourcePort}`]),
    ...(match.destinationPort === undefined
      ? []
      : [`--dport ${match.destinationPort}`]),
    ...(match.flags === undefined ? [] : [IPTABLES_FLAGS[match.flags]]),
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
  const device = (word: string, name: string | undefined) =>
    name === undefined ? [] : [`${word} "${decodeUtf8(name)}"`];
  const text = [
    ...device("iifname", match.incoming),
    ...device("oifname", match.outgoing),
    ...(match.source ? [`${family} saddr ${formatAddress(match.source)}`] : []),
    ...(match.destination
      ? [`${family} daddr ${formatAddress(match.destination)}`]
      : []),
    ...(ports.length > 0 ? ports : [`meta l4proto ${name}`]),
    ...(match.flags === undefined ? [] : [NFT_FLAGS[match.flags]]),
  ].join(" ");
  // nft joins its arguments, so quotes for the shell can be around all of them.
  return /["&|()!]/.test(text) ? shellWord(text) : text;
}

function protocolWord(protocol: number): string {
  const known: Readonly<Record<number, string>> = TRANSPORTS;
  return known[protocol] ?? String(protocol);
}
