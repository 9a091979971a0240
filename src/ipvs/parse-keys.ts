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

/**
 * A text is not a virtual service or a real server.
 *
 * @since 0.1.0
 */
export class MalformedText extends Error {
  override readonly name = "MalformedText";

  /**
   * @param text the text
   * @param wanted what it should have been: `virtual service` or `real server`
   * @param advice the accepted forms
   */
  constructor(
    /** The text */
    readonly text: string,
    /** What it should have been: `virtual service` or `real server` */
    readonly wanted: string,
    /** What to do next, as a phrase without a period */
    readonly advice: string,
  ) {
    super(`${quoted(text)} is not a ${wanted}`);
  }
}

/** Quotes a text and escapes control characters. */
function quoted(text: string): string {
  const escape = (character: string) =>
    `\\u00${character.charCodeAt(0).toString(16)}`;
  return JSON.stringify(text).replace(/[\x7f-\x9f]/g, escape);
}

const HIGHEST_PORT = 0xffff;
const HIGHEST_MARK = 0xffffffff;

/**
 * Parses a virtual service in the form of {@link formatService}. Accepts no names of hosts or
 * ports.
 *
 * @param text `TCP 192.0.2.1:80`, `UDP [2001:db8::1]:53`, `FWM 7` or `FWM 7 IPv6`. Ports are 0 to
 *   65535, marks 1 to 4294967295
 * @throws {MalformedText} if the text has another form
 * @since 0.1.0
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
 * Parses a real server in the form of {@link formatEndpoint}. Accepts no names of hosts or ports.
 *
 * @param text `192.0.2.10:8080` or `[2001:db8::10]:8080`. Ports are 0 to 65535
 * @throws {MalformedText} if the text has another form
 * @since 0.1.0
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

/**
 * Parses a decimal number without leading zeros; undefined if the text is not one, or if it is too
 * large.
 */
function whole(digits: string | undefined, highest: number) {
  if (digits === undefined || !/^(0|[1-9][0-9]{0,9})$/.test(digits))
    return undefined;
  const number = Number(digits);
  return number <= highest ? number : undefined;
}
