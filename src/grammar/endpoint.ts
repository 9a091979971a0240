import { parseIpv6, type Address } from "../ipvs/address.js";
import type { Protocol } from "../ipvs/model.js";
import { parseDigits, parseWhole } from "./numbers.js";

/** What a command line may know of names. */
export interface Lookups {
  /**
   * The IPv4 address of a host; undefined if it has none.
   *
   * @throws {UnresolvedHost} if that is not known yet
   */
  host(name: string): Address | undefined;
  /** The port of a service in /etc/services; undefined if it is not there for this protocol. */
  port(service: string, protocol: Protocol): number | undefined;
}

/** An address with a port, which may be absent. */
export interface Endpoint {
  readonly address: Address;
  readonly port: number | undefined;
}

const DIGITS = /^[0-9]*$/;

/**
 * Reads `ADDRESS[:PORT]` or `HOST[:PORT]`, IPv6 bare or in brackets.
 *
 * @param protocol in which a port's name is looked up; undefined where none is known, and then names are refused
 * @returns undefined if it is not one
 * @throws {UnresolvedHost} if it names a host whose address is not known yet
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

  // Whatever stood behind brackets is forgotten if IPv6 does not stand within: a quirk that is kept.
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

/** A port that is written in another way than by its digits. */
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
 * Reads an IPv4 address in any form of inet_aton(3): one to four numbers, decimal, octal or
 * hexadecimal, the last one filling all the bytes that are left; whatever follows a blank is ignored.
 *
 * @param length how much of the text it is
 * @returns undefined if it is not one
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

/** A number as C writes it: decimal, octal behind 0, hexadecimal behind 0x. @returns NaN if it is none */
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

/** @returns at least 16 if it is no digit of any base */
function letterDigit(code: number): number {
  const letter = (code | 0x20) - LETTER_A;
  return letter >= 0 && letter < 6 ? 10 + letter : 16;
}
