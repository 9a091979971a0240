import { formatAddress, INET6, type Address, type Family } from "./address.js";

/**
 * The protocol TCP, by its number in IP.
 *
 * @see IPPROTO_TCP
 * @since 0.1.0
 */
export const TCP = 6;
/**
 * The protocol UDP, by its number in IP.
 *
 * @see IPPROTO_UDP
 * @since 0.1.0
 */
export const UDP = 17;
/**
 * The protocol SCTP, by its number in IP.
 *
 * @see IPPROTO_SCTP
 * @since 0.1.0
 */
export const SCTP = 132;
/**
 * The transport protocols that IPVS balances: {@link TCP}, {@link UDP} or {@link SCTP}.
 *
 * @since 0.1.0
 */
export type Protocol = typeof TCP | typeof UDP | typeof SCTP;
/** All transport protocols. */
export const PROTOCOLS: readonly Protocol[] = [TCP, UDP, SCTP];

/** Names of the protocols, as the kernel and the classic listing write them. */
export const PROTOCOL_NAMES = {
  [TCP]: "TCP",
  [UDP]: "UDP",
  [SCTP]: "SCTP",
} as const;

/** Names of the protocols, as /etc/services and the subcommands write them. */
export const TRANSPORTS = {
  [TCP]: "tcp",
  [UDP]: "udp",
  [SCTP]: "sctp",
} as const;

/**
 * The identity of a virtual service: a firewall mark, or protocol, address and port.
 *
 * @see ip_vs_genl_parse_service() in net/netfilter/ipvs/ip_vs_ctl.c
 * @since 0.1.0
 */
export type ServiceKey =
  | {
      /** The address family of the packets with this mark */
      readonly family: Family;
      /** The firewall mark, 1 to 4294967295 */
      readonly firewallMark: number;
    }
  | {
      /** The family of `address` */
      readonly family: Family;
      /** The transport protocol */
      readonly protocol: Protocol;
      /** The virtual address, to which clients connect */
      readonly address: Address;
      /** 0 to 65535. 0 means all ports; the kernel accepts it only with {@link PERSISTENT} */
      readonly port: number;
    };

/**
 * A service flag: connections of one client go to the same real server.
 *
 * @see IP_VS_SVC_F_PERSISTENT in linux/ip_vs.h
 * @since 0.1.0
 */
export const PERSISTENT = 0x01;
/**
 * A service flag that the kernel sets in its reports. It ignores the flag in requests.
 *
 * @see IP_VS_SVC_F_HASHED
 * @since 0.1.0
 */
export const HASHED = 0x02;
/**
 * A service flag, for UDP: each datagram is scheduled separately (one-packet scheduling).
 *
 * @see IP_VS_SVC_F_ONEPACKET
 * @since 0.1.0
 */
export const ONE_PACKET = 0x04;

/**
 * Which clients persistence treats as one: an IPv4 netmask of 4 bytes, or the length of an IPv6
 * prefix, 1 to 128.
 *
 * @since 0.1.0
 */
export type Netmask = Uint8Array | number;

/** The default netmask: every client address counts separately. */
export function wholeNetmask(family: Family): Netmask {
  return family === INET6 ? 128 : Uint8Array.of(255, 255, 255, 255);
}

/**
 * The configuration of a virtual service.
 *
 * @since 0.1.0
 */
export interface ServiceSettings {
  /**
   * The scheduler's name, such as `wlc`: at most 15 bytes. The kernel loads the module ip_vs_NAME
   * if needed
   */
  readonly scheduler: string;
  /** The persistence engine's name. Linux has only `sip` */
  readonly persistenceEngine?: string | undefined;
  /**
   * {@link PERSISTENT} and {@link ONE_PACKET}, combined with bits from {@link schedulerFlag} by
   * bitwise OR
   */
  readonly flags: number;
  /**
   * How long a client stays with its real server, in seconds, 0 to 4294967295. Only used with
   * PERSISTENT
   */
  readonly timeoutSeconds: number;
  /** Which clients count as one. Only used with PERSISTENT */
  readonly netmask: Netmask;
}

/**
 * Counters and rates. bigint, because the kernel's values have 64 bits. Kernels before 4.1 report
 * 32 bits, except for bytes. The director sees outgoing packets only with masquerading.
 *
 * @see struct ip_vs_kstats in include/net/ip_vs.h
 * @since 0.1.0
 */
export interface Stats {
  /**
   * Connections scheduled. All counters start when the service or server is added, or at
   * {@link IpvsClient.zero}
   */
  readonly connections: bigint;
  /** Packets from clients */
  readonly inPackets: bigint;
  /** Packets to clients */
  readonly outPackets: bigint;
  /** Bytes from clients, with IP headers */
  readonly inBytes: bigint;
  /** Bytes to clients, with IP headers */
  readonly outBytes: bigint;
  /** New connections per second. All rates are moving averages, updated every 2 seconds */
  readonly connectionsPerSecond: bigint;
  /** Packets from clients per second */
  readonly inPacketsPerSecond: bigint;
  /** Packets to clients per second */
  readonly outPacketsPerSecond: bigint;
  /** Bytes from clients per second */
  readonly inBytesPerSecond: bigint;
  /** Bytes to clients per second */
  readonly outBytesPerSecond: bigint;
}

/**
 * A virtual service without its counters, which are most of the work of decoding one.
 *
 * @since 0.2.0
 */
export interface ServiceSummary {
  /** The identity of the service */
  readonly key: ServiceKey;
  /** The configuration of the service */
  readonly settings: ServiceSettings;
}

/**
 * A virtual service as the kernel reports it.
 *
 * @since 0.1.0
 */
export interface ServiceEntry extends ServiceSummary {
  /** The sum over all its servers, past and present */
  readonly stats: Stats;
}

/**
 * A forwarding method: masquerading (NAT).
 *
 * @see IP_VS_CONN_F_MASQ in linux/ip_vs.h
 * @since 0.1.0
 */
export const MASQUERADING = 0;
/**
 * A forwarding method: the real server is the director itself. The kernel chooses it.
 *
 * @see IP_VS_CONN_F_LOCALNODE
 * @since 0.1.0
 */
export const LOCAL_NODE = 1;
/**
 * A forwarding method: tunneling. The packet is encapsulated in a packet to the real server.
 *
 * @see IP_VS_CONN_F_TUNNEL
 * @since 0.2.0
 */
export const TUNNELING = 2;
/**
 * A forwarding method: direct routing. The packet is sent unchanged, in a frame to the real server.
 * @see IP_VS_CONN_F_DROUTE
 *
 * @since 0.1.0
 */
export const DIRECT_ROUTING = 3;
/**
 * The bits of the kernel's connection flags that contain the forwarding method.
 *
 * @see IP_VS_CONN_F_FWD_MASK
 */
export const FORWARDING_MASK = 7;

/**
 * A tunnel type: IP in IP.
 *
 * @see IP_VS_CONN_F_TUNNEL_TYPE_IPIP in linux/ip_vs.h; RFC 2003
 * @since 0.1.0
 */
export const TUNNEL_IPIP = 0;
/**
 * A tunnel type: generic UDP encapsulation. Needs Linux 5.2.
 *
 * @see IP_VS_CONN_F_TUNNEL_TYPE_GUE
 * @since 0.1.0
 */
export const TUNNEL_GUE = 1;
/**
 * A tunnel type: generic routing encapsulation. Needs Linux 5.3.
 *
 * @see IP_VS_CONN_F_TUNNEL_TYPE_GRE; RFC 2784
 * @since 0.1.0
 */
export const TUNNEL_GRE = 2;

/**
 * A tunnel flag, for GUE and GRE: with checksum.
 *
 * @see IP_VS_TUNNEL_ENCAP_FLAG_CSUM in linux/ip_vs.h
 * @since 0.1.0
 */
export const TUNNEL_CHECKSUM = 1;
/**
 * A tunnel flag, for GUE: with remote checksum offload.
 *
 * @see IP_VS_TUNNEL_ENCAP_FLAG_REMCSUM
 * @since 0.1.0
 */
export const TUNNEL_REMOTE_CHECKSUM = 2;

/**
 * The encapsulation of packets to a real server. Only used with {@link TUNNELING}.
 *
 * @since 0.1.0
 */
export interface Tunnel {
  /** {@link TUNNEL_IPIP}, {@link TUNNEL_GUE} or {@link TUNNEL_GRE} */
  readonly type: number;
  /** The UDP port for GUE, 1 to 65535; otherwise 0 */
  readonly port: number;
  /** {@link TUNNEL_CHECKSUM} or {@link TUNNEL_REMOTE_CHECKSUM}; 0 for none */
  readonly flags: number;
}

/**
 * The default tunnel: IP in IP, without flags.
 *
 * @since 0.1.0
 */
export const IPIP: Tunnel = { type: TUNNEL_IPIP, port: 0, flags: 0 };

/**
 * The identity of a real server within its virtual service.
 *
 * @since 0.2.0
 */
export interface ServerKey {
  /** A unicast address. Only with tunneling may its family differ from the service's */
  readonly address: Address;
  /** 0 to 65535. Only masquerading can use another port than the service's */
  readonly port: number;
}

/**
 * The configuration of a real server.
 *
 * @since 0.2.0
 */
export interface ServerSettings {
  /**
   * {@link MASQUERADING}, {@link TUNNELING} or {@link DIRECT_ROUTING}. The kernel also reports
   * {@link LOCAL_NODE}
   */
  readonly forwarding: number;
  /** 0 to 2147483647. 0 accepts no new connections */
  readonly weight: number;
  /** The encapsulation. Only used with {@link TUNNELING} */
  readonly tunnel: Tunnel;
  /**
   * The number of connections at which the server gets no new ones, 0 to 4294967295; 0 means no
   * limit
   */
  readonly upperThreshold: number;
  /**
   * An overloaded server gets new connections again below this number; 0 means three quarters of
   * the upper threshold
   */
  readonly lowerThreshold: number;
}

/**
 * A real server without its counters.
 *
 * @since 0.2.0
 */
export interface ServerSummary {
  /** The identity of the server */
  readonly key: ServerKey;
  /** The configuration of the server */
  readonly settings: ServerSettings;
  /** Established TCP and SCTP connections */
  readonly activeConnections: number;
  /** All other connections: opening, closing, and all of UDP */
  readonly inactiveConnections: number;
  /** Persistence templates: clients that persistence binds to this server */
  readonly persistentConnections: number;
}

/**
 * A real server as the kernel reports it.
 *
 * @since 0.2.0
 */
export interface ServerEntry extends ServerSummary {
  /** The server's counters and rates */
  readonly stats: Stats;
}

/**
 * A virtual service with its real servers.
 *
 * @since 0.1.0
 */
export interface ServiceWithServers extends ServiceEntry {
  /** In the kernel's order: newest first */
  readonly servers: readonly ServerEntry[];
}

/**
 * A virtual service with its real servers, without counters.
 *
 * @since 0.2.0
 */
export interface ServiceSummaryWithServers extends ServiceSummary {
  /** In the kernel's order: newest first */
  readonly servers: readonly ServerSummary[];
}

/**
 * A role of a sync daemon: it sends the connections of this director to backups.
 *
 * @see IP_VS_STATE_MASTER in linux/ip_vs.h
 * @since 0.1.0
 */
export const MASTER = 1;
/**
 * A role of a sync daemon: it receives the connections of masters.
 *
 * @see IP_VS_STATE_BACKUP
 * @since 0.1.0
 */
export const BACKUP = 2;

/**
 * A sync daemon. In a request, the kernel fills in defaults for absent fields.
 *
 * @see ip_vs_genl_new_daemon() in net/netfilter/ipvs/ip_vs_ctl.c
 * @since 0.1.0
 */
export interface Daemon {
  /** The role: {@link MASTER} or {@link BACKUP} */
  readonly state: typeof MASTER | typeof BACKUP;
  /** The network interface for sync messages, such as `eth0` */
  readonly multicastInterface: string;
  /** 0 to 255. A backup with sync ID 0 accepts the messages of every master */
  readonly syncId: number;
  /**
   * The maximum size of a sync message: bytes of UDP payload, 1 to 65535. By default it fits the
   * interface's MTU
   */
  readonly maximumLength?: number | undefined;
  /** The multicast group; by default 224.0.0.81 */
  readonly multicastGroup?: Address | undefined;
  /** The UDP port, 1 to 65535; by default 8848 */
  readonly multicastPort?: number | undefined;
  /** The TTL of sync messages, 1 to 255; by default 1 */
  readonly multicastTtl?: number | undefined;
}

/**
 * How long a connection may be idle before the kernel forgets it. In a request, 0 leaves a timeout
 * unchanged.
 *
 * @see ip_vs_set_timeout() in net/netfilter/ipvs/ip_vs_ctl.c
 * @since 0.1.0
 */
export interface Timeouts {
  /** For established TCP connections, in seconds, 0 to INT_MAX / HZ */
  readonly tcpSeconds: number;
  /** For TCP connections in FIN_WAIT, in seconds */
  readonly tcpFinSeconds: number;
  /** For UDP, in seconds */
  readonly udpSeconds: number;
}

/**
 * The version and size of the kernel module.
 *
 * @since 0.1.0
 */
export interface Info {
  /** The version: 0x010201 is 1.2.1 */
  readonly version: number;
  /** The number of hash buckets in the connection table. Not a limit */
  readonly connectionTableSize: number;
}

/**
 * Formats an endpoint for people: as numbers, or with names from the resolver.
 *
 * @param protocol undefined for the servers of a firewall mark
 */
export type EndpointName = (
  address: Address,
  port: number,
  protocol: Protocol | undefined,
) => string;

/**
 * Formats an address and a port: `192.0.2.1:80` or `[2001:db8::1]:80`.
 *
 * @param address 4 or 16 bytes
 * @param port 0 to 65535
 * @since 0.1.0
 */
export function formatEndpoint(address: Address, port: number): string {
  const text = formatAddress(address);
  return address.length === 4 ? `${text}:${port}` : `[${text}]:${port}`;
}

/**
 * Formats a virtual service: `TCP 192.0.2.1:80`, `FWM 7` or `FWM 7 IPv6`. Different keys give
 * different texts. {@link parseService} reads it back.
 *
 * @since 0.1.0
 */
export function formatService(key: ServiceKey): string {
  if ("firewallMark" in key)
    return `FWM ${key.firewallMark}${key.family === INET6 ? " IPv6" : ""}`;
  return `${PROTOCOL_NAMES[key.protocol]} ${formatEndpoint(key.address, key.port)}`;
}

/**
 * Formats a netmask; undefined for the default netmask, which counts every client address
 * separately.
 */
export function formatNarrowMask(netmask: Netmask): string | undefined {
  const [text, whole] =
    typeof netmask === "number"
      ? [String(netmask), "128"]
      : [formatAddress(netmask), "255.255.255.255"];
  return text === whole ? undefined : text;
}
