import {
  familyOf,
  INET,
  INET6,
  parseIpv4,
  parseIpv6,
  type Address,
} from "./address.js";
import {
  type ServerKey,
  type ServiceKey,
  PROTOCOL_NAMES,
  PROTOCOLS,
} from "./model.js";

/** A text is not what it is to name. */
export class MalformedText extends Error {
  override readonly name = "MalformedText";

  /**
   * @param text what was to be read
   * @param wanted what it is not: `virtual service`
   * @param advice how it is written
   */
  constructor(
    /** What was to be read */
    readonly text: string,
    /** What it is not: `virtual service` */
    readonly wanted: string,
    /** What to do next, as half a sentence */
    readonly advice: string,
  ) {
    super(`${quoted(text)} is no ${wanted}`);
  }
}

/** A text between quotation marks, without control characters. */
function quoted(text: string): string {
  const escape = (character: string) =>
    `\\u00${character.charCodeAt(0).toString(16)}`;
  return JSON.stringify(text).replace(/[\x7f-\x9f]/g, escape);
}

const HIGHEST_PORT = 0xffff;
const HIGHEST_MARK = 0xffffffff;

/**
 * Reads a virtual service as {@link formatService} writes it, and that alone: no names of hosts or ports.
 *
 * @param text `TCP 192.0.2.1:80`, `UDP [2001:db8::1]:53`, `FWM 7` or `FWM 7 IPv6`
 * @throws {MalformedText} if it is none
 */
export function parseService(text: string): ServiceKey {
  const [, mark, ipv6] = /^FWM ([0-9]+)( IPv6)?$/.exec(text) ?? [];
  const firewallMark = whole(mark, HIGHEST_MARK);
  if (firewallMark) return { family: ipv6 ? INET6 : INET, firewallMark };
  const [, name = "", rest = ""] = /^(TCP|UDP|SCTP) (.*)$/.exec(text) ?? [];
  const protocol = PROTOCOLS.find((known) => PROTOCOL_NAMES[known] === name);
  const endpoint = endpointIn(rest);
  if (protocol === undefined || !endpoint)
    throw new MalformedText(
      text,
      "virtual service",
      "write TCP 192.0.2.1:80, UDP [2001:db8::1]:53, FWM 7 or FWM 7 IPv6",
    );
  return { family: familyOf(endpoint.address), protocol, ...endpoint };
}

/**
 * Reads a real server as {@link formatEndpoint} writes it, and that alone: no names of hosts or ports.
 *
 * @param text `192.0.2.10:8080` or `[2001:db8::10]:8080`
 * @throws {MalformedText} if it is none
 */
export function parseServer(text: string): ServerKey {
  const endpoint = endpointIn(text);
  if (endpoint) return endpoint;
  throw new MalformedText(
    text,
    "real server",
    "write 192.0.2.10:8080 or [2001:db8::10]:8080",
  );
}

function endpointIn(
  text: string,
): { address: Address; port: number } | undefined {
  const [, bracketed, bare = "", digits] =
    /^(?:\[([^\]]*)\]|([^:]*)):([0-9]+)$/.exec(text) ?? [];
  const address =
    bracketed === undefined ? parseIpv4(bare) : parseIpv6(bracketed);
  const port = whole(digits, HIGHEST_PORT);
  return address && port !== undefined ? { address, port } : undefined;
}

/** A decimal number without leading zeros; undefined if it is none or too large. */
function whole(digits: string | undefined, highest: number) {
  if (digits === undefined || !/^(0|[1-9][0-9]{0,9})$/.test(digits))
    return undefined;
  const number = Number(digits);
  return number <= highest ? number : undefined;
}
