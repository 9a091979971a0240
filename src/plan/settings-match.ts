import { sameAddress } from "../ipvs/address.js";
import {
  HASHED,
  LOCAL_NODE,
  MASTER,
  PERSISTENT,
  TUNNEL_GRE,
  TUNNEL_GUE,
  TUNNEL_IPIP,
  TUNNELING,
  type Daemon,
  type ServerSettings,
  type Netmask,
  type ServiceSettings,
  type Tunnel,
} from "../ipvs/model.js";

/*
 * What the kernel makes of that which it is told. Two settings are the same if it would behave alike: what has no
 * effect does not count, nor does what it decides by itself.
 */

/**
 * Whether a service needs no edit to be as it is wanted.
 *
 * The flag HASHED is the kernel's own. Timeout and netmask count with persistence alone; the engine counts always,
 * for it may know the connections that real servers begin.
 */
export function keepsService(
  has: ServiceSettings,
  wanted: ServiceSettings,
): boolean {
  return (
    has.scheduler === wanted.scheduler &&
    ((has.flags ^ wanted.flags) & ~HASHED) === 0 &&
    (has.persistenceEngine ?? "") === (wanted.persistenceEngine ?? "") &&
    ((wanted.flags & PERSISTENT) === 0 ||
      (has.timeoutSeconds === wanted.timeoutSeconds &&
        sameNetmask(has.netmask, wanted.netmask)))
  );
}

export function sameNetmask(a: Netmask, b: Netmask): boolean {
  return typeof a === "number" || typeof b === "number"
    ? a === b
    : sameAddress(a, b);
}

/**
 * Whether a real server needs no edit to be as it is wanted.
 *
 * A kernel that finds the server on the director itself may keep LOCAL_NODE, whatever it was told. The tunnel counts
 * with tunneling alone.
 */
export function keepsServer(
  has: ServerSettings,
  wanted: ServerSettings,
): boolean {
  return (
    has.weight === wanted.weight &&
    has.upperThreshold === wanted.upperThreshold &&
    has.lowerThreshold === wanted.lowerThreshold &&
    (has.forwarding === LOCAL_NODE || has.forwarding === wanted.forwarding) &&
    (has.forwarding !== TUNNELING || sameTunnel(has.tunnel, wanted.tunnel))
  );
}

/** Whether packets are wrapped alike: only GUE has a port, and IPIP no checksum. */
export function sameTunnel(a: Tunnel, b: Tunnel): boolean {
  if (a.type !== b.type) return false;
  switch (a.type) {
    case TUNNEL_IPIP:
      return true;
    case TUNNEL_GRE:
      return a.flags === b.flags;
    case TUNNEL_GUE:
    default:
      return a.flags === b.flags && a.port === b.port;
  }
}

const IPV4_HEADERS = 20 + 8;
const IPV6_HEADERS = 40 + 8;
/** The kernel takes this for every master that is not told how long its messages may be. */
const MASTER_MTU = 1500;
const DEFAULT_GROUP = Uint8Array.of(224, 0, 0, 81);
const DEFAULT_PORT = 8848;
const DEFAULT_TTL = 1;

/**
 * A sync daemon as the kernel keeps it. The longest message of a backup that was told none follows from its
 * interface, and stays undefined.
 *
 * @see start_sync_thread() in net/netfilter/ipvs/ip_vs_sync.c
 */
export function keptDaemon(daemon: Daemon): Daemon {
  const multicastGroup = daemon.multicastGroup ?? DEFAULT_GROUP;
  const headers = multicastGroup.length === 4 ? IPV4_HEADERS : IPV6_HEADERS;
  const usual = daemon.state === MASTER ? MASTER_MTU - headers : undefined;
  return {
    ...daemon,
    maximumLength: clamped(daemon, headers) ?? usual,
    multicastGroup,
    multicastPort: given(daemon.multicastPort) ?? DEFAULT_PORT,
    multicastTtl: given(daemon.multicastTtl) ?? DEFAULT_TTL,
  };
}

/** In a request, 0 is as if nothing were said. */
function given(value: number | undefined): number | undefined {
  return value === 0 ? undefined : value;
}

function clamped(
  { state, maximumLength }: Daemon,
  headers: number,
): number | undefined {
  if (!maximumLength) return undefined;
  const least = state === MASTER ? 1 : 1024;
  return Math.min(Math.max(maximumLength, least), 65535 - headers);
}

/** Whether a sync daemon that runs is as it is wanted. Kernels before 4.3 tell only interface and syncid of it. */
export function keepsDaemon(has: Daemon, wanted: Daemon): boolean {
  const kept = keptDaemon(wanted);
  const same = <T>(a: T | undefined, b: T | undefined) =>
    a === undefined || b === undefined || a === b;
  return (
    has.state === kept.state &&
    has.multicastInterface === kept.multicastInterface &&
    has.syncId === kept.syncId &&
    same(has.maximumLength, kept.maximumLength) &&
    same(has.multicastPort, kept.multicastPort) &&
    same(has.multicastTtl, kept.multicastTtl) &&
    (has.multicastGroup === undefined ||
      kept.multicastGroup === undefined ||
      sameAddress(has.multicastGroup, kept.multicastGroup))
  );
}
