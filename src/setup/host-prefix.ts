import { formatAddress, type Address } from "../ipvs/address.js";

/** `192.0.2.1/32`, `2001:db8::1/128` */
export function hostPrefix(address: Address): string {
  return `${formatAddress(address)}/${address.length * 8}`;
}
