import { sameAddress, type Address } from "../ipvs/address.js";
import type { DeviceAddress } from "../rtnl/model.js";
import { deviceOf, type Network } from "./network.js";

/** Where this machine has an address; undefined if no interface has it. */
export function ownAt(
  network: Network,
  address: Address,
): DeviceAddress | undefined {
  return network.addresses.find((own) => sameAddress(own.address, address));
}

/**
 * Whether an address is the machine's own: the network of its interface hangs on it, or the interface has no other one.
 * Without it the machine does not reach that network any more.
 */
export function isMain(network: Network, own: DeviceAddress): boolean {
  const device = deviceOf(network, own.device);
  if (!device || device.loopback || device.kind === "dummy") return false;
  if (own.prefixBits < own.address.length * 8) return !own.secondary;
  return !network.addresses.some(
    (other) =>
      other !== own &&
      other.device === own.device &&
      other.family === own.family &&
      other.scope === "global",
  );
}
