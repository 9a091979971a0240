import { familyOf, sameAddress, type Address } from "../../ipvs/address.js";
import type { Protocol } from "../../ipvs/model.js";
import type { FouPort } from "../../rtnl/fou.js";
import type { Device, DeviceAddress, Route } from "../../rtnl/model.js";
import { isWithin } from "../../rtnl/address-owners.js";
import type { Way } from "../network.js";
import { isTunnel, type Method, type TunnelMethod } from "./methods.js";

/** A service of which this machine is a real server. */
export interface VirtualService {
  readonly address: Address;
  /** Undefined: any */
  readonly protocol: Protocol | undefined;
  /** Undefined: any */
  readonly port: number | undefined;
}

/** What the command line says about a real server. There is no table on it. */
export interface Circumstances {
  readonly services: readonly VirtualService[];
  /** Undefined: direct routing, or one of the tunnels that are up */
  readonly method: Method | undefined;
  /** The director's address as this machine sees it */
  readonly director: Address | undefined;
  /** One of the clients */
  readonly client: Address | undefined;
  /** The address and port at which a masqueraded server gets requests */
  readonly server:
    { readonly address: Address; readonly port: number } | undefined;
}

/** The state of a real server. */
export interface RealServer extends Circumstances {
  readonly devices: readonly Device[];
  readonly addresses: readonly DeviceAddress[];
  readonly routes: readonly Route[];
  /** The routes of each service's packets */
  readonly ways: readonly Ways[];
  /** The ports that accept GUE; empty for other methods */
  readonly guePorts: readonly FouPort[];
  /** What the kernel does with the tunnel's packets, by the interface where they may come in; empty if not known */
  readonly outer: readonly { readonly device: Device; readonly way: Way }[];
}

export interface Ways {
  readonly service: VirtualService;
  /** The route of packets to the virtual address */
  readonly there: Way;
  /** The route of answers to the client, if the client is known */
  readonly back: Way | undefined;
  /** What the kernel does with the client's packets, by the interface where they may come in; empty if not known */
  readonly arrivals: readonly { readonly device: Device; readonly way: Way }[];
}

/** The virtual addresses, each once. */
export function virtualAddresses({ services }: Circumstances): Address[] {
  const all = services.map(({ address }) => address);
  return all.filter(
    (address, i) => all.findIndex((one) => sameAddress(one, address)) === i,
  );
}

/** Where this machine has an address. */
export function placesOf(
  { devices, addresses }: Pick<RealServer, "devices" | "addresses">,
  address: Address,
): { device: Device; own: DeviceAddress }[] {
  return addresses.flatMap((own) => {
    const device = devices.find(({ index }) => index === own.device);
    return device && sameAddress(own.address, address) ? [{ device, own }] : [];
  });
}

/**
 * The interfaces on which a neighbor may ask for a virtual address: those in whose network it is. If it is in none: all
 * interfaces with neighbors, but none on a machine that is reached through a tunnel, because no neighbor has a reason
 * to ask there.
 */
export function askedOn(server: RealServer, address: Address): Device[] {
  const { devices, addresses } = server;
  const asked = devices.filter(
    (device) =>
      device.up && device.asksNeighbors && !isPart(device, server.devices),
  );
  const near = asked.filter(({ index }) =>
    addresses.some(
      (own) =>
        own.device === index &&
        !sameAddress(own.address, address) &&
        isWithin(address, own.peer ?? own.address, own.prefixBits),
    ),
  );
  if (near.length > 0) return near;
  const method =
    server.method ??
    (tunnelsUp(server, address).length > 0 ? "tunnel" : "direct");
  return isTunnel(method) ? [] : asked;
}

/** Whether an interface is a port of a bridge or a bond, which asks and answers instead of it. */
function isPart(device: Device, devices: readonly Device[]): boolean {
  const master = devices.find(({ index }) => index === device.master);
  return master !== undefined && master.kind !== "vrf";
}

/** The kind of interface that unpacks tunnels between addresses of a family. */
export function decapsulators(
  method: TunnelMethod,
  address: Address,
): {
  readonly kind: string;
  readonly fallback: string;
  readonly module: string;
} {
  const six = familyOf(address) !== 2;
  if (method === "gre")
    return six
      ? { kind: "ip6gre", fallback: "ip6gre0", module: "ip6_gre" }
      : { kind: "gre", fallback: "gre0", module: "ip_gre" };
  return six
    ? { kind: "ip6tnl", fallback: "ip6tnl0", module: "ip6_tunnel" }
    : { kind: "ipip", fallback: "tunl0", module: "ipip" };
}

/** The tunnel interfaces that are up: those of the method. If the method is not known: those that accept any remote end. */
export function tunnelsUp(server: RealServer, address: Address): Device[] {
  const { method } = server;
  const methods =
    method === undefined
      ? (["tunnel", "gre"] as const)
      : isTunnel(method)
        ? [method]
        : [];
  const kinds = methods.map((one) => decapsulators(one, address).kind);
  return server.devices.filter(
    ({ kind, up, tunnel }) =>
      up &&
      kind !== undefined &&
      kinds.includes(kind) &&
      (method !== undefined || tunnel?.remote === undefined),
  );
}
