import { parseAddress, type Address } from "./address.js";

/** The addresses that begin with the same bits. */
export interface Network {
  readonly address: Address;
  /** How many bits count: up to 32 for IPv4, 128 for IPv6 */
  readonly prefixBits: number;
}

/**
 * Reads a network as people write it: `10.0.0.0/8`, `2001:db8::/32`, or an address by itself. Bits behind
 * the prefix do not count, whatever they are.
 *
 * @returns undefined if it is none
 * @see RFC 4632, section 3.1; RFC 4291, section 2.3
 */
export function parseNetwork(text: string): Network | undefined {
  const slash = text.indexOf("/");
  const address = parseAddress(slash < 0 ? text : text.slice(0, slash));
  if (!address) return undefined;
  if (slash < 0) return networkOf(address);
  const prefix = text.slice(slash + 1);
  if (!/^(0|[1-9][0-9]{0,2})$/.test(prefix)) return undefined;
  const prefixBits = Number(prefix);
  return prefixBits <= address.length * 8 ? { address, prefixBits } : undefined;
}

/** The network of one address. */
export function networkOf(address: Address): Network {
  return { address, prefixBits: address.length * 8 };
}
