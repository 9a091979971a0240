import { formatAddress, INET6, type Address, type Family } from "./address.js";

/** TCP, by its number in IP. @see IPPROTO_TCP */
export const TCP = 6;
/** UDP, by its number in IP. @see IPPROTO_UDP */
export const UDP = 17;
/** SCTP, by its number in IP. @see IPPROTO_SCTP */
export const SCTP = 132;
/** The transport protocols that IPVS balances. */
export type Protocol = typeof TCP | typeof UDP | typeof SCTP;
/** All of them. */
export const PROTOCOLS: readonly Protocol[] = [TCP, UDP, SCTP];

/** Their names as the kernel and the classic listing write them. */
export const PROTOCOL_NAMES = {
  [TCP]: "TCP",
  [UDP]: "UDP",
  [SCTP]: "SCTP",
} as const;

/** Their names as /etc/services and the subcommands write them. */
export const TRANSPORTS = {
  [TCP]: "tcp",
  [UDP]: "udp",
  [SCTP]: "sctp",
} as const;

/** What names a virtual service to the kernel; nothing else is needed to find one. */
export type ServiceKey =
  | {
      /** Of the packets that carry the mark */
      readonly family: Family;
      /** 1 to 4294967295 */
      readonly firewallMark: number;
    }
  | {
      /** That of the address */
      readonly family: Family;
      /** TCP, UDP or SCTP */
      readonly protocol: Protocol;
      /** Where clients connect to */
      readonly address: Address;
      /** 0 to 65535; 0 is every port, for persistent services */
      readonly port: number;
    };

/** A bit of a service's flags: clients stay with their real server. @see IP_VS_SVC_F_PERSISTENT in linux/ip_vs.h */
export const PERSISTENT = 0x01;
/** A bit of a service's flags. Set by the kernel when it reports a service; it takes no notice of it in a request. */
export const HASHED = 0x02;
/** A bit of a service's flags: each UDP datagram is scheduled by itself. @see IP_VS_SVC_F_ONEPACKET */
export const ONE_PACKET = 0x04;

/**
 * The clients that persistence takes for one: the 4 bytes of an IPv4 mask, or the length of an IPv6
 * prefix, 1 to 128.
 */
export type Netmask = Uint8Array | number;

/** The netmask that takes every client by itself. */
export function wholeNetmask(family: Family): Netmask {
  return family === INET6 ? 128 : Uint8Array.of(255, 255, 255, 255);
}

/** What an administrator sets of a virtual service. */
export interface ServiceSettings {
  /** rr, wrr, lc, wlc …: the name of a scheduler module, at most 15 bytes */
  readonly scheduler: string;
  /** The only one in Linux is `sip`. */
  readonly persistenceEngine?: string | undefined;
  /** {@link PERSISTENT} and {@link ONE_PACKET}, or'ed with what {@link schedulerFlag} finds */
  readonly flags: number;
  /** How long a client stays with its real server; counts if PERSISTENT is set */
  readonly timeoutSeconds: number;
  /** Which clients are one; counts if PERSISTENT is set */
  readonly netmask: Netmask;
}

/** Counters and rates, each 64 bits wide in the kernel, hence bigint. */
export interface Stats {
  /** Connections that were scheduled, since the service was added or zeroed, as all that is not a rate */
  readonly connections: bigint;
  /** Packets from clients */
  readonly inPackets: bigint;
  /** Packets to clients, of which the director sees only those that it masquerades */
  readonly outPackets: bigint;
  /** Bytes from clients, with IP headers */
  readonly inBytes: bigint;
  /** Bytes to clients, with IP headers */
  readonly outBytes: bigint;
  /** The kernel's sliding average, made anew every 2 seconds, as all rates */
  readonly connectionsPerSecond: bigint;
  /** Packets from clients */
  readonly inPacketsPerSecond: bigint;
  /** Packets to clients */
  readonly outPacketsPerSecond: bigint;
  /** Bytes from clients */
  readonly inBytesPerSecond: bigint;
  /** Bytes to clients */
  readonly outBytesPerSecond: bigint;
}

/** What the kernel tells of a virtual service but its counters, which are most of the work of reading one. */
export interface ServiceWithoutStats {
  /** What names it */
  readonly key: ServiceKey;
  /** What was set of it */
  readonly settings: ServiceSettings;
}

/** What the kernel tells of a virtual service. */
export interface ServiceEntry extends ServiceWithoutStats {
  /** What it has done, all its servers together */
  readonly stats: Stats;
}

/** A forwarding method: NAT. @see IP_VS_CONN_F_MASQ in linux/ip_vs.h */
export const MASQUERADING = 0;
/** A forwarding method: the director serves itself. The kernel chooses it. @see IP_VS_CONN_F_LOCALNODE */
export const LOCAL_NODE = 1;
/** A forwarding method: in a packet to the real server. @see IP_VS_CONN_F_TUNNEL */
export const TUNNELING = 2;
/** A forwarding method: the packet as it is, in a frame to the real server. @see IP_VS_CONN_F_DROUTE */
export const DIRECT_ROUTING = 3;
/** The bits of the kernel's connection flags that are the forwarding method. */
export const FORWARDING_MASK = 7;

/** A type of tunnel: IP in IP. @see IP_VS_CONN_F_TUNNEL_TYPE_* in linux/ip_vs.h; RFC 2003 */
export const TUNNEL_IPIP = 0;
/** A type of tunnel: generic UDP encapsulation. Since Linux 5.2. */
export const TUNNEL_GUE = 1;
/** A type of tunnel: generic routing encapsulation. Since Linux 5.3. @see RFC 2784 */
export const TUNNEL_GRE = 2;

/** A bit of a tunnel's flags: with a checksum of UDP or GRE. @see IP_VS_TUNNEL_ENCAP_FLAG_CSUM */
export const TUNNEL_CHECKSUM = 1;
/** A bit of a tunnel's flags, for GUE: with remote checksum offload. @see IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM */
export const TUNNEL_REMOTE_CHECKSUM = 2;

/** How packets are wrapped on their way to a real server; counts with TUNNELING. */
export interface Tunnel {
  /** {@link TUNNEL_IPIP}, {@link TUNNEL_GUE} or {@link TUNNEL_GRE} */
  readonly type: number;
  /** UDP port, for GUE; otherwise 0 */
  readonly port: number;
  /** {@link TUNNEL_CHECKSUM} or {@link TUNNEL_REMOTE_CHECKSUM}; 0 for none */
  readonly flags: number;
}

/** The tunnel that is meant where none is named. */
export const IPIP: Tunnel = { type: TUNNEL_IPIP, port: 0, flags: 0 };

/** What names a real server within its virtual service. */
export interface ServerKey {
  /** Of one host; with tunneling it may be of the other family than the service's */
  readonly address: Address;
  /** 0 to 65535; only masquerading can change it from the service's */
  readonly port: number;
}

/** What an administrator sets of a real server. */
export interface ServerSettings {
  /** {@link MASQUERADING}, {@link TUNNELING} or {@link DIRECT_ROUTING} */
  readonly forwarding: number;
  /** 0 to 2147483647; 0 takes no new connections */
  readonly weight: number;
  /** Counts with TUNNELING */
  readonly tunnel: Tunnel;
  /** Connections at which the server gets no new ones; 0 is no limit */
  readonly upperThreshold: number;
  /** Connections below which an overloaded server gets new ones again; 0 is three quarters of the upper */
  readonly lowerThreshold: number;
}

/** What the kernel tells of a real server but its counters. */
export interface ServerWithoutStats {
  /** What names it */
  readonly key: ServerKey;
  /** What was set of it */
  readonly settings: ServerSettings;
  /** TCP and SCTP connections that are established */
  readonly activeConnections: number;
  /** All others: beginning, ending, and those of UDP */
  readonly inactiveConnections: number;
  /** Connection templates: clients that persistence binds to this server */
  readonly persistentConnections: number;
}

/** What the kernel tells of a real server. */
export interface ServerEntry extends ServerWithoutStats {
  /** What it has done */
  readonly stats: Stats;
}

/** A virtual service with its real servers. */
export interface ServiceWithServers extends ServiceEntry {
  /** In the kernel's order: the newest first */
  readonly servers: readonly ServerEntry[];
}

/** The same without counters. */
export interface ServiceAndServersWithoutStats extends ServiceWithoutStats {
  /** In the kernel's order: the newest first */
  readonly servers: readonly ServerWithoutStats[];
}

/** A role in connection synchronization: tells the backups of its connections. @see IP_VS_STATE_MASTER in linux/ip_vs.h */
export const MASTER = 1;
/** A role in connection synchronization: listens to masters. @see IP_VS_STATE_BACKUP */
export const BACKUP = 2;

/** A sync daemon. What is absent in a request is the kernel's default. */
export interface Daemon {
  /** Its role */
  readonly state: typeof MASTER | typeof BACKUP;
  /** The network interface on which messages are sent or received, such as `eth0` */
  readonly multicastInterface: string;
  /** 0 to 255; a backup with 0 takes the messages of every master */
  readonly syncId: number;
  /** Longest message, in bytes of UDP payload */
  readonly maximumLength?: number | undefined;
  /** By default 224.0.0.81 */
  readonly multicastGroup?: Address | undefined;
  /** Of UDP, by default 8848 */
  readonly multicastPort?: number | undefined;
  /** How many routers a message may pass, by default 1 */
  readonly multicastTtl?: number | undefined;
}

/** After how long without a packet a connection is forgotten, by its state; 0 in a request changes nothing. */
export interface Timeouts {
  /** Established TCP connections */
  readonly tcpSeconds: number;
  /** TCP connections that are being closed */
  readonly tcpFinSeconds: number;
  /** UDP */
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
