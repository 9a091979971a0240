import {
  nested,
  octets,
  raw,
  text,
  u16be,
  u32,
  u8,
  type Layout,
} from "../netlink/attributes.js";

/** IFLA_* of linux/if_link.h */
export const DEVICE = {
  hardwareAddress: [1, octets],
  name: [3, text],
  mtu: [4, u32],
  lower: [5, u32],
  master: [10, u32],
  operState: [16, u8],
  info: [
    18,
    nested({
      kind: [1, text],
      data: [2, raw()], // its layout depends on the kind
    } as const satisfies Layout),
  ],
  lowerNamespace: [37, u32],
} as const satisfies Layout;

/** IFLA_BOND_* of linux/if_link.h */
export const BOND = {
  mode: [1, u8],
  active: [2, u32],
  miimon: [3, u32],
  arpInterval: [7, u32],
} as const satisfies Layout;

/** IFLA_IPTUN_* of linux/if_tunnel.h: ipip, sit, ip6tnl */
export const IP_TUNNEL = {
  local: [2, octets],
  remote: [3, octets],
  inside: [9, u8],
  anyMetadata: [19, octets],
} as const satisfies Layout;

/** IFLA_GRE_* of linux/if_tunnel.h: gre, gretap and those over IPv6 */
export const GRE_TUNNEL = {
  incomingFlags: [2, u16be],
  local: [6, octets],
  remote: [7, octets],
  anyMetadata: [18, octets],
} as const satisfies Layout;

/** IFA_* of linux/if_addr.h */
export const ADDRESS = {
  address: [1, octets],
  local: [2, octets],
  flags: [8, u32],
} as const satisfies Layout;

/** RTA_* of linux/rtnetlink.h */
export const ROUTE = {
  target: [1, octets],
  from: [2, octets],
  incoming: [3, u32],
  outgoing: [4, u32],
  gateway: [5, octets],
  metric: [6, u32],
  source: [7, octets],
  metrics: [8, nested({ mtu: [2, u32] } as const satisfies Layout)],
  hops: [9, raw()],
  cacheInfo: [12, octets],
  table: [15, u32],
  mark: [16, u32],
  via: [18, octets],
} as const satisfies Layout;

/** RTA_* in one of several next hops */
export const HOP = {
  gateway: [5, octets],
  via: [18, octets],
} as const satisfies Layout;

/** FRA_* of linux/fib_rules.h */
export const RULE = {
  to: [1, octets],
  from: [2, octets],
  incoming: [3, text],
  priority: [6, u32],
  mark: [10, u32],
  table: [15, u32],
  mask: [16, u32],
  outgoing: [17, text],
  vrf: [19, u8],
  users: [20, octets],
  ipProtocol: [22, u8],
  sourcePorts: [23, octets],
  targetPorts: [24, octets],
} as const satisfies Layout;

/** NDA_* of linux/neighbor.h */
export const NEIGHBOR = {
  address: [1, octets],
  hardwareAddress: [2, octets],
  device: [8, u32],
} as const satisfies Layout;
