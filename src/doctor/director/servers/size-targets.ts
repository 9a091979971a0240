import {
  familyOf,
  formatAddress,
  type Address,
} from "../../../ipvs/address.js";
import type { ServiceWithServers } from "../../../ipvs/model.js";
import type { Known } from "../../check.js";
import { nextHopTo, type Network } from "../../network.js";
import { unknownSizes, type SizeTarget } from "../../path-size.js";
import { sizesTo, USUAL_MTU } from "../firewall/narrow-ways.js";
import type { AddressFacts } from "../nat/director-address.js";
import { isServing } from "../reach/reach.js";
import { probeSource } from "./probe.js";

/** A real server, and the largest packets that IPVS sends to it. */
export interface ServerSize extends SizeTarget {
  /** What the largest packets of clients become on their way there, as far as interfaces tell */
  readonly needed: number;
}

/** The real servers that get packets, each address once. */
export function serverSizes(
  table: readonly ServiceWithServers[],
  network: Network,
): ServerSize[] {
  const found = new Map<string, ServerSize>();
  for (const service of table)
    for (const server of service.servers) {
      if (!isServing(server)) continue;
      const sizes = sizesTo(service, server, network);
      const device = nextHopTo(network, server.key.address)?.device;
      if (!sizes || device === undefined) continue;
      const { full, header, arrival } = sizes;
      const needed = Math.min(full, (arrival?.mtu ?? full) + header);
      const text = formatAddress(server.key.address);
      const known = found.get(text);
      if (known && known.needed >= needed) continue;
      found.set(text, { to: server.key.address, device, full, needed });
    }
  return [...found.values()];
}

/** The same, each with the address from which it is tried. */
export function sizeTargets(
  table: readonly ServiceWithServers[],
  around: AddressFacts,
): ServerSize[] {
  return serverSizes(table, around.network).map((one) => ({
    ...one,
    from: probeSource(one.to, around),
  }));
}

/**
 * The sizes of packets to real servers that only a probe tries, if they are larger than usual networks carry.
 *
 * @param client only services that it can ask
 */
export function untriedSizes(
  { table, network }: Known<"table" | "network">,
  client?: Address,
): string[] {
  const family = client && familyOf(client);
  const some = table.filter(
    ({ key }) => family === undefined || key.family === family,
  );
  const reason = "ipvsadm doctor --probe tries it";
  return unknownSizes(
    serverSizes(some, network)
      .filter(({ full }) => full > USUAL_MTU)
      .map((one) => ({ ...one, reason })),
  );
}
