import { formatAddress, type Address } from "../ipvs/address.js";
import type { RouteFailure } from "../rtnl/client.js";
import type { Device, DeviceAddress, Neighbor, Route } from "../rtnl/model.js";

/** Where packets go, or why they do not */
export type Way = Route | RouteFailure;

/** The network as this machine sees it. */
export interface Network {
  readonly devices: readonly Device[];
  readonly addresses: readonly DeviceAddress[];
  readonly neighbors: readonly Neighbor[];
  /** Which way packets to an address take, or why none, by the address as text: of those that were asked for */
  readonly ways: ReadonlyMap<string, Way>;
}

/** What came of asking the network who has an address. */
export interface Stations {
  /** By the address of a real server, or of the router to it, as text: undefined if nobody answered */
  readonly nextHops: ReadonlyMap<string, Uint8Array | undefined>;
  /** Virtual addresses for which somebody else answered */
  readonly strangers: readonly {
    readonly address: Address;
    /** The index of the interface */
    readonly device: number;
    readonly hardwareAddress: Uint8Array;
  }[];
}

/** Which way packets to an address take, if it was asked for and there is one. */
export function wayTo(network: Network, address: Address): Route | undefined {
  const way = network.ways.get(formatAddress(address));
  return typeof way === "object" ? way : undefined;
}

/** Whether an address is this machine's own, by an address of an interface or by a route; undefined if nobody asked. */
export function isLocal(
  network: Network,
  address: Address,
): boolean | undefined {
  const way = network.ways.get(formatAddress(address));
  if (way === undefined) return undefined;
  return typeof way === "object" && way.type === "local";
}

/** The station to which packets to an address are handed first; undefined if they do not leave. */
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
