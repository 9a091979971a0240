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
  /** TCP flags */
  readonly tcpFlags?: number | undefined;
  /** The states that are possible; all if undefined */
  readonly states?: readonly ConntrackState[] | undefined;
  readonly mark?: number | undefined;
  /** Whether the destination is an address of this machine */
  readonly destinationIsLocal?: boolean | undefined;
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

/** The number of a protocol by its name or its number as text; undefined if the name is not known here. */
export function protocolNumber(text: string): number | undefined {
  return /^[0-9]+$/.test(text) ? Number(text) : PROTOCOL_NUMBERS[text];
}
