import type { Address, Family } from "../../ipvs/address.js";

/** The places where the kernel shows a packet to firewall rules. */
export type Hook =
  "prerouting" | "input" | "forward" | "output" | "postrouting";

/** What connection tracking says about a packet. */
export type ConntrackState =
  "new" | "established" | "related" | "invalid" | "untracked";

/** A packet that does not exist yet: what is known about it. An undefined field is not known. */
export interface Packet {
  readonly family: Family;
  /** The name of the interface by which it comes in */
  readonly incoming?: string | undefined;
  /** The name of the interface by which it leaves */
  readonly outgoing?: string | undefined;
  readonly source?: Address | undefined;
  readonly destination?: Address | undefined;
  /** The number of the protocol, such as 6 for TCP */
  readonly protocol?: number | undefined;
  readonly sourcePort?: number | undefined;
  readonly destinationPort?: number | undefined;
  /** The type of an ICMP or ICMPv6 message */
  readonly icmpType?: number | undefined;
  readonly icmpCode?: number | undefined;
  /** TCP flags */
  readonly tcpFlags?: number | undefined;
  /** The states that are possible; all if undefined */
  readonly states?: readonly ConntrackState[] | undefined;
  readonly mark?: number | undefined;
  /** Whether the destination is an address of this machine */
  readonly destinationIsLocal?: boolean | undefined;
  /** The route of a packet from its destination back to its source, if it has no firewall mark */
  readonly reversePath?: ReversePath | undefined;
}

/** Where an answer to a packet would go. */
export interface ReversePath {
  /** `none`: there is no route, or it is one that leads nowhere */
  readonly type: "unicast" | "local" | "none";
  /** The names of the interfaces */
  readonly devices: readonly string[];
  /** The names of other interfaces to which routes lead there that come after that one */
  readonly others?: readonly string[];
}

/** The bits of the flags in a TCP header. @see RFC 9293, section 3.1 */
export const TCP_FLAGS: Readonly<Record<string, number>> = {
  fin: 0x01,
  syn: 0x02,
  rst: 0x04,
  psh: 0x08,
  ack: 0x10,
  urg: 0x20,
  ecn: 0x40,
  cwr: 0x80,
};
export const SYN = 0x02;
export const SYN_ACK = 0x12;
export const ACK = 0x10;
export const FIN_ACK = 0x11;

/** Numbers of IP protocols that firewalls write as names. @see /etc/protocols */
export const PROTOCOL_NUMBERS: Readonly<Record<string, number>> = {
  icmp: 1,
  igmp: 2,
  ipencap: 4,
  ipip: 4,
  "ip-in-ip": 4,
  tcp: 6,
  udp: 17,
  dccp: 33,
  ipv6: 41,
  "ipv6-route": 43,
  gre: 47,
  esp: 50,
  ah: 51,
  "ipv6-icmp": 58,
  icmpv6: 58,
  ospf: 89,
  vrrp: 112,
  comp: 108,
  sctp: 132,
  udplite: 136,
};

export const ICMP = 1;
export const DESTINATION_UNREACHABLE = 3;
/** A code of {@link DESTINATION_UNREACHABLE} */
export const FRAGMENTATION_NEEDED = 4;
export const ICMPV6 = 58;
export const PACKET_TOO_BIG = 2;
export const NEIGHBOR_SOLICITATION = 135;
export const NEIGHBOR_ADVERTISEMENT = 136;

/** Types of ICMP messages by the names that nft prints. @see nft(8), ICMP TYPE TYPE */
const ICMP_TYPES: Readonly<Record<string, number>> = {
  "echo-reply": 0,
  "destination-unreachable": DESTINATION_UNREACHABLE,
  "source-quench": 4,
  redirect: 5,
  "echo-request": 8,
  "router-advertisement": 9,
  "router-solicitation": 10,
  "time-exceeded": 11,
  "parameter-problem": 12,
  "timestamp-request": 13,
  "timestamp-reply": 14,
  "info-request": 15,
  "info-reply": 16,
  "address-mask-request": 17,
  "address-mask-reply": 18,
};

/** @see nft(8), ICMPV6 TYPE TYPE */
const ICMPV6_TYPES: Readonly<Record<string, number>> = {
  "destination-unreachable": 1,
  "packet-too-big": PACKET_TOO_BIG,
  "time-exceeded": 3,
  "parameter-problem": 4,
  "echo-request": 128,
  "echo-reply": 129,
  "mld-listener-query": 130,
  "mld-listener-report": 131,
  "mld-listener-done": 132,
  "mld-listener-reduction": 132,
  "nd-router-solicit": 133,
  "nd-router-advert": 134,
  "nd-neighbor-solicit": NEIGHBOR_SOLICITATION,
  "nd-neighbor-advert": NEIGHBOR_ADVERTISEMENT,
  "nd-redirect": 137,
  "router-renumbering": 138,
  "ind-neighbor-solicit": 141,
  "ind-neighbor-advert": 142,
  "mld2-listener-report": 143,
};

/** The number of a type of ICMP (1) or ICMPv6 (58) messages by its name; undefined if the name is not known here. */
export function icmpTypeNumber(
  protocol: number,
  name: string,
): number | undefined {
  return (protocol === ICMPV6 ? ICMPV6_TYPES : ICMP_TYPES)[name];
}

/** Codes of the type destination unreachable of ICMP. @see nft(8), ICMP CODE TYPE */
const ICMP_CODES: Readonly<Record<string, number>> = {
  "net-unreachable": 0,
  "host-unreachable": 1,
  "prot-unreachable": 2,
  "port-unreachable": 3,
  "frag-needed": FRAGMENTATION_NEEDED,
  "net-prohibited": 9,
  "host-prohibited": 10,
  "admin-prohibited": 13,
};

/** The number of a code of ICMP (1) by its name; undefined if the name is not known here. */
export function icmpCodeNumber(
  protocol: number,
  name: string,
): number | undefined {
  return protocol === ICMP ? ICMP_CODES[name] : undefined;
}

/** The number of a protocol by its name or its number as text; undefined if the name is not known here. */
export function protocolNumber(text: string): number | undefined {
  return /^[0-9]+$/.test(text) ? Number(text) : PROTOCOL_NUMBERS[text];
}
