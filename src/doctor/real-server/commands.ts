import { formatAddress, type Address } from "../../ipvs/address.js";
import type { Device, DeviceAddress } from "../../rtnl/model.js";
import type { Fix } from "../finding.js";
import { shellWord } from "../shell.js";

/** The command that adds a virtual address without its network. */
export function addAddress(address: Address, device = "lo"): Fix {
  return {
    command: `ip address add ${formatAddress(address)}/${address.length * 8} dev ${shellWord(device)}`,
  };
}

/** The command that removes an address. */
export function removeAddress(
  { address, prefixBits }: DeviceAddress,
  { name }: Device,
): Fix {
  return {
    command: `ip address del ${formatAddress(address)}/${prefixBits} dev ${shellWord(name)}`,
  };
}
