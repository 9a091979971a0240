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
 * Two settings match if the kernel would behave the same with both. Settings without effect are ignored, and so are
 * settings that the kernel chooses itself.
 */

/**
 * Whether a service already has the desired settings.
 *
 * HASHED is ignored: the kernel sets it. Timeout and netmask count only with persistence. The persistence engine always
 * counts, because it can also match connections that real servers open.
 */
export function serviceMatches(
  current: ServiceSettings,
  desired: ServiceSettings,
): boolean {
  return (
    current.scheduler === desired.scheduler &&
    ((current.flags ^ desired.flags) & ~HASHED) === 0 &&
    (current.persistenceEngine ?? "") === (desired.persistenceEngine ?? "") &&
    ((desired.flags & PERSISTENT) === 0 ||
      (current.timeoutSeconds === desired.timeoutSeconds &&
        sameNetmask(current.netmask, desired.netmask)))
  );
}

export function sameNetmask(a: Netmask, b: Netmask): boolean {
  return typeof a === "number" || typeof b === "number"
    ? a === b
    : sameAddress(a, b);
}

/**
 * Whether a real server already has the desired settings.
 *
 * For a server on the director itself, the kernel may report LOCAL_NODE instead of the requested method. The tunnel
 * counts only with tunneling.
 */
export function serverMatches(
  current: ServerSettings,
  desired: ServerSettings,
): boolean {
  return (
    current.weight === desired.weight &&
    current.upperThreshold === desired.upperThreshold &&
    current.lowerThreshold === desired.lowerThreshold &&
    (current.forwarding === LOCAL_NODE ||
      current.forwarding === desired.forwarding) &&
    (current.forwarding !== TUNNELING ||
      sameTunnel(current.tunnel, desired.tunnel))
  );
}

/** Whether two tunnels encapsulate in the same way. Only GUE has a port; IPIP has no checksum. */
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
/** The kernel assumes this MTU for a master without a maximum message length. */
const MASTER_MTU = 1500;
const DEFAULT_GROUP = Uint8Array.of(224, 0, 0, 81);
const DEFAULT_PORT = 8848;
const DEFAULT_TTL = 1;

/**
 * A sync daemon with the defaults that the kernel fills in.
 *
 * The maximum message length of a backup depends on its interface; if none is given, it stays undefined.
 *
 * @see start_sync_thread() in net/netfilter/ipvs/ip_vs_sync.c
 */
export function effectiveDaemon(daemon: Daemon): Daemon {
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

/** In a request, 0 means the default. */
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

/** Whether a running sync daemon has the desired settings. Kernels before 4.3 report only its interface and syncid. */
export function daemonMatches(current: Daemon, desired: Daemon): boolean {
  const effective = effectiveDaemon(desired);
  const same = <T>(a: T | undefined, b: T | undefined) =>
    a === undefined || b === undefined || a === b;
  return (
    current.state === effective.state &&
    current.multicastInterface === effective.multicastInterface &&
    current.syncId === effective.syncId &&
    same(current.maximumLength, effective.maximumLength) &&
    same(current.multicastPort, effective.multicastPort) &&
    same(current.multicastTtl, effective.multicastTtl) &&
    (current.multicastGroup === undefined ||
      effective.multicastGroup === undefined ||
      sameAddress(current.multicastGroup, effective.multicastGroup))
  );
}
