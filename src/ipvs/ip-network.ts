import { parseAddress, type Address } from "./address.js";

/** An IP network: the addresses that begin with the same bits. */
export interface Network {
  readonly address: Address;
  /** Length of the prefix in bits: 0 to 32 for IPv4, 0 to 128 for IPv6 */
  readonly prefixBits: number;
}

/**
 * Parses a network in CIDR notation, such as `10.0.0.0/8` or `2001:db8::/32`, or a single address.
 * Bits after the prefix are ignored.
 *
 * @returns undefined if the text is not a network
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

/** The network that contains only one address. */
export function networkOf(address: Address): Network {
  return { address, prefixBits: address.length * 8 };
}
