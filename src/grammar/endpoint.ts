import { parseIpv6, type Address } from "../ipvs/address.js";
import type { Protocol } from "../ipvs/model.js";
import { parseDigits, parseWhole } from "./numbers.js";

/** Name lookups for the parser. */
export interface Lookups {
  /**
   * The IPv4 address of a host; undefined if it has none.
   *
   * @throws {UnresolvedHost} if the host was not looked up yet
   */
  host(name: string): Address | undefined;
  /** The port of a service in /etc/services; undefined if there is no entry for this protocol. */
  port(service: string, protocol: Protocol): number | undefined;
}

/** An address with an optional port. */
export interface Endpoint {
  readonly address: Address;
  readonly port: number | undefined;
}

const DIGITS = /^[0-9]*$/;

/**
 * Parses `ADDRESS[:PORT]` or `HOST[:PORT]`. IPv6 may be in brackets; with a port it must be.
 *
 * @param protocol for the lookup of a port's name; with undefined, names are rejected
 * @returns undefined if the text is not an endpoint
 * @throws {UnresolvedHost} if the text names a host that was not looked up yet
 */
export function parseEndpoint(
  text: string,
  protocol: Protocol | undefined,
  lookups: Lookups,
): Endpoint | undefined {
  if (DIGITS.test(text)) return undefined;
  let host = text;
  let port: string | undefined;
  if (text.startsWith("[")) {
    const close = text.indexOf("]");
    if (close < 0 || text[close + 1] !== ":") return undefined;
    host = text.slice(1, close);
    port = text.slice(close + 2);
  }
  const ipv6 = parseIpv6(host);
  if (ipv6)
    return port === undefined
      ? { address: ipv6, port }
      : withPort(ipv6, port, 0, protocol, lookups);

  // A quirk of the original: if the brackets do not contain IPv6, the port after them is ignored.
  const colon = host.lastIndexOf(":");
  const end = colon < 0 ? host.length : colon;
  const ipv4 = parseIpv4Loosely(host, end) ?? lookups.host(host.slice(0, end));
  if (!ipv4) return undefined;
  return colon < 0
    ? { address: ipv4, port: undefined }
    : withPort(ipv4, host, colon + 1, protocol, lookups);
}

/** @param start where the port begins in the text */
function withPort(
  address: Address,
  text: string,
  start: number,
  protocol: Protocol | undefined,
  lookups: Lookups,
): Endpoint | undefined {
  const port =
    parseDigits(text, start, HIGHEST_PORT) ??
    portNamed(text.slice(start), protocol, lookups);
  return port === undefined ? undefined : { address, port };
}

const HIGHEST_PORT = 65535;

/** A port that is not just digits: a number with sign or spaces, or a name. */
function portNamed(
  text: string,
  protocol: Protocol | undefined,
  lookups: Lookups,
): number | undefined {
  return (
    parseWhole(text, 0, HIGHEST_PORT) ??
    (protocol === undefined ? undefined : lookups.port(text, protocol))
  );
}

/**
 * Parses an IPv4 address like inet_aton(3): one to four numbers, decimal, octal or hexadecimal. The
 * last number fills all remaining bytes. Text after a space is ignored.
 *
 * @param length the part of the text to parse
 * @returns undefined if the text is not an address
 */
export function parseIpv4Loosely(
  text: string,
  length = text.length,
): Address | undefined {
  const blank = text.search(BLANK);
  const end = blank < 0 || blank > length ? length : blank;
  const address = new Uint8Array(4);
  let at = 0;
  for (let part = 0; part < 4; part++) {
    const dot = text.indexOf(".", at);
    const dotted = dot >= 0 && dot < end;
    const stop = dotted ? dot : end;
    const number = numberIn(text, at, stop);
    const bytes = dotted ? 1 : 4 - part;
    if (!(number < 256 ** bytes)) return undefined;
    for (let n = 0; n < bytes; n++)
      address[part + n] = number / 256 ** (bytes - 1 - n);
    if (!dotted) return address;
    at = stop + 1;
  }
  return undefined;
}

const BLANK = /[\t-\r ]/;

/**
 * Parses a number in C syntax: decimal, octal after 0, hexadecimal after 0x.
 *
 * @returns NaN if it is not a number
 */
function numberIn(text: string, start: number, end: number): number {
  const octal = text.charCodeAt(start) === DIGIT_0 && end - start > 1;
  const hexadecimal = octal && (text.charCodeAt(start + 1) | 0x20) === LETTER_X;
  const base = hexadecimal ? 16 : octal ? 8 : 10;
  const first = hexadecimal ? start + 2 : start;
  if (first === end) return NaN;
  let number = 0;
  for (let at = first; at < end; at++) {
    const code = text.charCodeAt(at);
    const digit = code <= DIGIT_9 ? code - DIGIT_0 : letterDigit(code);
    if (digit < 0 || digit >= base) return NaN;
    number = number * base + digit;
  }
  return number;
}

const DIGIT_0 = 0x30;
const DIGIT_9 = 0x39;
const LETTER_A = 0x61;
const LETTER_X = 0x78;

/** @returns 16 or more if it is not a digit in any base */
function letterDigit(code: number): number {
  const letter = (code | 0x20) - LETTER_A;
  return letter >= 0 && letter < 6 ? 10 + letter : 16;
}
