import { formatAddress, INET6, type Address, type Family } from "./address.js";

/** Transport protocols by their numbers (IPPROTO_*). */
export const TCP = 6;
export const UDP = 17;
export const SCTP = 132;
export type Protocol = typeof TCP | typeof UDP | typeof SCTP;

/** What names a virtual service to the kernel; nothing else is needed to find one. */
export type ServiceKey =
  | { readonly family: Family; readonly firewallMark: number }
  | {
      readonly family: Family;
      readonly protocol: Protocol;
      readonly address: Address;
      readonly port: number;
    };

/** Bits of ServiceSettings.flags. @see IP_VS_SVC_F_* in linux/ip_vs.h */
export const PERSISTENT = 0x01;
/** Set by the kernel when it reports a service; it takes no notice of it in a request. */
export const HASHED = 0x02;
export const ONE_PACKET = 0x04;

/**
 * The clients that persistence takes for one: the 4 bytes of an IPv4 mask, or the length of an IPv6
 * prefix, 1 to 128.
 */
export type Netmask = Uint8Array | number;

/** What an administrator sets of a virtual service. */
export interface ServiceSettings {
  /** rr, wrr, lc, wlc …: the name of a scheduler module, at most 15 bytes */
  readonly scheduler: string;
  /** The only one in Linux is `sip`. */
  readonly persistenceEngine?: string | undefined;
  readonly flags: number;
  /** How long a client stays with its real server; counts if PERSISTENT is set */
  readonly timeoutSeconds: number;
  readonly netmask: Netmask;
}

/** Counters and rates, each 64 bits wide in the kernel, hence bigint. */
export interface Stats {
  readonly connections: bigint;
  readonly inPackets: bigint;
  readonly outPackets: bigint;
  readonly inBytes: bigint;
  readonly outBytes: bigint;
  readonly connectionsPerSecond: bigint;
  readonly inPacketsPerSecond: bigint;
  readonly outPacketsPerSecond: bigint;
  readonly inBytesPerSecond: bigint;
  readonly outBytesPerSecond: bigint;
}

/** What the kernel tells of a virtual service. */
export interface ServiceEntry {
  readonly key: ServiceKey;
  readonly settings: ServiceSettings;
  readonly stats: Stats;
}

/** Forwarding methods. @see IP_VS_CONN_F_* in linux/ip_vs.h */
export const MASQUERADING = 0;
export const LOCAL_NODE = 1;
export const TUNNELLING = 2;
export const DIRECT_ROUTING = 3;
/** The bits of the kernel's connection flags that are the forwarding method. */
export const FORWARDING_MASK = 7;

export const TUNNEL_IPIP = 0;
export const TUNNEL_GUE = 1;
export const TUNNEL_GRE = 2;

export const TUNNEL_CHECKSUM = 1;
export const TUNNEL_REMOTE_CHECKSUM = 2;

/** How packets are wrapped on their way to a real server; counts with TUNNELLING. */
export interface Tunnel {
  readonly type: number;
  /** UDP port, for GUE; otherwise 0 */
  readonly port: number;
  readonly flags: number;
}

export const IPIP: Tunnel = { type: TUNNEL_IPIP, port: 0, flags: 0 };

/** What names a real server within its virtual service. */
export interface DestinationKey {
  readonly address: Address;
  readonly port: number;
}

/** What an administrator sets of a real server. */
export interface DestinationSettings {
  readonly forwarding: number;
  /** 0 to 2147483647; 0 takes no new connections */
  readonly weight: number;
  readonly tunnel: Tunnel;
  /** Connections at which the server gets no new ones; 0 is no limit */
  readonly upperThreshold: number;
  /** Connections below which an overloaded server gets new ones again; 0 is three quarters of the upper */
  readonly lowerThreshold: number;
}

/** What the kernel tells of a real server. */
export interface DestinationEntry {
  readonly key: DestinationKey;
  readonly settings: DestinationSettings;
  readonly activeConnections: number;
  readonly inactiveConnections: number;
  /** Connection templates: clients that persistence binds to this server */
  readonly persistentConnections: number;
  readonly stats: Stats;
}

/** A virtual service with its real servers. */
export interface ServiceWithServers extends ServiceEntry {
  readonly servers: readonly DestinationEntry[];
}

/** Roles of a director in connection synchronization. @see IP_VS_STATE_* in linux/ip_vs.h */
export const MASTER = 1;
export const BACKUP = 2;

/** A sync daemon. What is absent in a request is the kernel's default. */
export interface Daemon {
  readonly state: typeof MASTER | typeof BACKUP;
  readonly multicastInterface: string;
  /** 0 to 255; a backup with 0 takes the messages of every master */
  readonly syncId: number;
  /** Longest message, in bytes of UDP payload */
  readonly maximumLength?: number | undefined;
  readonly multicastGroup?: Address | undefined;
  readonly multicastPort?: number | undefined;
  readonly multicastTtl?: number | undefined;
}

/** After how long without a packet a connection is forgotten, by its state; 0 in a request changes nothing. */
export interface Timeouts {
  readonly tcpSeconds: number;
  readonly tcpFinSeconds: number;
  readonly udpSeconds: number;
}

/** What the module says of itself. */
export interface Info {
  /** 0x010201 is version 1.2.1 */
  readonly version: number;
  /** Rows of the hash table of connections, not a limit */
  readonly connectionTableSize: number;
}

/**
 * Names an address with a port, for people: in numbers, or by what the resolver knows.
 *
 * @param protocol undefined for a firewall mark's servers
 */
export type EndpointName = (
  address: Address,
  port: number,
  protocol: Protocol | undefined,
) => string;

/** `192.0.2.1:80` or `[2001:db8::1]:80`. */
export function formatEndpoint(address: Address, port: number): string {
  const text = formatAddress(address);
  return address.length === 4 ? `${text}:${port}` : `[${text}]:${port}`;
}

const PROTOCOL_NAMES = { [TCP]: "TCP", [UDP]: "UDP", [SCTP]: "SCTP" } as const;

/** A service as people name it: `TCP 192.0.2.1:80`, `FWM 7`, `FWM 7 IPv6`. Unique to the key. */
export function formatService(key: ServiceKey): string {
  if ("firewallMark" in key)
    return `FWM ${key.firewallMark}${key.family === INET6 ? " IPv6" : ""}`;
  return `${PROTOCOL_NAMES[key.protocol]} ${formatEndpoint(key.address, key.port)}`;
}

/** A netmask that tells some clients together, as text; undefined for the default, every address by itself. */
export function formatNarrowMask(netmask: Netmask): string | undefined {
  const [text, whole] =
    typeof netmask === "number"
      ? [String(netmask), "128"]
      : [formatAddress(netmask), "255.255.255.255"];
  return text === whole ? undefined : text;
}
