import {
  familyOf,
  formatAddress,
  INET6,
  type Address,
} from "../../../ipvs/address.js";
import type { ServiceWithServers } from "../../../ipvs/model.js";
import { isWithin } from "../../../rtnl/address-owners.js";
import type { Device } from "../../../rtnl/model.js";
import type { Known } from "../../check.js";
import type { Fix } from "../../finding.js";
import { ANYWHERE, nextHopTo, type Network } from "../../network.js";
import { sysctlFix, sysctlNumber, type Sysctls } from "../../sysctls.js";

/** Why there is perhaps no default route: the kernel ignores the routers that announce themselves. */
export interface IgnoredRouters {
  /** A sentence without a full stop */
  readonly text: string;
  readonly fix: Fix;
}

/**
 * Interfaces on which the kernel ignores router advertisements because it forwards there, if an IPv6 address has no route
 * and there is no default route either.
 *
 * @see ipv6_accept_ra() in include/net/ipv6.h
 */
export function ignoredRouters(
  to: Address,
  { table, network, sysctls }: Known<"table" | "network" | "sysctls">,
): IgnoredRouters | undefined {
  if (familyOf(to) !== INET6) return undefined;
  if (network.ways.get(formatAddress(to)) !== "no route") return undefined;
  if (network.ways.get(formatAddress(ANYWHERE[INET6])) !== "no route")
    return undefined;
  const devices = network.devices.filter(
    (device) =>
      !isOfServers(device, table, network) && ignoresRouters(device, sysctls),
  );
  const outer = devices.filter((device) => hasVirtual(device, table, network));
  const names = (outer.length > 0 ? outer : devices)
    .slice(0, MOST_DEVICES)
    .map(({ name }) => name);
  if (names.length === 0) return undefined;
  const one = names.length === 1;
  const there = one ? names.join() : "these interfaces";
  return {
    text: `${names.join(", ")} ${one ? "forwards and has" : "forward and have"} accept_ra 1, so the kernel ignores router advertisements there`,
    fix: sysctlFix(
      Object.fromEntries(names.map((name) => [path(name, "accept_ra"), 2])),
      `this machine takes routers, and addresses, from announcements on ${there}, the default route with the next one; if no router announces itself there, the other way is a route by hand, which follows no change of the router: 'ip -6 route add default via ROUTER'`,
    ),
  };
}

/** More interfaces are not named. */
const MOST_DEVICES = 3;

function path(device: string, name: string): string {
  return `net/ipv6/conf/${device}/${name}`;
}

/** Whether a real server is reached by an interface, or is in its network. */
function isOfServers(
  { index }: Device,
  table: readonly ServiceWithServers[],
  network: Network,
): boolean {
  const servers = table
    .flatMap((service) => service.servers)
    .map(({ key }) => key.address);
  return servers.some(
    (server) =>
      nextHopTo(network, server)?.device === index ||
      isInNetworkOf(server, index, network),
  );
}

/** Whether an address is in the network of an interface. */
function isInNetworkOf(
  address: Address,
  device: number,
  network: Network,
): boolean {
  return network.addresses.some(
    (own) =>
      own.device === device &&
      own.prefixBits < address.length * 8 &&
      own.address.length === address.length &&
      isWithin(address, own.peer ?? own.address, own.prefixBits),
  );
}

/** Whether an interface is in the network of a virtual address: requests come in there. */
function hasVirtual(
  { index }: Device,
  table: readonly ServiceWithServers[],
  network: Network,
): boolean {
  return table.some(
    ({ key }) =>
      !("firewallMark" in key) && isInNetworkOf(key.address, index, network),
  );
}

/** Whether the kernel ignores router advertisements on an interface because it forwards there. */
function ignoresRouters(
  { name, up, loopback, asksNeighbors, master }: Device,
  sysctls: Sysctls,
): boolean {
  return (
    up &&
    !loopback &&
    asksNeighbors &&
    master === undefined &&
    sysctlNumber(sysctls, path(name, "forwarding")) === 1 &&
    sysctlNumber(sysctls, path(name, "accept_ra")) === 1 &&
    sysctlNumber(sysctls, path(name, "accept_ra_defrtr")) !== 0 &&
    sysctlNumber(sysctls, path(name, "disable_ipv6")) !== 1
  );
}
