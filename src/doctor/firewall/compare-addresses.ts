import type { Address } from "../../ipvs/address.js";

/** Compares addresses of one family byte by byte: negative, 0 or positive. */
export function compareAddresses(a: Address, b: Address): number {
  for (const [at, byte] of a.entries()) {
    const difference = byte - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}
