/** IPv4, by the number of its family in the kernel. @see AF_INET */
export const INET = 2;
/** IPv6, by the number of its family in the kernel. @see AF_INET6 */
export const INET6 = 10;
/** The address families of IPVS. */
export type Family = typeof INET | typeof INET6;

/** An IP address in network order: 4 bytes are IPv4, 16 bytes are IPv6. */
export type Address = Uint8Array;

/** The family of an address, which its length tells. */
export function familyOf(address: Address): Family {
  return address.length === 4 ? INET : INET6;
}

/**
 * Reads a dotted IPv4 address of four decimal numbers, as inet_pton(3) does.
 *
 * @returns undefined if it is not one
 */
export function parseIpv4(text: string): Address | undefined {
  const parts = text.split(".");
  if (parts.length !== 4) return undefined;
  const address = new Uint8Array(4);
  for (const [i, part] of parts.entries()) {
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255)
      return undefined;
    address[i] = Number(part);
  }
  return address;
}

/**
 * Reads an IPv6 address without zone or brackets, as inet_pton(3) does. The last 32 bits may be
 * dotted IPv4.
 *
 * @returns undefined if it is not one
 * @see RFC 4291, section 2.2
 */
export function parseIpv6(text: string): Address | undefined {
  if (text.indexOf(":") === text.lastIndexOf(":")) return undefined; // as every IPv4 address
  const gap = text.indexOf("::");
  if (gap !== text.lastIndexOf("::")) return undefined;
  const head = groups(gap < 0 ? text : text.slice(0, gap), gap < 0);
  const tail = gap < 0 ? [] : groups(text.slice(gap + 2), true);
  if (!head || !tail) return undefined;
  const missing = 16 - head.length - tail.length;
  if (gap < 0 ? missing !== 0 : missing < 2) return undefined;
  const address = new Uint8Array(16);
  address.set(head);
  address.set(tail, 16 - tail.length);
  return address;
}

/** The bytes of colon-separated groups; the last one may be dotted IPv4 where `last` says so. */
function groups(text: string, last: boolean): number[] | undefined {
  if (text === "") return [];
  const bytes: number[] = [];
  const parts = text.split(":");
  for (const [i, part] of parts.entries()) {
    if (last && i === parts.length - 1 && part.includes(".")) {
      const dotted = parseIpv4(part);
      if (!dotted) return undefined;
      bytes.push(...dotted);
    } else {
      if (!/^[0-9a-fA-F]{1,4}$/.test(part)) return undefined;
      const group = Number.parseInt(part, 16);
      bytes.push(group >> 8, group & 0xff);
    }
  }
  return bytes;
}

/**
 * Reads an address of either family in its plain form: dotted IPv4, or IPv6 without zone or brackets.
 *
 * @returns undefined if it is not one
 */
export function parseAddress(text: string): Address | undefined {
  return parseIpv4(text) ?? parseIpv6(text);
}

/** Writes an address as inet_ntop(3) does: the shortest form, IPv4-mapped and -compatible dotted. */
export function formatAddress(address: Address): string {
  if (address.length === 4) return address.join(".");
  const words: number[] = [];
  for (let i = 0; i < 16; i += 2)
    words.push(((address[i] ?? 0) << 8) | (address[i + 1] ?? 0));
  const { start, length } = longestZeros(words);
  const dotted = hasDottedTail(words, start, length);
  const text = (from: number, to: number) =>
    words
      .slice(from, to)
      .map((word) => word.toString(16))
      .join(":");
  const end = dotted ? 6 : 8;
  const shown =
    length < 2
      ? text(0, end)
      : `${text(0, start)}::${text(Math.min(start + length, end), end)}`;
  if (!dotted) return shown;
  const tail = address.subarray(12).join(".");
  return shown.endsWith(":") ? shown + tail : `${shown}:${tail}`;
}

/** The first of the longest runs of zero words. */
function longestZeros(words: readonly number[]): {
  start: number;
  length: number;
} {
  let best = { start: 0, length: 0 };
  for (let start = 0; start < words.length; start++) {
    let length = 0;
    while (words[start + length] === 0) length++;
    if (length > best.length) best = { start, length };
  }
  return best;
}

/** inet_ntop(3) writes ::a.b.c.d and ::ffff:a.b.c.d dotted, but not what has fewer than two words. */
function hasDottedTail(
  words: readonly number[],
  start: number,
  length: number,
): boolean {
  if (start !== 0) return false;
  return length === 6 || (length === 5 && words[5] === 0xffff);
}

/** Whether an address names a group of hosts. @see RFC 5771, RFC 4291 section 2.7 */
export function isMulticast(address: Address): boolean {
  const first = address[0] ?? 0;
  return address.length === 4 ? first >> 4 === 0xe : first === 0xff;
}

/** Whether an IPv6 address counts on one link alone. @see RFC 4291, section 2.5.6 */
export function isLinkLocal(address: Address): boolean {
  const [first = 0, second = 0] = address;
  return address.length === 16 && first === 0xfe && second >> 6 === 2;
}

/** Whether two addresses are the same, of the same family. */
export function sameAddress(a: Address, b: Address): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
