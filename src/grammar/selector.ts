import {
  INET,
  INET6,
  sameAddress,
  type Address,
  type Family,
} from "../ipvs/address.js";
import {
  formatEndpoint,
  type ServerKey,
  type Protocol,
  type ServiceKey,
  PROTOCOLS,
  TRANSPORTS,
} from "../ipvs/model.js";
import { parseEndpoint, type Endpoint, type Lookups } from "./endpoint.js";
import { parseWhole } from "./numbers.js";

/*
 * Services and real servers as single words in subcommands: `192.0.2.1:80`, `tcp/192.0.2.1:80`,
 * `udp/[2001:db8::1]:53`, `fwm/7`, `fwm6/7`. Missing parts match anything.
 */

/** Selects services. */
export type ServiceSelector =
  | { readonly family: Family; readonly firewallMark: number }
  | {
      /** undefined: any protocol */
      readonly protocol: Protocol | undefined;
      readonly address: Address;
      /** undefined: any port */
      readonly port: number | undefined;
    };

/** A word is not a valid selector. */
export class SelectorFault extends Error {
  override readonly name = "SelectorFault";

  constructor(
    fault: string,
    /** The accepted forms */
    readonly advice: string,
  ) {
    super(fault);
  }
}

/** A selector matches nothing in the table. */
export class UnknownSelected extends Error {
  override readonly name = "UnknownSelected";

  constructor(
    fault: string,
    readonly advice: string,
  ) {
    super(fault);
  }
}

/** A selector matches several entries where only one is allowed. */
export class AmbiguousSelector extends Error {
  override readonly name = "AmbiguousSelector";

  constructor(
    fault: string,
    readonly advice: string,
  ) {
    super(fault);
  }
}

const PROTOCOL_OF: ReadonlyMap<string, Protocol> = new Map(
  PROTOCOLS.map((protocol) => [TRANSPORTS[protocol], protocol]),
);

const MARKS: ReadonlyMap<string, Family> = new Map([
  ["fwm", INET],
  ["fwm6", INET6],
]);

const SERVICE_FORMS =
  "write 192.0.2.1:80, tcp/192.0.2.1:80, udp/[2001:db8::1]:53, fwm/7 or fwm6/7";
const SERVER_FORMS = "write 192.0.2.10:8080, [2001:db8::10]:8080 or 192.0.2.10";

/** The number of matches that an error lists. */
const SHOWN_CHOICES = 4;

/**
 * Parses a service selector.
 *
 * @throws {SelectorFault} if the text is not a selector
 * @throws {UnresolvedHost} if a host must be looked up first
 */
export function parseServiceSelector(
  text: string,
  lookups: Lookups,
): ServiceSelector {
  const slash = text.indexOf("/");
  const kind = slash < 0 ? undefined : text.slice(0, slash).toLowerCase();
  const rest = text.slice(slash + 1);
  const family = kind === undefined ? undefined : MARKS.get(kind);
  if (family !== undefined) {
    const firewallMark = parseWhole(rest, 1, 0xffffffff);
    if (firewallMark !== undefined) return { family, firewallMark };
    throw new SelectorFault(
      `${rest} is not a firewall mark`,
      "write a number from 1 to 4294967295",
    );
  }
  const protocol = kind === undefined ? undefined : PROTOCOL_OF.get(kind);
  if (kind !== undefined && protocol === undefined)
    throw new SelectorFault(`${text} is not a service`, SERVICE_FORMS);
  const endpoint = readEndpoint(rest, protocol, lookups);
  if (!endpoint)
    throw new SelectorFault(`${text} is not a service`, SERVICE_FORMS);
  return { protocol, ...endpoint };
}

/**
 * Parses a real server.
 *
 * @param protocol the service's protocol, for the lookup of a port's name; undefined: any protocol
 * @throws {SelectorFault} if the text is not a real server
 * @throws {UnresolvedHost} if a host must be looked up first
 */
export function parseServerSelector(
  text: string,
  protocol: Protocol | undefined,
  lookups: Lookups,
): Endpoint {
  const endpoint = readEndpoint(text, protocol, lookups);
  if (!endpoint)
    throw new SelectorFault(`${text} is not a real server`, SERVER_FORMS);
  return endpoint;
}

function readEndpoint(
  text: string,
  protocol: Protocol | undefined,
  lookups: Lookups,
): Endpoint | undefined {
  const bare = /^\[([^\]]*)\]$/.exec(text)?.[1]; // an IPv6 address in brackets, without a port
  const protocols = protocol === undefined ? PROTOCOLS : [protocol];
  for (const known of protocols) {
    const endpoint = parseEndpoint(bare ?? text, known, lookups);
    if (endpoint) return endpoint;
  }
  return undefined;
}

/** Whether a selector matches a service. */
export function selects(selector: ServiceSelector, key: ServiceKey): boolean {
  if ("firewallMark" in selector || "firewallMark" in key)
    return (
      "firewallMark" in selector &&
      "firewallMark" in key &&
      selector.firewallMark === key.firewallMark &&
      selector.family === key.family
    );
  return (
    (selector.protocol ?? key.protocol) === key.protocol &&
    (selector.port ?? key.port) === key.port &&
    sameAddress(selector.address, key.address)
  );
}

/** Whether an endpoint, with or without port, matches a real server. */
export function selectsServer(endpoint: Endpoint, key: ServerKey): boolean {
  return (
    (endpoint.port ?? key.port) === key.port &&
    sameAddress(endpoint.address, key.address)
  );
}

/**
 * Finds the one service in a table that a selector matches.
 *
 * @param text the selector as written, for error messages
 * @throws {UnknownSelected} if there is no match
 * @throws {AmbiguousSelector} if there are several; the error lists them
 */
export function oneService<Entry extends { readonly key: ServiceKey }>(
  text: string,
  selector: ServiceSelector,
  table: readonly Entry[],
): Entry {
  return theOne(
    `service ${text}`,
    table.filter(({ key }) => selects(selector, key)),
    ({ key }) => formatSelector(key),
    "'ipvsadm list' shows the services",
  );
}

/** Finds the one real server of a service that an endpoint matches. Throws like oneService(). */
export function oneServer<Entry extends { readonly key: ServerKey }>(
  text: string,
  endpoint: Endpoint,
  servers: readonly Entry[],
  service: ServiceKey,
): Entry {
  return theOne(
    `real server ${text} of ${formatSelector(service)}`,
    servers.filter(({ key }) => selectsServer(endpoint, key)),
    ({ key }) => formatEndpoint(key.address, key.port),
    `'ipvsadm list ${formatSelector(service)}' lists its servers`,
  );
}

function theOne<Entry>(
  subject: string,
  found: readonly Entry[],
  name: (entry: Entry) => string,
  advice: string,
): Entry {
  const [entry] = found;
  if (entry === undefined)
    throw new UnknownSelected(`there is no ${subject}`, advice);
  if (found.length === 1) return entry;
  const shown = found.slice(0, SHOWN_CHOICES).map(name);
  if (found.length > SHOWN_CHOICES) shown.push("...");
  throw new AmbiguousSelector(
    `${subject} is ambiguous: ${found.length} matches`,
    `choose one of ${shown.join(", ")}`,
  );
}

/**
 * Formats a service for parseServiceSelector(): `tcp/192.0.2.1:80`, `fwm6/7`. Different keys give
 * different texts.
 */
export function formatSelector(key: ServiceKey): string {
  if ("firewallMark" in key)
    return `${key.family === INET6 ? "fwm6" : "fwm"}/${key.firewallMark}`;
  return `${TRANSPORTS[key.protocol]}/${formatEndpoint(key.address, key.port)}`;
}
