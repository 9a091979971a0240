import type { Address } from "../../ipvs/address.js";
import type { NameLookups } from "../../rules/name-lookups.js";

/** The first byte of all addresses in the reserved block. */
const RESERVED = 240;

/** Whether an address stands for a host name. */
export function isPlaceholder(address: Address): boolean {
  return address.length === 4 && address[0] === RESERVED;
}

/** Lookups without a resolver: each host name gets its own address from the reserved block 240.0.0.0/4. */
export function placeholderNames(names: NameLookups): NameLookups {
  const known = new Map<string, number>();
  return {
    hostAddress(name) {
      const number = known.get(name) ?? known.size + 1;
      known.set(name, number);
      const bytes = [number >> 16, number >> 8, number].map((n) => n & 255);
      return Promise.resolve(`${RESERVED}.${bytes.join(".")}`);
    },
    servicePort: (name, transport) => names.servicePort(name, transport),
  };
}
