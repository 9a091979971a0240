import { sameAddress, type Address } from "../../ipvs/address.js";
import type { NetworkClient } from "../../rtnl/client.js";
import type { SizeTarget } from "../path-size.js";
import { virtualAddresses, type RealServer } from "./real-server.js";
import { hopsBack } from "./way-back.js";

/** More machines are not tried. */
const MOST_TARGETS = 4;

/**
 * The machines that get this server's answers next, and that can be tried: with masquerading the director, else the
 * routers of answers. What a client gets past them is not known here.
 */
export async function backTargets(
  network: Pick<NetworkClient, "routeTo">,
  server: RealServer,
): Promise<SizeTarget[]> {
  const { method, director, devices } = server;
  const routers = hopsBack(server).flatMap(({ gateway }) =>
    gateway ? [gateway] : [],
  );
  const machines = [
    ...(director && (method === undefined || method === "masq")
      ? [director]
      : []),
    ...(method === "masq" ? [] : routers),
  ];
  const targets: SizeTarget[] = [];
  for (const to of distinct(machines).slice(0, MOST_TARGETS)) {
    const way = await network.routeTo({ to });
    const hop = typeof way === "object" ? way.hops[0] : undefined;
    const device = devices.find(({ index }) => index === hop?.device);
    if (typeof way !== "object" || way.type !== "unicast" || !device) continue;
    const from = sourceOf(server, way.source, device.index);
    if (from === "none") continue;
    const full = way.mtu ?? device.mtu;
    targets.push({ to, from, device: device.index, full });
  }
  return targets;
}

/** A source that is not a virtual address, to which others would answer; undefined: the one that the kernel chooses. */
function sourceOf(
  server: RealServer,
  chosen: Address | undefined,
  device: number,
): Address | undefined | "none" {
  const isVirtual = (address: Address) =>
    virtualAddresses(server).some((one) => sameAddress(one, address));
  if (!chosen || !isVirtual(chosen)) return undefined;
  const own = server.addresses.find(
    (one) =>
      one.device === device &&
      one.scope === "global" &&
      one.address.length === chosen.length &&
      !isVirtual(one.address),
  );
  return own?.address ?? "none";
}

function distinct(addresses: readonly Address[]): Address[] {
  return addresses.filter(
    (one, at) => addresses.findIndex((other) => sameAddress(one, other)) === at,
  );
}
