import { formatAddress, sameAddress } from "../../../ipvs/address.js";
import type { ServerEntry } from "../../../ipvs/model.js";
import { formatHardwareAddress } from "../../../rtnl/model.js";
import type { Facts } from "../../facts.js";
import { nextHopTo, type Network } from "../../network.js";

/** Where this machine reaches a real server in its own network; undefined behind a router, or if it is not known. */
export function hardwareAddressOf(
  { key }: Pick<ServerEntry, "key">,
  { network, stations }: Pick<Facts, "network" | "stations">,
): Uint8Array | undefined {
  const hop = network && nextHopTo(network, key.address);
  if (!hop || !sameAddress(hop.address, key.address)) return undefined;
  const found =
    stations?.nextHops.get(formatAddress(key.address)) ??
    network.neighbors.find(
      ({ address, device }) =>
        device === hop.device && sameAddress(address, key.address),
    )?.hardwareAddress;
  // Where a router answers for all machines, its hardware address is that of everything.
  return found && isOfRouter(network, found) ? undefined : found;
}

/** Whether a router that this machine uses has a hardware address. */
function isOfRouter(network: Network, hardwareAddress: Uint8Array): boolean {
  const routers = routersOf(network);
  return network.neighbors.some(
    (one) =>
      one.hardwareAddress !== undefined &&
      sameAddress(one.hardwareAddress, hardwareAddress) &&
      (one.router || routers.has(formatAddress(one.address))),
  );
}

/** The routers of a network, which are the same for all of its servers */
const routersOfNetworks = new WeakMap<Network, ReadonlySet<string>>();

function routersOf(network: Network): ReadonlySet<string> {
  const known = routersOfNetworks.get(network);
  if (known) return known;
  const routers = new Set<string>();
  for (const way of network.ways.values())
    if (typeof way === "object")
      for (const { gateway } of way.hops)
        if (gateway) routers.add(formatAddress(gateway));
  routersOfNetworks.set(network, routers);
  return routers;
}

/** Whether an address is in fe80::/10, of which every interface with IPv6 has one. */
function isLinkLocal(address: Uint8Array): boolean {
  const [first = 0, second = 0] = address;
  return address.length === 16 && first === 0xfe && (second & 0xc0) === 0x80;
}

/** More addresses are not named. */
const MOST_ADDRESSES = 3;

/** The other addresses at which the same machine answers as at that of a real server, as evidence. */
export function sameHardware(
  server: Pick<ServerEntry, "key">,
  facts: Pick<Facts, "network" | "stations">,
): string[] {
  const found = hardwareAddressOf(server, facts);
  const { address } = server.key;
  const hop = facts.network && nextHopTo(facts.network, address);
  if (!found || !hop) return [];
  const others = facts.network.neighbors.flatMap((one) =>
    one.device === hop.device &&
    one.hardwareAddress &&
    one.state !== "failed" &&
    one.address.length === address.length &&
    !isLinkLocal(one.address) &&
    sameAddress(one.hardwareAddress, found) &&
    !sameAddress(one.address, address)
      ? [formatAddress(one.address)]
      : [],
  );
  if (others.length === 0) return [];
  const left = others.length - MOST_ADDRESSES;
  const named = others.slice(0, MOST_ADDRESSES).join(", ");
  return [
    `${formatAddress(address)} and ${named}${left > 0 ? ` and ${left} more` : ""} have the same hardware address, ${formatHardwareAddress(found)}: they are addresses of one machine, which perhaps is not this server`,
  ];
}
