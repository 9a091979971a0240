import { parseAddress, type Address } from "../ipvs/address.js";

export const MAXIMUM_ADDRESSES = 65536;

/**
 * Reads an address, or a range of them: `192.0.2.1`, `192.0.2.1-10`, `192.0.2.1-192.0.2.10`, `192.0.2.8/29`, or the same
 * with IPv6.
 *
 * @returns undefined if it is malformed or too long
 */
export function parseAddressRange(text: string): Address[] | undefined {
  const [, from = "", separator, end = ""] =
    /^([^/-]+)(?:([/-])(.*))?$/.exec(text) ?? [];
  const first = parseAddress(from);
  if (!first || separator === undefined) return first && [first];
  const last =
    separator === "/" ? lastOfNetwork(first, end) : lastOfRange(first, end);
  return last && addressesBetween(first, last);
}

/** The last address of a network. */
function lastOfNetwork(address: Address, length: string): Address | undefined {
  const bits = address.length * 8;
  if (!/^[0-9]{1,3}$/.test(length) || Number(length) > bits) return undefined;
  const hosts = (1n << BigInt(bits - Number(length))) - 1n;
  return toAddress(toNumber(address) | hosts, address.length);
}

/** The last address of a range; it may be only the last byte of IPv4, or the last group of IPv6. */
function lastOfRange(address: Address, end: string): Address | undefined {
  const whole = parseAddress(end);
  if (whole) return whole.length === address.length ? whole : undefined;
  const isIpv4 = address.length === 4;
  if (!(isIpv4 ? /^[0-9]{1,3}$/ : /^[0-9a-fA-F]{1,4}$/).test(end))
    return undefined;
  const value = Number.parseInt(end, isIpv4 ? 10 : 16);
  if (isIpv4 && value > 255) return undefined;
  const last = Uint8Array.from(address);
  last[last.length - 1] = value & 0xff;
  if (!isIpv4) last[last.length - 2] = value >> 8;
  return last;
}

/** All addresses from the first to the last; undefined if there are none, or too many. */
export function addressesBetween(
  first: Address,
  last: Address,
): Address[] | undefined {
  const start = toNumber(first);
  const count = toNumber(last) - start + 1n;
  if (count < 1n || count > MAXIMUM_ADDRESSES) return undefined;
  return Array.from({ length: Number(count) }, (_, i) =>
    toAddress(start + BigInt(i), first.length),
  );
}

function toNumber(address: Address): bigint {
  return address.reduce((number, byte) => number * 256n + BigInt(byte), 0n);
}

function toAddress(number: bigint, length: number): Address {
  const address = new Uint8Array(length);
  for (let i = length - 1, rest = number; i >= 0; i--, rest >>= 8n)
    address[i] = Number(rest & 255n);
  return address;
}
