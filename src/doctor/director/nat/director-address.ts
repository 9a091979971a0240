import { sameAddress, type Address } from "../../../ipvs/address.js";
import { isWithin } from "../../../rtnl/address-owners.js";
import type { Known } from "../../check.js";
import type { Facts } from "../../facts.js";
import { nextHopTo, wayTo } from "../../network.js";
import { markedAddresses } from "../marks/marks.js";

/** What tells the director's own addresses from virtual ones */
export type AddressFacts = Facts & Known<"network">;

/** Whether an address is of a service, or gets the mark of one. */
export function isVirtual(
  address: Address,
  { allServices, table = [], firewall }: AddressFacts,
): boolean {
  const keys = (allServices ?? table).map(({ key }) => key);
  return [
    ...keys.flatMap((key) => ("firewallMark" in key ? [] : [key.address])),
    ...(firewall ? markedAddresses(firewall, keys) : []),
  ].some((one) => sameAddress(one, address));
}

/** The virtual address that the kernel chooses as the source of packets to a real server; undefined if it chooses another one. */
export function virtualSourceTo(
  server: Address,
  facts: AddressFacts,
): Address | undefined {
  const source = wayTo(facts.network, server)?.source;
  return source && isVirtual(source, facts) ? source : undefined;
}

/**
 * The director's own address on the way to a real server. The kernel can choose a virtual address as the source, and a real
 * server with direct routing or tunneling has that one as well.
 *
 * @returns undefined if the interface has no address of its own
 */
export function directorAddress(
  server: Address,
  facts: AddressFacts,
): Address | undefined {
  const { network } = facts;
  const source = wayTo(network, server)?.source;
  if (!source || !(isVirtual(source, facts) || sameAddress(source, server)))
    return source;
  const device = nextHopTo(network, server)?.device;
  const own = network.addresses.filter(
    (one) =>
      // The server's address is local: the network that it is in tells the interface.
      (device === undefined
        ? isWithin(server, one.address, one.prefixBits)
        : one.device === device) &&
      !sameAddress(one.address, server) &&
      one.address.length === server.length &&
      one.scope === "global" &&
      !one.duplicate &&
      !one.tentative &&
      !isVirtual(one.address, facts),
  );
  const near = own.find(({ address, prefixBits }) =>
    isWithin(server, address, prefixBits),
  );
  return (near ?? own[0])?.address;
}
