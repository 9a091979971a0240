import type { Address, Family } from "../ipvs/address.js";

/** A network interface of this namespace. @see linux/if_link.h, linux/if.h */
export interface Device {
  readonly index: number;
  /** One character per byte, as the kernel reports it */
  readonly name: string;
  /** `veth`, `ipip`, `gre`, `dummy` …; undefined for hardware and lo, which have no kind */
  readonly kind: string | undefined;
  /** The interface is set up (IFF_UP) */
  readonly up: boolean;
  /** The interface is lo (IFF_LOOPBACK) */
  readonly loopback: boolean;
  /**
   * Neighbors are resolved by ARP or neighbor discovery. Not so for lo, tunnels, and interfaces
   * with IFF_NOARP
   */
  readonly asksNeighbors: boolean;
  /** All IFF_* flags of linux/if.h */
  readonly flags: number;
  readonly mtu: number;
  /**
   * RFC 2863: `up`, `down`, `lowerlayerdown` (no carrier below) …; `unknown` for interfaces that do
   * not report it, such as lo
   */
  readonly state: string;
  /** Index of the bridge, bond or VRF that contains this interface */
  readonly master: number | undefined;
  /** Index of the underlying interface, or of the other end of a veth */
  readonly lower: number | undefined;
  /** The hardware address; for tunnels, the local address */
  readonly hardwareAddress: Uint8Array | undefined;
  /** For IP in IP, GRE and similar tunnels */
  readonly tunnel: Tunnel | undefined;
  /** `lower` is an index of another network namespace */
  readonly lowerElsewhere?: boolean;
  /** For bonds */
  readonly bond?: Bond | undefined;
}

/** How a bond chooses and watches its ports. @see IFLA_BOND_* in linux/if_link.h */
export interface Bond {
  /** BOND_MODE_* of linux/if_bonding.h: 0 balance-rr, 1 active-backup … */
  readonly mode: number;
  /** Index of the port that sends, if the mode has one and there is one */
  readonly active: number | undefined;
  /** How often the bond looks at the carrier of its ports; 0: never */
  readonly miimonMilliseconds: number;
  /** How often the bond asks its ARP targets; 0: never */
  readonly arpIntervalMilliseconds: number;
}

/** The two ends of a tunnel. @see linux/if_tunnel.h */
export interface Tunnel {
  /** undefined: any address of this machine */
  readonly local: Address | undefined;
  /** undefined: any address */
  readonly remote: Address | undefined;
  /**
   * For IP in IP: the only protocol of the packets inside, 4 for IPv4 and 41 for IPv6; undefined if
   * the interface takes several
   */
  readonly inside: number | undefined;
  /** The interface accepts packets of all tunnels, regardless of their ends (`external`) */
  readonly anyMetadata: boolean;
  /**
   * For GRE: whether incoming packets must have a checksum. The kernel accepts either only packets
   * with one, or only packets without.
   */
  readonly wantsChecksum: boolean;
  /** For GRE: what else incoming packets must have, if anything */
  readonly wants?: readonly ("a key" | "sequence numbers")[] | undefined;
}

/** An address of this machine. @see linux/if_addr.h */
export interface DeviceAddress {
  readonly family: Family;
  /** Index of the interface */
  readonly device: number;
  /** This machine's address */
  readonly address: Address;
  /** The address of the other end, if it is different */
  readonly peer: Address | undefined;
  readonly prefixBits: number;
  readonly scope: Scope;
  /**
   * Another address of the same network comes first (IFA_F_SECONDARY); for IPv6, a temporary
   * address
   */
  readonly secondary: boolean;
  /** Not usable yet: duplicate address detection is running (IFA_F_TENTATIVE) */
  readonly tentative: boolean;
  /** Not usable: another station has the address (IFA_F_DADFAILED) */
  readonly duplicate: boolean;
}

/** The scope of an address or of a route's destination. @see rt_scope_t in linux/rtnetlink.h */
export type Scope = "global" | "site" | "link" | "host" | "nowhere" | number;

/** The type of a route. @see RTN_* in linux/rtnetlink.h */
export type RouteType =
  | "unicast"
  | "local"
  | "broadcast"
  | "anycast"
  | "multicast"
  | "blackhole"
  | "unreachable"
  | "prohibit"
  | "throw"
  | number;

/** A next hop: a router, or a directly connected network. */
export interface Hop {
  /** Index of the interface */
  readonly device: number | undefined;
  /** The router, of either family; undefined if the destination is directly connected */
  readonly gateway: Address | undefined;
}

/** A route. @see linux/rtnetlink.h */
export interface Route {
  readonly family: Family;
  readonly type: RouteType;
  /** The routing table: 254 is main, 255 is local */
  readonly table: number;
  readonly scope: Scope;
  /** Who added the route: 2 the kernel, 3 the boot scripts, 4 an administrator. @see RTPROT_* */
  readonly protocol: number;
  /** The destination; the first `prefixBits` bits count */
  readonly target: Address;
  /** 0 for the default route */
  readonly prefixBits: number;
  /** Several hops share the load. There are none for types such as `unreachable` */
  readonly hops: readonly Hop[];
  /** The preferred source address of this machine, if the route has one */
  readonly source: Address | undefined;
  /** Lower values are preferred */
  readonly metric: number;
  /** The route's MTU, or the path MTU if it was discovered */
  readonly mtu: number | undefined;
  /** For IPv6 routes of type unreachable and similar: the errno */
  readonly errno: number | undefined;
}

/** A routing policy rule, which selects a table. @see linux/fib_rules.h */
export interface Rule {
  readonly family: Family;
  /** Lower values are evaluated first */
  readonly priority: number;
  readonly action: RuleAction;
  /** The table that the rule selects: 254 is main, 255 is local */
  readonly table: number;
  /** The source prefix; undefined for any */
  readonly from:
    { readonly address: Address; readonly bits: number } | undefined;
  /** The destination prefix; undefined for any */
  readonly to: { readonly address: Address; readonly bits: number } | undefined;
  /** The names of the interfaces; undefined for any */
  readonly incoming: string | undefined;
  readonly outgoing: string | undefined;
  /** The firewall mark; undefined for any */
  readonly mark: { readonly value: number; readonly mask: number } | undefined;
  /** The rule matches packets that do not have these properties (`not`) */
  readonly inverted: boolean;
  /** The rule leads to the table of the VRF that the packet belongs to (`l3mdev`) */
  readonly vrf?: boolean;
  /** The rule looks at more than that: type of service, user, protocol or ports */
  readonly hasMore?: boolean;
}

export type RuleAction =
  "table" | "goto" | "nop" | "blackhole" | "unreachable" | "prohibit" | number;

/** An entry of the neighbor table. @see linux/neighbor.h */
export interface Neighbor {
  readonly family: Family;
  /** Index of the interface */
  readonly device: number;
  readonly address: Address;
  readonly hardwareAddress: Uint8Array | undefined;
  readonly state: NeighborState;
  /** The neighbor announced that it is a router (NTF_ROUTER) */
  readonly router: boolean;
}

/** NUD_* of linux/neighbor.h */
export type NeighborState =
  | "none"
  | "incomplete"
  | "reachable"
  | "stale"
  | "delay"
  | "probe"
  | "failed"
  | "noarp"
  | "permanent";

/** Formats a hardware address: `02:00:5e:10:00:01`. */
export function formatHardwareAddress(address: Uint8Array): string {
  return Array.from(address, (byte) => byte.toString(16).padStart(2, "0")).join(
    ":",
  );
}
