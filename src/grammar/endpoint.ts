import { parseIpv6, type Address } from "../ipvs/address.js";
import type { Protocol } from "../ipvs/model.js";
import { parseWhole } from "./numbers.js";

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
  if (/^[0-9]*$/.test(text)) return undefined;
  let host = text;
  let port: string | undefined;
  if (text.startsWith("[")) {
    const close = text.indexOf("]");
    if (close < 0 || text[close + 1] !== ":") return undefined;
    host = text.slice(1, close);
    port = text.slice(close + 2);
  }
  const ipv6 = parseIpv6(host);
  if (ipv6) return withPort(ipv6, port, protocol, lookups);

  // Whatever stood behind brackets is forgotten if IPv6 does not stand within: a quirk that is kept.
  const colon = host.lastIndexOf(":");
  port = colon < 0 ? undefined : host.slice(colon + 1);
  if (colon >= 0) host = host.slice(0, colon);
  const ipv4 = parseIpv4Loosely(host) ?? lookups.host(host);
  return ipv4 && withPort(ipv4, port, protocol, lookups);
}

function withPort(
  address: Address,
  text: string | undefined,
  protocol: Protocol | undefined,
  lookups: Lookups,
): Endpoint | undefined {
  if (text === undefined) return { address, port: undefined };
  const port =
    parseWhole(text, 0, 65535) ??
    (protocol === undefined ? undefined : lookups.port(text, protocol));
  return port === undefined ? undefined : { address, port };
}

/**
 * Reads an IPv4 address in any form of inet_aton(3): one to four numbers, decimal, octal or
 * hexadecimal, the last one filling all the bytes that are left; whatever follows a blank is ignored.
 *
 * @returns undefined if it is not one
 */
export function parseIpv4Loosely(text: string): Address | undefined {
  const end = text.search(/[ \t\n\v\f\r]/);
  const parts = (end < 0 ? text : text.slice(0, end)).split(".");
  if (parts.length > 4) return undefined;
  const address = new Uint8Array(4);
  for (let i = 0; i < parts.length; i++) {
    const number = parseNumber(parts[i] ?? "");
    const bytes = i < parts.length - 1 ? 1 : 4 - i;
    if (number === undefined || number >= 256 ** bytes) return undefined;
    for (let n = 0; n < bytes; n++)
      address[i + n] = number / 256 ** (bytes - 1 - n);
  }
  return address;
}

/** A number as C writes it: decimal, octal behind 0, hexadecimal behind 0x. */
function parseNumber(text: string): number | undefined {
  if (/^([1-9][0-9]*|0)$/.test(text)) return Number(text);
  if (/^0[0-7]+$/.test(text)) return Number.parseInt(text, 8);
  return /^0[xX][0-9a-fA-F]+$/.test(text) ? Number(text) : undefined;
}
