import { INET, INET6, type Address, type Family } from "../ipvs/address.js";
import { decode, required } from "../netlink/attributes.js";
import { MalformedReply } from "../netlink/errors.js";
import type { Span } from "../netlink/link.js";
import { aligned } from "../netlink/writer.js";
import {
  ADDRESS,
  BOND,
  DEVICE,
  GRE_TUNNEL,
  HOP,
  IP_TUNNEL,
  NEIGHBOR,
  ROUTE,
  RULE,
} from "./layouts.js";
import type {
  Bond,
  Device,
  DeviceAddress,
  Hop,
  Neighbor,
  NeighborState,
  Route,
  RouteType,
  Rule,
  RuleAction,
  Scope,
  Tunnel,
} from "./model.js";

/** IFF_* of linux/if.h */
const UP = 0x1;
const LOOPBACK = 0x8;
const POINT_TO_POINT = 0x10;
const NO_ARP = 0x80;

/** By RFC 2863, in the order of IF_OPER_* of linux/if.h */
const OPER_STATES = [
  "unknown",
  "notpresent",
  "down",
  "lowerlayerdown",
  "testing",
  "dormant",
  "up",
];

const SCOPES: Readonly<Record<number, Scope>> = {
  0: "global",
  200: "site",
  253: "link",
  254: "host",
  255: "nowhere",
};

const ROUTE_TYPES: Readonly<Record<number, RouteType>> = {
  1: "unicast",
  2: "local",
  3: "broadcast",
  4: "anycast",
  5: "multicast",
  6: "blackhole",
  7: "unreachable",
  8: "prohibit",
  9: "throw",
};

/** FR_ACT_* of linux/fib_rules.h */
const RULE_ACTIONS: Readonly<Record<number, RuleAction>> = {
  1: "table",
  2: "goto",
  3: "nop",
  6: "blackhole",
  7: "unreachable",
  8: "prohibit",
};

/** NUD_* of linux/neighbor.h, a bit each */
const NEIGHBOR_STATES: readonly (readonly [number, NeighborState])[] = [
  [0x01, "incomplete"],
  [0x02, "reachable"],
  [0x04, "stale"],
  [0x08, "delay"],
  [0x10, "probe"],
  [0x20, "failed"],
  [0x40, "noarp"],
  [0x80, "permanent"],
];

/** GRE_CSUM, GRE_KEY and GRE_SEQ of linux/if_tunnel.h */
const CHECKSUM = 0x8000;
const KEY = 0x2000;
const SEQUENCE = 0x1000;
/** IFA_F_* of linux/if_addr.h */
const SECONDARY = 0x01;
const DAD_FAILED = 0x08;
const TENTATIVE = 0x40;
/** NTF_ROUTER of linux/neighbor.h */
const ROUTER = 0x80;
/** FIB_RULE_INVERT of linux/fib_rules.h */
const INVERTED = 0x2;
/** The address of a prefix of 0 bits, which the kernel omits */
const NOTHING = { [INET]: new Uint8Array(4), [INET6]: new Uint8Array(16) };

/**
 * Splits a message into its fixed header and its attributes.
 *
 * @throws {MalformedReply} if the header is cut short
 */
function split(payload: Span, bytes: number): [header: DataView, rest: Span] {
  const { bytes: all, start, end } = payload;
  if (end - start < bytes)
    throw new MalformedReply("a routing header is cut short", 0);
  const header = new DataView(all.buffer, all.byteOffset + start, bytes);
  return [header, { bytes: all, start: start + bytes, end }];
}

/**
 * The family; undefined for families other than IPv4 and IPv6, such as bridges or multicast
 * routing.
 */
function familyIn(header: DataView): Family | undefined {
  const family = header.getUint8(0);
  return family === INET || family === INET6 ? family : undefined;
}

/** struct ifinfomsg of linux/rtnetlink.h */
export function readDevice(payload: Span): Device {
  const [header, rest] = split(payload, 16);
  const flags = header.getUint32(8, true);
  const fields = required(decode(DEVICE, rest), ["name", "mtu"]);
  const { name, mtu, lower, master, hardwareAddress, operState, info } = fields;
  const { lowerNamespace } = fields;
  const kind = info?.kind;
  return {
    index: header.getInt32(4, true),
    name,
    kind,
    up: (flags & UP) !== 0,
    loopback: (flags & LOOPBACK) !== 0,
    asksNeighbors: (flags & (LOOPBACK | POINT_TO_POINT | NO_ARP)) === 0,
    flags,
    mtu,
    state: OPER_STATES[operState ?? 0] ?? "unknown",
    master,
    // 0 means none: for tunnels without an underlying interface, and for some hardware.
    lower: lower === 0 ? undefined : lower,
    hardwareAddress: hardwareAddress?.length ? hardwareAddress : undefined,
    tunnel: tunnelOf(kind, info?.data),
    ...(lowerNamespace === undefined ? {} : { lowerElsewhere: true }),
    ...(kind === "bond" && info?.data ? { bond: bondOf(info.data) } : {}),
  };
}

function bondOf(data: Span): Bond {
  const { mode = 0, active, miimon = 0, arpInterval = 0 } = decode(BOND, data);
  return {
    mode,
    active: active === 0 ? undefined : active,
    miimonMilliseconds: miimon,
    arpIntervalMilliseconds: arpInterval,
  };
}

function tunnelOf(kind: string | undefined, data?: Span): Tunnel | undefined {
  if (kind === undefined || !data) return undefined;
  if (/^(ipip|sit|ip6tnl)$/.test(kind))
    return tunnelFrom({ ...decode(IP_TUNNEL, data), incomingFlags: 0 });
  if (kind.includes("gre")) return tunnelFrom(decode(GRE_TUNNEL, data));
  return undefined;
}

function tunnelFrom(fields: {
  readonly local?: Address | undefined;
  readonly remote?: Address | undefined;
  readonly inside?: number | undefined;
  readonly anyMetadata?: Uint8Array | undefined;
  readonly incomingFlags?: number | undefined;
}): Tunnel {
  const { local, remote, inside, anyMetadata, incomingFlags = 0 } = fields;
  return {
    local: set(local),
    remote: set(remote),
    inside: inside === 0 ? undefined : inside,
    anyMetadata: anyMetadata !== undefined,
    wantsChecksum: (incomingFlags & CHECKSUM) !== 0,
    ...(incomingFlags & (KEY | SEQUENCE)
      ? {
          wants: [
            ...(incomingFlags & KEY ? (["a key"] as const) : []),
            ...(incomingFlags & SEQUENCE
              ? (["sequence numbers"] as const)
              : []),
          ],
        }
      : {}),
  };
}

/** An address of zeros means any. */
function set(address: Address | undefined): Address | undefined {
  return address?.some((byte) => byte !== 0) ? address : undefined;
}

/** struct ifaddrmsg of linux/if_addr.h */
export function readAddress(payload: Span): DeviceAddress | undefined {
  const [header, rest] = split(payload, 8);
  const family = familyIn(header);
  if (family === undefined) return undefined;
  const fields = required(decode(ADDRESS, rest), ["address"]);
  const { address, local = address } = fields;
  // Kernels before 3.14 have only the 8 bits in the header.
  const flags = fields.flags ?? header.getUint8(2);
  const alike = local.every((byte, i) => byte === address[i]);
  return {
    family,
    device: header.getUint32(4, true),
    address: local,
    peer: alike ? undefined : address,
    prefixBits: header.getUint8(1),
    scope: scopeOf(header.getUint8(3)),
    secondary: (flags & SECONDARY) !== 0,
    tentative: (flags & TENTATIVE) !== 0,
    duplicate: (flags & DAD_FAILED) !== 0,
  };
}

function scopeOf(scope: number): Scope {
  return SCOPES[scope] ?? scope;
}

/**
 * Decodes struct rtmsg of linux/rtnetlink.h; undefined for other families and for cached copies of
 * routes.
 */
export function readRoute(payload: Span): Route | undefined {
  const CLONED = 0x200;
  const [header, rest] = split(payload, 12);
  const family = familyIn(header);
  if (family === undefined || header.getUint32(8, true) & CLONED)
    return undefined;
  return routeFrom(family, header, rest);
}

/** Decodes the reply to a route lookup. IPv4 flags it as a cached copy. */
export function readRouteReply(payload: Span): Route | undefined {
  const [header, rest] = split(payload, 12);
  const family = familyIn(header);
  return family === undefined ? undefined : routeFrom(family, header, rest);
}

function routeFrom(family: Family, header: DataView, rest: Span): Route {
  const { target, table, source, metric, metrics, cacheInfo, ...hop } = decode(
    ROUTE,
    rest,
  );
  const { outgoing, gateway, via, hops } = hop;
  const type = header.getUint8(7);
  // rta_error of struct rta_cacheinfo
  const errno = cacheInfo?.length
    ? -new DataView(cacheInfo.buffer).getInt32(12, true)
    : 0;
  return {
    family,
    type: ROUTE_TYPES[type] ?? type,
    table: table ?? header.getUint8(4),
    scope: scopeOf(header.getUint8(6)),
    protocol: header.getUint8(5),
    target: target ?? NOTHING[family],
    prefixBits: header.getUint8(1),
    hops: hops
      ? hopsIn(hops)
      : outgoing === undefined
        ? []
        : [{ device: outgoing, gateway: gatewayOf(gateway, via) }],
    source,
    metric: metric ?? 0,
    mtu: metrics?.mtu,
    errno: errno > 0 ? errno : undefined,
  };
}

/** struct rtvia: 2 bytes of family, then an address of that family */
function gatewayOf(
  gateway: Address | undefined,
  via: Uint8Array | undefined,
): Address | undefined {
  return gateway ?? via?.slice(2);
}

/** Decodes an array of struct rtnexthop, each followed by attributes. */
function hopsIn({ bytes, start, end }: Span): Hop[] {
  const HEADER_BYTES = 8;
  const hops: Hop[] = [];
  for (let at = start; at < end;) {
    const length = end - at < HEADER_BYTES ? 0 : bytes.getUint16(at, true);
    if (length < HEADER_BYTES || at + length > end)
      throw new MalformedReply("a next hop is cut short", at - start);
    const { gateway, via } = decode(HOP, {
      bytes,
      start: at + HEADER_BYTES,
      end: at + length,
    });
    const device = bytes.getInt32(at + 4, true);
    hops.push({ device, gateway: gatewayOf(gateway, via) });
    at += aligned(length);
  }
  return hops;
}

/** struct fib_rule_hdr of linux/fib_rules.h */
export function readRule(payload: Span): Rule | undefined {
  const [header, rest] = split(payload, 12);
  const family = familyIn(header);
  if (family === undefined) return undefined;
  const fields = decode(RULE, rest);
  const { from, to, incoming, outgoing, mark, mask, table } = fields;
  const action = header.getUint8(7);
  const hasMore =
    header.getUint8(3) !== 0 ||
    fields.users !== undefined ||
    (fields.ipProtocol ?? 0) !== 0 ||
    fields.sourcePorts !== undefined ||
    fields.targetPorts !== undefined;
  return {
    family,
    priority: fields.priority ?? 0,
    action: RULE_ACTIONS[action] ?? action,
    table: table ?? header.getUint8(4),
    from: from && { address: from, bits: header.getUint8(2) },
    to: to && { address: to, bits: header.getUint8(1) },
    incoming,
    outgoing,
    mark:
      mark === undefined && mask === undefined
        ? undefined
        : { value: mark ?? 0, mask: mask ?? 0xffffffff },
    inverted: (header.getUint32(8, true) & INVERTED) !== 0,
    ...(fields.vrf ? { vrf: true } : {}),
    ...(hasMore ? { hasMore } : {}),
  };
}

/** struct ndmsg of linux/neighbor.h */
export function readNeighbor(payload: Span): Neighbor | undefined {
  const [header, rest] = split(payload, 12);
  const family = familyIn(header);
  if (family === undefined) return undefined;
  const { address, hardwareAddress } = decode(NEIGHBOR, rest);
  if (!address) return undefined; // an entry of a tunnel without a fixed remote end
  const bits = header.getUint16(8, true);
  const known = NEIGHBOR_STATES.find(([bit]) => bits & bit);
  return {
    family,
    device: header.getInt32(4, true),
    address,
    hardwareAddress: hardwareAddress?.length ? hardwareAddress : undefined,
    state: known?.[1] ?? "none",
    router: (header.getUint8(10) & ROUTER) !== 0,
  };
}
