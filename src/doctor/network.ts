import { formatAddress, type Address, type Family } from "../ipvs/address.js";
import { isWithin } from "../rtnl/address-owners.js";
import type { RouteFailure } from "../rtnl/client.js";
import type {
  Device,
  DeviceAddress,
  Neighbor,
  Route,
  Rule,
} from "../rtnl/model.js";

/** Addresses that no network has (RFC 7600, RFC 5180). The routes to them are those to clients anywhere. */
export const ANYWHERE: Readonly<Record<Family, Address>> = {
  2: Uint8Array.of(192, 0, 0, 8),
  10: Uint8Array.of(0x20, 1, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8),
};

/** A route, or why there is none. */
export type Way = Route | RouteFailure;

/** The interfaces, addresses, neighbors and routes of this machine. */
export interface Network {
  readonly devices: readonly Device[];
  readonly addresses: readonly DeviceAddress[];
  readonly neighbors: readonly Neighbor[];
  /** The route to an address, or why there is none, by the address as text: of those that were asked for */
  readonly ways: ReadonlyMap<string, Way>;
  /** Where packets go that a firewall rule marks for a service, by their destinations */
  readonly marked?: readonly MarkedWay[];
  /** Whether there are more such destinations than were tried */
  readonly isMarkedPartial?: boolean;
  /** The routing rules, if they could be read */
  readonly rules?: readonly Rule[];
  /** Answers of masqueraded servers to clients that wait, which have no way; none if they were not asked for */
  readonly failedAnswers?: readonly FailedAnswer[];
  /** Answers of masqueraded servers that leave by another table than the main one; none if they were not asked for */
  readonly ruledAnswers?: readonly RuledAnswer[];
  /** The routes, as configured, to servers and clients whose route leads past the network that they are in */
  readonly strayRoutes?: ReadonlyMap<string, Route>;
  /** The servers, as text, to which only the default route leads */
  readonly byDefault?: ReadonlySet<string>;
}

/** An answer of a masqueraded server that this machine cannot send on. */
export interface FailedAnswer {
  /** The client */
  readonly to: Address;
  readonly server: Address;
  /** The interface by which the answer comes in */
  readonly device: number;
  readonly virtual: Address;
  /** The source with which it has no way: the server before IPVS has handled it, or the virtual address after that */
  readonly source: Address;
  readonly failure: RouteFailure;
  /** The rule that leads nowhere, or that leads to such a route */
  readonly barrier:
    { readonly rule: Rule; readonly route: Route | undefined } | undefined;
}

/** An answer of a masqueraded server whose route is not in the main table. */
export interface RuledAnswer {
  /** The client */
  readonly to: Address;
  readonly server: Address;
  /** The interface by which the answer comes in */
  readonly device: number;
  readonly virtual: Address;
  /** The source with which it was looked up: the server before IPVS has handled the answer, or the virtual address after that */
  readonly source: Address;
  readonly way: Route;
  /** The routing rule that leads to the table; undefined if it cannot be told */
  readonly rule: Rule | undefined;
  /** The route that the main table has */
  readonly main: Route | undefined;
}

/** Where packets with a mark to some addresses go. */
export interface MarkedWay {
  readonly family: Family;
  readonly mark: number;
  readonly first: Address;
  readonly last: Address;
  /** Whether any of the addresses is local for these packets, as far as they were tried */
  readonly isLocal: boolean;
  /** The way of the first address */
  readonly way: Way;
}

/** Who answered when the network was asked for addresses. */
export interface Stations {
  /** By the address of a real server, or of the router to it, as text: undefined if no machine answered */
  readonly nextHops: ReadonlyMap<string, Uint8Array | undefined>;
  /** Virtual addresses for which another machine answered */
  readonly strangers: readonly {
    readonly address: Address;
    /** The index of the interface */
    readonly device: number;
    readonly hardwareAddress: Uint8Array;
  }[];
}

/** The route to an address, if it was asked for and there is one. */
export function wayTo(network: Network, address: Address): Route | undefined {
  const way = network.ways.get(formatAddress(address));
  return typeof way === "object" ? way : undefined;
}

/** Whether an address is local, by an address of an interface or by a route; undefined if it was not asked for. */
export function isLocal(
  network: Network,
  address: Address,
): boolean | undefined {
  const way = network.ways.get(formatAddress(address));
  if (way === undefined) return undefined;
  return typeof way === "object" && way.type === "local";
}

/** The next hop to an address; undefined if packets to it do not leave this machine. */
export function nextHopTo(
  network: Network,
  address: Address,
): { readonly address: Address; readonly device: number } | undefined {
  const way = wayTo(network, address);
  const [hop] = way?.type === "unicast" ? way.hops : [];
  if (hop?.device === undefined) return undefined;
  return { address: hop.gateway ?? address, device: hop.device };
}

export function deviceOf(
  network: Network,
  index: number | undefined,
): Device | undefined {
  return network.devices.find((device) => device.index === index);
}

/** The most specific route of a table for an address. */
export function routeFor(
  routes: readonly Route[],
  table: number,
  address: Address,
): Route | undefined {
  return routes
    .filter(
      (route) =>
        route.table === table &&
        route.target.length === address.length &&
        isWithin(address, route.target, route.prefixBits),
    )
    .sort((a, b) => b.prefixBits - a.prefixBits || a.metric - b.metric)[0];
}
