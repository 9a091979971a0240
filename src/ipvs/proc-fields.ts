import { parseIpv6, type Address } from "./address.js";
import type { Network } from "./ip-network.js";

/*
 * Decodes the fields of a line in /proc/net/ip_vs_conn and /proc/net/ip_vs by position.
 * connection-reader.ts and table-file.ts use it.
 */

export const LINE_FEED = 0x0a;
export const BLANK = 0x20;
const COLON = 0x3a;
const PORTS = 0x10000;
const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const LARGEST_UNSIGNED = 0xffff_ffff;
/** The width of an address: `0A090001`, or `2001:0db8:0000:0000:0000:0000:0000:0001` */
export const IPV4_COLUMNS = 8;
export const IPV6_COLUMNS = 39;
export const PORT_COLUMNS = 4;

/** The value of each hexadecimal digit, by character code; -1 for other characters. */
const DIGITS = Int8Array.from({ length: 256 }, (_, code) => {
  const digit = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(digit) ? -1 : digit;
});

/** The end of a line. */
export function lineEnd(bytes: Buffer, at: number): number {
  const end = bytes.indexOf(LINE_FEED, at);
  return end < 0 ? bytes.length : end;
}

/** The end of a word: the next space, or the end of the line. */
export function wordEnd(bytes: Buffer, at: number): number {
  while (at < bytes.length && bytes[at] !== BLANK && bytes[at] !== LINE_FEED)
    at++;
  return at;
}

export function wordStart(bytes: Buffer, at: number): number {
  while (bytes[at] === BLANK) at++;
  return at;
}

export function addressEnd(bytes: Buffer, at: number): number {
  const long = bytes[at + PORT_COLUMNS] === COLON;
  return at + (long ? IPV6_COLUMNS : IPV4_COLUMNS);
}

/** The position after an address and its port. */
export function behindPort(addressEnd: number): number {
  return addressEnd + PORT_COLUMNS + 2;
}

/** Whether an address ends here and a port follows. */
export function endsPort(bytes: Buffer, addressEnd: number): boolean {
  const portEnd = addressEnd + 1 + PORT_COLUMNS;
  return bytes[addressEnd] === BLANK && bytes[portEnd] === BLANK;
}

export function readAddress(
  bytes: Buffer,
  at: number,
  end: number,
): Address | undefined {
  const long = end - at === IPV6_COLUMNS;
  const address = new Uint8Array(long ? 16 : 4);
  for (let i = 0; i < address.length; i++) {
    if (long && i > 0 && i % 2 === 0 && bytes[at++] !== COLON) return undefined;
    const byte = readByte(bytes, at);
    if (byte < 0) return undefined;
    address[i] = byte;
    at += 2;
  }
  return address;
}

/** Whether an address is in a network; false for a malformed address. */
export function isIn(
  { address, prefixBits }: Network,
  bytes: Buffer,
  at: number,
  end: number,
): boolean {
  const long = end - at === IPV6_COLUMNS;
  if (long !== (address.length === 16)) return false;
  for (let i = 0; i * 8 < prefixBits; i++) {
    const byte = readByte(bytes, at + 2 * i + (long ? i >> 1 : 0));
    const ignored = Math.max(8 * (i + 1) - prefixBits, 0);
    if (byte < 0 || (byte ^ (address[i] ?? 0)) >> ignored !== 0) return false;
  }
  return true;
}

/** The client's address in a key. */
export function clientOfKey(key: number | string): Address | undefined {
  return typeof key === "number" ? ipv4(key) : parseIpv6(key);
}

/** The address and port of a service or server in a key. */
export function endOfKey(
  key: number | string,
): { address: Address; port: number } | undefined {
  if (typeof key === "number")
    return { address: ipv4(Math.floor(key / PORTS)), port: key % PORTS };
  const [text = "", port = ""] = key.split(" ");
  const address = parseIpv6(text);
  return address && { address, port: Number.parseInt(port, 16) };
}

function ipv4(number: number): Address {
  const address = new Uint8Array(4);
  new DataView(address.buffer).setUint32(0, number);
  return address;
}

/** For IPv4, a number, with the port at most 48 bits; for IPv6, the text. */
export function keyOf(
  bytes: Buffer,
  at: number,
  end: number,
  withPort: boolean,
): number | string {
  if (end - at === IPV6_COLUMNS)
    return bytes.toString("latin1", at, withPort ? behindPort(end) - 1 : end);
  const address = readIpv4(bytes, at, end);
  return withPort
    ? (address >>> 0) * PORTS + readPort(bytes, end + 1)
    : address;
}

/** An IPv4 address as a 32-bit number; NaN if it is malformed. */
export function readIpv4(bytes: Buffer, at: number, end: number): number {
  if (end - at !== IPV4_COLUMNS) return NaN;
  let address = 0;
  let fault = 0;
  for (; at < end; at++) {
    const digit = DIGITS[bytes[at] ?? 0] ?? -1;
    address = (address << 4) | digit;
    fault |= digit;
  }
  return fault < 0 ? NaN : address;
}

export function readPort(bytes: Buffer, at: number): number {
  let port = 0;
  for (const end = at + PORT_COLUMNS; at < end; at++)
    port = (port << 4) | (DIGITS[bytes[at] ?? 0] ?? -1);
  return port;
}

/** The value of two hexadecimal digits; negative if one is malformed. */
function readByte(bytes: Buffer, at: number): number {
  const high = DIGITS[bytes[at] ?? 0] ?? -1;
  const low = DIGITS[bytes[at + 1] ?? 0] ?? -1;
  return (high << 4) | low;
}

/**
 * An unsigned 32-bit number in decimal, up to the end of the word; negative if it is malformed or
 * too large.
 */
export function readDecimal(bytes: Buffer, at: number): number {
  let value = 0;
  for (; ; at++) {
    const byte = bytes[at] ?? LINE_FEED;
    if (byte === BLANK || byte === LINE_FEED) return value;
    if (!isDigit(byte)) return -1;
    value = value * 10 + byte - DIGIT_0;
    if (value > LARGEST_UNSIGNED) return -1;
  }
}

export function isDigit(byte = 0): boolean {
  return byte >= DIGIT_0 && byte <= DIGIT_9;
}

/** Whether a word and a space are here. */
export function startsWord(word: string, bytes: Buffer, at: number): boolean {
  for (let i = 0; i < word.length; i++)
    if (bytes[at + i] !== word.charCodeAt(i)) return false;
  return bytes[at + word.length] === BLANK;
}
