import { formatAddress, INET, INET6 } from "../../src/ipvs/address.js";
import type { Network, Way } from "../../src/doctor/network.js";
import type {
  Device,
  DeviceAddress,
  Neighbor,
  Route,
} from "../../src/rtnl/model.js";
import { address } from "../fixtures/entries.js";

/** An Ethernet interface that is up. */
export function device(index: number, given: Partial<Device> = {}): Device {
  return {
    index,
    name: `eth${index}`,
    kind: undefined,
    up: true,
    loopback: false,
    asksNeighbors: true,
    flags: 0x1043,
    mtu: 1500,
    state: "up",
    master: undefined,
    lower: undefined,
    hardwareAddress: Uint8Array.of(2, 0, 0, 0, 0, index),
    tunnel: undefined,
    ...given,
  };
}

/** An address of an interface: `192.0.2.1/24`. */
export function ownAddress(
  device: number,
  text: string,
  given: Partial<DeviceAddress> = {},
): DeviceAddress {
  const [host = "", bits] = text.split("/");
  const own = address(host);
  return {
    family: own.length === 4 ? INET : INET6,
    device,
    address: own,
    peer: undefined,
    prefixBits: Number(bits),
    scope: "global",
    secondary: false,
    tentative: false,
    duplicate: false,
    ...given,
  };
}

/** A station that is known by its hardware address `02:00:00:00:01:LAST`. */
export function neighbor(
  device: number,
  text: string,
  last: number | undefined,
  state: Neighbor["state"] = "reachable",
): Neighbor {
  const known = address(text);
  return {
    family: known.length === 4 ? INET : INET6,
    device,
    address: known,
    hardwareAddress: last === undefined ? undefined : mac(last),
    state,
    router: false,
  };
}

export function mac(last: number): Uint8Array {
  return Uint8Array.of(2, 0, 0, 0, 1, last);
}

/** A route to an address: by an interface, to a router if there is one. */
export function route(
  to: string,
  type: Route["type"],
  device: number,
  gateway?: string,
  given: Partial<Route> = {},
): Route {
  const target = address(to);
  return {
    family: target.length === 4 ? INET : INET6,
    type,
    table: type === "local" ? 255 : 254,
    scope: "global",
    protocol: 2,
    target,
    prefixBits: target.length * 8,
    hops: [
      { device, gateway: gateway === undefined ? undefined : address(gateway) },
    ],
    source: undefined,
    metric: 0,
    mtu: undefined,
    errno: undefined,
    ...given,
  };
}

/** A network with one interface, eth1, in which there is no more than is given. */
export function network(
  ways: readonly Route[] = [],
  given: Partial<Network> = {},
  none: Readonly<Record<string, Way>> = {},
): Network {
  return {
    devices: [device(1)],
    addresses: [],
    neighbors: [],
    ways: new Map<string, Way>([
      ...ways.map((way) => [formatAddress(way.target), way] as const),
      ...Object.entries(none),
    ]),
    ...given,
  };
}
