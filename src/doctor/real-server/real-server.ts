import {
  familyOf,
  formatAddress,
  INET,
  INET6,
  sameAddress,
  type Address,
  type Family,
} from "../../ipvs/address.js";
import { formatEndpoint, TRANSPORTS, type Protocol } from "../../ipvs/model.js";
import type { FouPort } from "../../rtnl/fou.js";
import type { Device, DeviceAddress, Route, Rule } from "../../rtnl/model.js";
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

/** The name of a service in findings; options accept it: `tcp/192.0.2.1:80`. */
export function endpointName({
  protocol,
  address,
  port,
}: VirtualService): string {
  const endpoint =
    port === undefined ? formatAddress(address) : formatEndpoint(address, port);
  return protocol === undefined
    ? endpoint
    : `${TRANSPORTS[protocol]}/${endpoint}`;
}

/** What the command line says about a real server. There is no table on it. */
export interface Circumstances {
  readonly services: readonly VirtualService[];
  /** Undefined: direct routing, or one of the tunnels that are up */
  readonly method: Method | undefined;
  /** The UDP port to which the director sends GUE */
  readonly tunnelPort: number | undefined;
  /** Whether the director sends GRE with checksums */
  readonly tunnelChecksum?: boolean | undefined;
  /** The director's address as this machine sees it */
  readonly director: Address | undefined;
  /** One of the clients */
  readonly client: Address | undefined;
  /** The address and port at which a masqueraded server gets requests */
  readonly server:
    { readonly address: Address; readonly port: number } | undefined;
  /** Where the director reaches the address of the server */
  readonly hardwareAddress?: Uint8Array | undefined;
}

/** The state of a real server. */
export interface RealServer extends Circumstances {
  readonly devices: readonly Device[];
  readonly addresses: readonly DeviceAddress[];
  readonly routes: readonly Route[];
  /** The routing rules, if they could be read */
  readonly rules?: readonly Rule[] | undefined;
  /** Who answered ARP or neighbor discovery: the routers of answers, and the director, if answers do not go to its address */
  readonly stations?: readonly Station[] | undefined;
  /** Clients to which answers leave directly, by another interface than that of the requests; undefined if not known */
  readonly nearClients?: readonly NearClient[] | undefined;
  /** The route to the director, if it is known */
  readonly toDirector?: Way | undefined;
  /** The routes of each service's packets */
  readonly ways: readonly Ways[];
  /** The UDP ports whose datagrams the kernel unpacks; empty for other methods than GUE */
  readonly fouPorts: readonly FouPort[];
  /** What the kernel does with the tunnel's packets, by the interface where they may come in; empty if not known */
  readonly outer: readonly { readonly device: Device; readonly way: Way }[];
}

/** An address that was asked for on an interface. */
export interface Station {
  readonly address: Address;
  /** Index of the interface */
  readonly device: number;
  /** Undefined: nobody answered */
  readonly hardwareAddress: Uint8Array | undefined;
}

/** A client that the route of answers takes for a neighbor, on another interface than that of the requests. */
export interface NearClient {
  readonly client: Address;
  /** Index of the interface by which answers leave */
  readonly device: number;
  /** A connection of the client waits in SYN_RECV: it has not confirmed the answer */
  readonly waits: boolean;
  /** Undefined: nobody answered */
  readonly hardwareAddress: Uint8Array | undefined;
}

/** What was heard of an address on an interface; undefined if it was not asked for. */
export function stationAt(
  { stations = [] }: RealServer,
  address: Address,
  device: number | undefined,
): Station | undefined {
  return stations.find(
    (one) => one.device === device && sameAddress(one.address, address),
  );
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

/** The UDP ports at which the kernel accepts GUE, over one family. */
export function guePorts(
  { fouPorts }: Pick<RealServer, "fouPorts">,
  outer: Family,
): number[] {
  return fouPorts
    .filter(
      ({ family, encapsulation }) =>
        encapsulation === "gue" && family === outer,
    )
    .map(({ port }) => port);
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

/** What unpacks the packets of a tunnel. */
export interface Decapsulator {
  /** The family of the addresses outside, those of the director and of this machine */
  readonly outer: Family;
  /** The family of the packets inside */
  readonly inner: Family;
  /** The kind of interface */
  readonly kind: string;
  /** The interface that comes with the module. It takes all packets that no other tunnel takes. */
  readonly fallback: string;
  readonly module: string;
}

/** What unpacks tunnels of a method, by the families outside and inside. */
function decapsulatorOf(
  method: TunnelMethod,
  outer: Family,
  inner: Family,
): Decapsulator {
  const families = { outer, inner };
  if (method === "gre")
    return outer === INET6
      ? { ...families, kind: "ip6gre", fallback: "ip6gre0", module: "ip6_gre" }
      : { ...families, kind: "gre", fallback: "gre0", module: "ip_gre" };
  if (outer === INET6)
    return {
      ...families,
      kind: "ip6tnl",
      fallback: "ip6tnl0",
      module: "ip6_tunnel",
    };
  return inner === INET6
    ? { ...families, kind: "sit", fallback: "sit0", module: "sit" }
    : { ...families, kind: "ipip", fallback: "tunl0", module: "ipip" };
}

/**
 * What unpacks the packets for a virtual address. The family outside is that of the director's address. If that is not
 * known: the one of the interfaces that are up, and first the one of the virtual address.
 */
export function decapsulatorFor(
  { director, devices }: Pick<RealServer, "director" | "devices">,
  method: TunnelMethod,
  address: Address,
): Decapsulator {
  const inner = familyOf(address);
  const same = decapsulatorOf(
    method,
    director ? familyOf(director) : inner,
    inner,
  );
  if (director) return same;
  const other = decapsulatorOf(method, inner === INET6 ? INET : INET6, inner);
  const isUp = ({ kind }: Decapsulator) =>
    devices.some((device) => device.up && device.kind === kind);
  return !isUp(same) && isUp(other) ? other : same;
}

/** The tunnel interfaces that are up: those of the method. If the method is not known: those that can unpack packets of the director. */
export function tunnelsUp(server: RealServer, address: Address): Device[] {
  const { method } = server;
  if (method === undefined)
    return unpackersUp(server, address).map(({ device }) => device);
  if (!isTunnel(method)) return [];
  const { kind } = decapsulatorFor(server, method, address);
  return server.devices.filter((device) => device.up && device.kind === kind);
}

/** An interface that can unpack packets for a virtual address. */
export interface Unpacker {
  readonly device: Device;
  readonly method: TunnelMethod;
  readonly decapsulator: Decapsulator;
}

/** The interfaces that can unpack packets for a virtual address, whatever tunnel the director uses. */
export function unpackersUp(
  { director, devices }: RealServer,
  address: Address,
): Unpacker[] {
  const inner = familyOf(address);
  const outers: Family[] = director ? [familyOf(director)] : [INET, INET6];
  const found: Unpacker[] = [];
  for (const method of ["tunnel", "gre"] as const)
    for (const outer of outers) {
      const decapsulator = decapsulatorOf(method, outer, inner);
      for (const device of devices) {
        const { up, kind, tunnel } = device;
        const { remote, inside } = tunnel ?? {};
        if (!up || kind !== decapsulator.kind) continue;
        if (remote && !(director && sameAddress(remote, director))) continue;
        if (inside !== undefined && inside !== INSIDE[inner]) continue;
        found.push({ device, method, decapsulator });
      }
    }
  return found;
}

/** The protocols of packets inside a tunnel, by their family */
export const INSIDE: Readonly<Record<Family, number>> = { 2: 4, 10: 41 };

/** Whether the director may masquerade. It does not if this machine has the virtual address. */
export function mayBeMasqueraded(
  server: RealServer,
  address: Address,
): boolean {
  if (server.method !== undefined) return server.method === "masq";
  const ways = server.ways.find(({ service }) =>
    sameAddress(service.address, address),
  );
  return (
    placesOf(server, address).length === 0 &&
    !(typeof ways?.there === "object" && ways.there.type === "local")
  );
}
