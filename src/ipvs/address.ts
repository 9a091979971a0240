/**
 * The address family IPv4, by its number in the kernel.
 *
 * @see AF_INET
 * @since 0.1.0
 */
export const INET = 2;
/**
 * The address family IPv6, by its number in the kernel.
 *
 * @see AF_INET6
 * @since 0.1.0
 */
export const INET6 = 10;
/**
 * The address families of IPVS: {@link INET} or {@link INET6}.
 *
 * @since 0.1.0
 */
export type Family = typeof INET | typeof INET6;

/**
 * An IP address in network byte order: 4 bytes for IPv4, 16 bytes for IPv6.
 *
 * @since 0.1.0
 */
export type Address = Uint8Array;

/**
 * The family of an address: {@link INET} for 4 bytes, otherwise {@link INET6}.
 *
 * @since 0.1.0
 */
export function familyOf(address: Address): Family {
  return address.length === 4 ? INET : INET6;
}

/**
 * Parses an IPv4 address of four decimal numbers, like inet_pton(3).
 *
 * @returns undefined if the text is not an IPv4 address
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
 * Parses an IPv6 address without zone and brackets, like inet_pton(3). The last 32 bits may be
 * dotted IPv4.
 *
 * @returns undefined if the text is not an IPv6 address
 * @see RFC 4291, section 2.2
 */
export function parseIpv6(text: string): Address | undefined {
  if (text.indexOf(":") === text.lastIndexOf(":")) return undefined; // fewer than two colons
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

/** The bytes of colon-separated groups. With `last`, the last group may be dotted IPv4. */
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
 * Parses an IP address: dotted IPv4, or IPv6 without zone and brackets. Does not resolve names.
 *
 * @returns undefined if the text is not an address
 * @see inet_pton(3); RFC 4291, section 2.2
 * @since 0.1.0
 */
export function parseAddress(text: string): Address | undefined {
  return parseIpv4(text) ?? parseIpv6(text);
}

/**
 * Formats an address in its shortest form, like inet_ntop(3): `192.0.2.1`, `2001:db8::1`,
 * `::ffff:192.0.2.1`.
 *
 * @param address 4 or 16 bytes
 * @since 0.1.0
 */
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

/** The longest run of zero words; the first one if there are several. */
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

/** Whether inet_ntop(3) writes the last 32 bits as dotted IPv4: in ::a.b.c.d and ::ffff:a.b.c.d. */
function hasDottedTail(
  words: readonly number[],
  start: number,
  length: number,
): boolean {
  if (start !== 0) return false;
  return length === 6 || (length === 5 && words[5] === 0xffff);
}

/** Whether an address is a multicast address. @see RFC 5771; RFC 4291, section 2.7 */
export function isMulticast(address: Address): boolean {
  const first = address[0] ?? 0;
  return address.length === 4 ? first >> 4 === 0xe : first === 0xff;
}

/** Whether an address is an IPv6 link-local address. @see RFC 4291, section 2.5.6 */
export function isLinkLocal(address: Address): boolean {
  const [first = 0, second = 0] = address;
  return address.length === 16 && first === 0xfe && second >> 6 === 2;
}

/**
 * Whether two addresses have the same family and the same bytes.
 *
 * @since 0.1.0
 */
export function sameAddress(a: Address, b: Address): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
