import {
  bytes,
  headerOf,
  nested,
  raw,
  text,
  u16,
  u16be,
  u32,
  u64,
  u8,
  type Codec,
  type Layout,
} from "../netlink/attributes.js";

/*
 * The attributes of include/uapi/linux/ip_vs.h, each defined once for both directions. The rows are
 * in the order of a request; replies may have another order.
 */

/**
 * The name and version of the generic netlink family.
 *
 * @see IPVS_GENL_NAME, IPVS_GENL_VERSION in linux/ip_vs.h
 */
export const FAMILY_NAME = "IPVS";
export const FAMILY_VERSION = 1;

/** IPVS_CMD_* */
export const COMMANDS = {
  newService: 1,
  setService: 2,
  deleteService: 3,
  getService: 4,
  newDestination: 5,
  setDestination: 6,
  deleteDestination: 7,
  getDestination: 8,
  newDaemon: 9,
  deleteDaemon: 10,
  getDaemon: 11,
  setConfig: 12,
  getConfig: 13,
  getInfo: 15,
  zero: 16,
  flush: 17,
} as const;

/** struct ip_vs_flags: the flags, and a mask of the flags to set. Requests set all of them. */
const flags: Codec<number> = {
  size: 8,
  encode: (out, type, value) => {
    out.u32(headerOf(type, 8));
    out.pair(value, 0xffffffff);
  },
  decode: (bytes, at) => bytes.getUint32(at, true),
};

/**
 * IPVS_STATS_ATTR_* as 64-bit values, since Linux 4.1. There are padding attributes between them.
 */
export const STATS64 = {
  connections: [1, u64],
  inPackets: [2, u64],
  outPackets: [3, u64],
  inBytes: [4, u64],
  outBytes: [5, u64],
  connectionsPerSecond: [6, u64],
  inPacketsPerSecond: [7, u64],
  outPacketsPerSecond: [8, u64],
  inBytesPerSecond: [9, u64],
  outBytesPerSecond: [10, u64],
} as const satisfies Layout;

/** A 32-bit counter of an older kernel. */
const counter32: Codec<bigint> = {
  size: 4,
  encode: (out, type, value) => {
    out.pair(headerOf(type, 4), Number(value));
  },
  decode: (bytes, at) => BigInt(bytes.getUint32(at, true)),
};

/**
 * IPVS_STATS_ATTR_* as every kernel sends them. All but the byte counters are truncated to 32 bits.
 */
export const STATS = {
  connections: [1, counter32],
  inPackets: [2, counter32],
  outPackets: [3, counter32],
  inBytes: [4, u64],
  outBytes: [5, u64],
  connectionsPerSecond: [6, counter32],
  inPacketsPerSecond: [7, counter32],
  outPacketsPerSecond: [8, counter32],
  inBytesPerSecond: [9, counter32],
  outBytesPerSecond: [10, counter32],
} as const satisfies Layout;

/** Counters of services and destinations. */
const COUNTERS = {
  stats: [10, raw()], // STATS, decoded only if stats64 is missing
  stats64: [12, nested(STATS64)],
} as const satisfies Layout;

/** IPVS_SVC_ATTR_* without the counters */
const SERVICE_STATE = {
  family: [1, u16],
  firewallMark: [5, u32],
  protocol: [2, u16],
  address: [3, bytes(16)], // IPv4 in the first 4 bytes, then zeros
  port: [4, u16be],
  scheduler: [6, text],
  persistenceEngine: [11, text],
  flags: [7, flags],
  timeoutSeconds: [8, u32],
  netmask: [9, bytes(4)], // IPv4: a mask in network byte order. IPv6: a prefix length in host byte order
} as const satisfies Layout;

/** IPVS_SVC_ATTR_* */
export const SERVICE = {
  ...SERVICE_STATE,
  ...COUNTERS,
} as const satisfies Layout;

/** IPVS_DEST_ATTR_* without the counters */
const DESTINATION_STATE = {
  family: [11, u16],
  address: [1, bytes(16)],
  port: [2, u16be],
  forwarding: [3, u32],
  weight: [4, u32],
  tunnelType: [13, u8],
  tunnelPort: [14, u16be],
  tunnelFlags: [15, u16],
  upperThreshold: [5, u32],
  lowerThreshold: [6, u32],
  activeConnections: [7, u32],
  inactiveConnections: [8, u32],
  persistentConnections: [9, u32],
} as const satisfies Layout;

/** IPVS_DEST_ATTR_* */
export const DESTINATION = {
  ...DESTINATION_STATE,
  ...COUNTERS,
} as const satisfies Layout;

/** IPVS_DAEMON_ATTR_*. Length and port are in host byte order. */
export const DAEMON = {
  state: [1, u32],
  multicastInterface: [2, text],
  syncId: [3, u32],
  maximumLength: [4, u16],
  multicastGroup: [5, bytes(4)],
  multicastGroup6: [6, bytes(16)],
  multicastPort: [7, u16],
  multicastTtl: [8, u8],
} as const satisfies Layout;

/** IPVS_CMD_ATTR_*: the top level of all messages except the reply to GET_INFO. */
export const MESSAGE = {
  service: [1, nested(SERVICE)],
  destination: [2, nested(DESTINATION)],
  daemon: [3, nested(DAEMON)],
  tcpSeconds: [4, u32],
  tcpFinSeconds: [5, u32],
  udpSeconds: [6, u32],
} as const satisfies Layout;

/** The same message, decoded without the counters. */
export const MESSAGE_WITHOUT_STATS = {
  service: [1, nested(SERVICE_STATE)],
  destination: [2, nested(DESTINATION_STATE)],
} as const satisfies Layout;

/** IPVS_INFO_ATTR_* */
export const INFO = {
  version: [1, u32],
  connectionTableSize: [2, u32],
} as const satisfies Layout;
