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
 * How people name services and real servers in one word: `192.0.2.1:80`, `tcp/192.0.2.1:80`,
 * `udp/[2001:db8::1]:53`, `fwm/7`, `fwm6/7`; what is left out may be anything.
 */

/** The services that are meant. */
export type ServiceSelector =
  | { readonly family: Family; readonly firewallMark: number }
  | {
      /** Undefined: any */
      readonly protocol: Protocol | undefined;
      readonly address: Address;
      /** Undefined: any */
      readonly port: number | undefined;
    };

/** A word that names no service, or no real server, whatever the table. */
export class SelectorFault extends Error {
  override readonly name = "SelectorFault";

  constructor(
    fault: string,
    /** How it is written */
    readonly advice: string,
  ) {
    super(fault);
  }
}

/** Nothing in the table is meant by a word. */
export class UnknownSelected extends Error {
  override readonly name = "UnknownSelected";

  constructor(
    fault: string,
    readonly advice: string,
  ) {
    super(fault);
  }
}

/** Several things in the table may be meant where one is wanted. */
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
  "a service is written 192.0.2.1:80, tcp/192.0.2.1:80, udp/[2001:db8::1]:53, fwm/7 or fwm6/7";
const SERVER_FORMS =
  "a real server is written 192.0.2.10:8080, [2001:db8::10]:8080 or 192.0.2.10";

/** How many choices an error shows. */
const SHOWN_CHOICES = 4;

/**
 * Reads a service.
 *
 * @throws {SelectorFault} if it is none
 * @throws {UnresolvedHost} when a host's address must be found out first
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
      `${rest} is no firewall mark`,
      "a firewall mark is a number from 1 to 4294967295",
    );
  }
  const protocol = kind === undefined ? undefined : PROTOCOL_OF.get(kind);
  if (kind !== undefined && protocol === undefined)
    throw new SelectorFault(`${text} is no service`, SERVICE_FORMS);
  const endpoint = readEndpoint(rest, protocol, lookups);
  if (!endpoint)
    throw new SelectorFault(`${text} is no service`, SERVICE_FORMS);
  return { protocol, ...endpoint };
}

/**
 * Reads a real server.
 *
 * @param protocol of its service, in which a port's name is looked up; undefined: in any
 * @throws {SelectorFault} if it is none
 * @throws {UnresolvedHost} when a host's address must be found out first
 */
export function parseServerSelector(
  text: string,
  protocol: Protocol | undefined,
  lookups: Lookups,
): Endpoint {
  const endpoint = readEndpoint(text, protocol, lookups);
  if (!endpoint)
    throw new SelectorFault(`${text} is no real server`, SERVER_FORMS);
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

/** Whether a service is meant by a selector. */
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

/** Whether a real server is meant by an endpoint whose port may be absent. */
export function selectsServer(endpoint: Endpoint, key: ServerKey): boolean {
  return (
    (endpoint.port ?? key.port) === key.port &&
    sameAddress(endpoint.address, key.address)
  );
}

/**
 * The one service in a table that is meant.
 *
 * @param text what was written, for the errors
 * @throws {UnknownSelected} there is none
 * @throws {AmbiguousSelector} there are several; the error shows how to tell them apart
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
    "'ipvsadm list' shows the services that there are",
  );
}

/** The one real server among those of a service that is meant; throws as `oneService` does. */
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
    `'ipvsadm list ${formatSelector(service)}' shows those that there are`,
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
  if (found.length > SHOWN_CHOICES) shown.push("…");
  throw new AmbiguousSelector(
    `${subject} may be any of ${found.length}`,
    `say which: ${shown.join(", ")}`,
  );
}

/** A service in the form that `parseServiceSelector` reads: `tcp/192.0.2.1:80`, `fwm6/7`. Unique to the key. */
export function formatSelector(key: ServiceKey): string {
  if ("firewallMark" in key)
    return `${key.family === INET6 ? "fwm6" : "fwm"}/${key.firewallMark}`;
  return `${TRANSPORTS[key.protocol]}/${formatEndpoint(key.address, key.port)}`;
}
