import type { Address, Family } from "../ipvs/address.js";

/** A network interface of this namespace. @see linux/if_link.h, linux/if.h */
export interface Device {
  readonly index: number;
  /** One character a byte, as the kernel has it */
  readonly name: string;
  /** `veth`, `ipip`, `gre`, `dummy` …; undefined of hardware and of lo, which have no kind */
  readonly kind: string | undefined;
  /** Has been set up (IFF_UP) */
  readonly up: boolean;
  /** Is lo (IFF_LOOPBACK) */
  readonly loopback: boolean;
  /** Its neighbors are asked for by ARP or neighbor discovery: no loopback, no tunnel, no IFF_NOARP */
  readonly asksNeighbors: boolean;
  /** All of IFF_*, as linux/if.h has them */
  readonly flags: number;
  readonly mtu: number;
  /** RFC 2863: `up`, `down`, `lowerlayerdown` (no carrier below) …; `unknown` of those who do not tell, such as lo */
  readonly state: string;
  /** The index of the bridge, bond or VRF that it belongs to */
  readonly master: number | undefined;
  /** The index of the interface that it is made on, or of the other end of a veth */
  readonly lower: number | undefined;
  /** The hardware address; of tunnels their own end */
  readonly hardwareAddress: Uint8Array | undefined;
  /** Of tunnels of IP in IP, GRE and their like */
  readonly tunnel: Tunnel | undefined;
}

/** Both ends of a tunnel. @see linux/if_tunnel.h */
export interface Tunnel {
  /** Undefined: any address of this machine */
  readonly local: Address | undefined;
  /** Undefined: any */
  readonly remote: Address | undefined;
  /** Takes packets of all tunnels, whatever their ends (`external`) */
  readonly anyMetadata: boolean;
  /** Of GRE: whether what comes in must have a checksum. It takes either those with one or those without. */
  readonly wantsChecksum: boolean;
}

/** An address of this machine. @see linux/if_addr.h */
export interface DeviceAddress {
  readonly family: Family;
  /** The index of its interface */
  readonly device: number;
  /** This machine's own */
  readonly address: Address;
  /** The other end, where that is another address */
  readonly peer: Address | undefined;
  readonly prefixBits: number;
  readonly scope: Scope;
  /** Another of the same network is asked first (IFA_F_SECONDARY; of IPv6, a temporary address) */
  readonly secondary: boolean;
  /** Not yet of use: the kernel is looking for others who have it (IFA_F_TENTATIVE) */
  readonly tentative: boolean;
  /** Of no use: another station has it (IFA_F_DADFAILED) */
  readonly duplicate: boolean;
}

/** How far an address or the target of a route is. @see rt_scope_t of linux/rtnetlink.h */
export type Scope = "global" | "site" | "link" | "host" | "nowhere" | number;

/** What becomes of packets. @see RTN_* of linux/rtnetlink.h */
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

/** A way on: to a router, or straight to whom it is for. */
export interface Hop {
  /** The index of the interface */
  readonly device: number | undefined;
  /** The router; of either family. Undefined: the target is directly attached */
  readonly gateway: Address | undefined;
}

/** A route. @see linux/rtnetlink.h */
export interface Route {
  readonly family: Family;
  readonly type: RouteType;
  /** 254 is main, 255 local */
  readonly table: number;
  readonly scope: Scope;
  /** Who set it: 2 is the kernel, 3 the boot scripts, 4 an administrator @see RTPROT_* */
  readonly protocol: number;
  /** The target: as many bits of it as `prefixBits` says */
  readonly target: Address;
  /** 0 is the default route */
  readonly prefixBits: number;
  /** More than one: they share the load. None: nothing leaves, as of `unreachable` */
  readonly hops: readonly Hop[];
  /** The address that this machine has where it takes this route, if that is told */
  readonly source: Address | undefined;
  /** The smaller is preferred */
  readonly metric: number;
  /** The route's own, or the path's where it has been found to be smaller than the interface's */
  readonly mtu: number | undefined;
  /** Of IPv6 routes that lead nowhere: why, by its errno */
  readonly errno: number | undefined;
}

/** A rule that says which table is looked at. @see linux/fib_rules.h */
export interface Rule {
  readonly family: Family;
  /** The smaller is looked at first */
  readonly priority: number;
  readonly action: RuleAction;
  /** The table that it leads to; 254 is main, 255 local */
  readonly table: number;
  /** Of where the packet comes from; undefined: any */
  readonly from:
    { readonly address: Address; readonly bits: number } | undefined;
  /** Of where it goes to; undefined: any */
  readonly to: { readonly address: Address; readonly bits: number } | undefined;
  /** The names of interfaces; undefined: any */
  readonly incoming: string | undefined;
  readonly outgoing: string | undefined;
  /** The firewall mark; undefined: any */
  readonly mark: { readonly value: number; readonly mask: number } | undefined;
  /** Goes for what does not fit it (`not`) */
  readonly inverted: boolean;
}

export type RuleAction =
  "table" | "goto" | "nop" | "blackhole" | "unreachable" | "prohibit" | number;

/** What the kernel knows of a station nearby. @see linux/neighbor.h */
export interface Neighbor {
  readonly family: Family;
  /** The index of the interface */
  readonly device: number;
  readonly address: Address;
  readonly hardwareAddress: Uint8Array | undefined;
  readonly state: NeighborState;
  /** It says that it is a router (NTF_ROUTER) */
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

/** A hardware address as people write it: `02:00:5e:10:00:01`. */
export function formatHardwareAddress(address: Uint8Array): string {
  return Array.from(address, (byte) => byte.toString(16).padStart(2, "0")).join(
    ":",
  );
}
