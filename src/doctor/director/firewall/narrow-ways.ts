import {
  familyOf,
  formatAddress,
  INET,
  type Address,
  type Family,
} from "../../../ipvs/address.js";
import {
  TUNNEL_CHECKSUM,
  TUNNEL_GRE,
  TUNNEL_GUE,
  TUNNELING,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import {
  deviceOf,
  isLocal,
  nextHopTo,
  wayTo,
  type Network,
} from "../../network.js";
import { sysctlNumber } from "../../sysctls.js";
import { clientDevices } from "./flow-clients.js";
import type { FlowFacts } from "./flows.js";
import { isServing } from "../reach/reach.js";

const PMTU_DISC = "net/ipv4/vs/pmtu_disc";

/** A way to a real server into which the largest packets of clients do not fit. */
export interface NarrowWay {
  readonly service: ServiceWithServers;
  readonly server: ServerEntry;
  /** The largest packet of a client that fits, in bytes */
  readonly fits: number;
  /** `the tunnel to 192.0.2.11` */
  readonly text: string;
  /** How it comes about: `MTU 1500 of eth1, less 20 for the header of the tunnel` */
  readonly reason: string;
  /** Where larger packets come from: `clients come in by eth0 with MTU 1500` */
  readonly arrival: string;
}

/** The sizes on the way of a service's packets to a real server. */
export interface WaySizes {
  /** The name of the interface */
  readonly device: string;
  /** The largest packet that this machine sends there, with the header of a tunnel */
  readonly full: number;
  /** Whether that is the MTU of the route, not of the interface */
  readonly ofRoute: boolean;
  /** What a tunnel adds; 0 without */
  readonly header: number;
  /** The interface with the largest MTU by which clients come in; undefined if not known */
  readonly arrival: { readonly name: string; readonly mtu: number } | undefined;
}

/** The sizes on the way to a real server; undefined if no packet leaves this machine for it. */
export function sizesTo(
  { key }: ServiceWithServers,
  server: ServerEntry,
  network: Network,
  client?: Address,
): WaySizes | undefined {
  const { address } = server.key;
  const device = deviceOf(network, nextHopTo(network, address)?.device);
  if (!device || isLocal(network, address) !== false) return undefined;
  const virtual = "firewallMark" in key ? undefined : key.address;
  const [arrival] = clientDevices(network, key.family, virtual, client)
    .flatMap((name) => network.devices.filter((one) => one.name === name))
    .sort((a, b) => b.mtu - a.mtu);
  const routeMtu = wayTo(network, address)?.mtu;
  const tunneled = server.settings.forwarding === TUNNELING;
  return {
    device: device.name,
    full: routeMtu ?? device.mtu,
    ofRoute: routeMtu !== undefined,
    header: tunneled ? headerBytes(server, familyOf(address)) : 0,
    arrival,
  };
}

/**
 * The ways of a service that are too narrow for the largest packets of its clients, if the director tells clients so.
 *
 * @param client undefined: clients in general
 * @see ensure_mtu_is_adequate() in net/netfilter/ipvs/ip_vs_xmit.c
 */
export function narrowWays(
  service: ServiceWithServers,
  { network, sysctls }: Pick<FlowFacts, "network" | "sysctls">,
  client?: Address,
): NarrowWay[] {
  const { key, servers } = service;
  return servers.filter(isServing).flatMap((server): NarrowWay[] => {
    const sizes = sizesTo(service, server, network, client);
    if (!sizes?.arrival) return [];
    const { device, full, ofRoute, header, arrival } = sizes;
    const tunneled = server.settings.forwarding === TUNNELING;
    // Without path MTU discovery the tunnel's packets are fragmented.
    const fragments = sysctlNumber(sysctls, PMTU_DISC) === 0;
    if (tunneled && key.family === INET && fragments) return [];
    const fits = full - header;
    if (fits >= arrival.mtu) return [];
    const address = formatAddress(server.key.address);
    return [
      {
        service,
        server,
        fits,
        text: `the ${tunneled ? "tunnel" : "way"} to ${address}`,
        reason: `MTU ${full} of ${ofRoute ? "the route" : device}${header > 0 ? `, less ${header} for the header of the tunnel` : ""}`,
        arrival: `clients come in by ${arrival.name} with MTU ${arrival.mtu}`,
      },
    ];
  });
}

/** The MTU of Ethernet. Packets of clients behind routers are mostly no larger. */
export const USUAL_MTU = 1500;

/** What a tunnel adds to each packet. @see __ip_vs_get_out_rt() in net/netfilter/ipvs/ip_vs_xmit.c */
function headerBytes(
  { settings: { tunnel } }: ServerEntry,
  outside: Family,
): number {
  const address = outside === INET ? 20 : 40;
  switch (tunnel.type) {
    case TUNNEL_GUE:
      return address + 8 + 4;
    case TUNNEL_GRE:
      return address + 4 + ((tunnel.flags & TUNNEL_CHECKSUM) !== 0 ? 4 : 0);
    default:
      return address;
  }
}

/** More ways are only counted. */
const MOST_NAMED = 4;

/** Ways of the same size together: `up to 1480 bytes fit into the tunnel to 192.0.2.11, the tunnel to 192.0.2.12`. */
export function describeSizes(ways: readonly NarrowWay[]): string[] {
  const bySize = new Map<number, Set<string>>();
  for (const { fits, text } of ways)
    bySize.set(fits, new Set([...(bySize.get(fits) ?? []), text]));
  return Array.from(bySize, ([fits, all]) => {
    const names = [...all];
    const more = names.length - MOST_NAMED;
    return `up to ${fits} bytes fit into ${names.slice(0, MOST_NAMED).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
  });
}
