import type { Address } from "../../ipvs/address.js";

/** The two ends of a packet. Protocols without ports have 0. */
export interface Endpoints {
  /** The number of the protocol, such as 6 for TCP */
  readonly protocol: number;
  readonly source: Address;
  readonly sourcePort: number;
  readonly target: Address;
  readonly targetPort: number;
}

/** A packet as it was captured. */
export interface CapturedPacket extends Endpoints {
  /** The length of the IP packet. The kernel's own sizes: it joins and splits segments outside of the capture */
  readonly bytes: number;
  readonly fragment?: Fragment | undefined;
  readonly tcp?: TcpSegment | undefined;
  readonly error?: IcmpError | undefined;
  /** The packet of a tunnel in which this one was */
  readonly outer?: OuterPacket | undefined;
}

export interface OuterPacket {
  readonly protocol: number;
  readonly source: Address;
  readonly target: Address;
}

/** A packet that is part of a larger one. */
export interface Fragment {
  readonly id: number;
  /** It contains the ports */
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

export interface TcpSegment {
  readonly flags: number;
  readonly sequence: number;
  readonly acknowledged: number;
  readonly payloadBytes: number;
  /** The option MSS of a SYN */
  readonly maximumSegment?: number | undefined;
}

export const FIN = 0x01;
export const SYN = 0x02;
export const RST = 0x04;
export const ACK = 0x10;

/** What an ICMP error says. */
export const ICMP_ERRORS = [
  "no route to the network",
  "host unreachable",
  "protocol unreachable",
  "port unreachable",
  "too big",
  "prohibited",
  "TTL exceeded",
  "fragments missing",
  "bad header",
  "unreachable",
] as const;
export type IcmpErrorName = (typeof ICMP_ERRORS)[number];

/** An ICMP error, and the packet that it is about. */
export interface IcmpError {
  readonly name: IcmpErrorName;
  /** Of `too big`: the largest packet that fits; undefined if the sender does not say it */
  readonly mtu?: number | undefined;
  /** undefined if too little of the packet is quoted */
  readonly about?:
    (Endpoints & { readonly outer?: OuterPacket | undefined }) | undefined;
}

/** Where a packet was captured. */
export interface CapturePoint {
  /** Milliseconds since 1970 */
  readonly time: number;
  /** Index of the interface; 0 if the capture does not say it */
  readonly device: number;
  readonly direction: "in" | "out";
  /** The hardware address of the sender, if the packet came in */
  readonly sender: Uint8Array | undefined;
}
