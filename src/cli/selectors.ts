import type { Endpoint, Lookups } from "../grammar/endpoint.js";
import { UnresolvedHost } from "../grammar/usage-errors.js";
import {
  formatSelector,
  parseServerSelector,
  parseServiceSelector,
  SelectorFault,
  selects,
  UnknownSelected,
  type ServiceSelector,
} from "../grammar/selector.js";
import { PROTOCOL_WORDS } from "../document/enum-names.js";
import { parseIpv4, type Address } from "../ipvs/address.js";
import type { Protocol, ServiceKey } from "../ipvs/model.js";
import { TRANSPORTS } from "../ipvs/model.js";
import type { Names } from "../system/names.js";
import { nearest } from "../text/nearest.js";
import { escapeControls } from "./escape.js";

/** A service or a real server that the command line names. */
export interface Named<Selector> {
  /** As the user wrote it, without control characters */
  readonly text: string;
  readonly selector: Selector;
}

/** The protocol of a service as `--protocol` names it: tcp, udp, sctp, or fwm for firewall marks. */
export function protocolWord(key: ServiceKey): string | undefined {
  return "firewallMark" in key ? "fwm" : PROTOCOL_WORDS.word(key.protocol);
}

/** Parses a service, and looks up the host in it. @throws {SelectorFault} */
export function readService(
  text: string,
  names: Names,
): Promise<ServiceSelector> {
  return withNames(names, (lookups) =>
    parseServiceSelector(escapeControls(text), lookups),
  );
}

/** Parses services, as {@link readService} does. */
export function readServices(
  texts: readonly string[],
  names: Names,
): Promise<Named<ServiceSelector>[]> {
  return Promise.all(
    texts.map(async (text) => ({
      text: escapeControls(text),
      selector: await readService(text, names),
    })),
  );
}

/** Parses a real server, in the same way. @param protocol of its service, if known */
export function readServer(
  text: string,
  protocol: Protocol | undefined,
  names: Names,
): Promise<Endpoint> {
  return withNames(names, (lookups) =>
    parseServerSelector(escapeControls(text), protocol, lookups),
  );
}

/** Checks that every named service exists. @throws {UnknownSelected} with the service that was probably meant */
export function checkServices(
  named: readonly Named<ServiceSelector>[],
  table: readonly { readonly key: ServiceKey }[],
): void {
  for (const { text, selector } of named)
    if (!table.some(({ key }) => selects(selector, key)))
      throw new UnknownSelected(
        `there is no service ${text}`,
        suggestion(
          text,
          table.map(({ key }) => formatSelector(key)),
          "services",
        ),
      );
}

/** How many alternatives an error lists. */
const LISTED = 4;

/** Says what the user may have meant. @param kind what the alternatives are: `services` */
export function suggestion(
  text: string,
  known: readonly string[],
  kind: string,
): string {
  if (known.length === 0) return "the table is empty";
  const near = nearest(text, known) ?? nearest(`tcp/${text}`, known);
  if (near !== undefined) return `did you mean ${near}?`;
  const more = known.length > LISTED ? ", ..." : "";
  return `${kind} in the table: ${known.slice(0, LISTED).join(", ")}${more}`;
}

/** Parses again and again, until all host names in the text are looked up. */
async function withNames<T>(
  names: Names,
  parse: (lookups: Lookups) => T,
): Promise<T> {
  const hosts = new Map<string, Address>();
  const lookups: Lookups = {
    host(name) {
      const address = hosts.get(name);
      if (!address) throw new UnresolvedHost(name);
      return address;
    },
    port: (service, protocol) =>
      names.servicePort(service, TRANSPORTS[protocol]),
  };
  for (;;) {
    try {
      return parse(lookups);
    } catch (error) {
      if (!(error instanceof UnresolvedHost)) throw error;
      const text = await names.hostAddress(error.host);
      const address = text === undefined ? undefined : parseIpv4(text);
      if (!address)
        throw new SelectorFault(
          `host ${error.host} has no IPv4 address`,
          "check the name, or give an address",
        );
      hosts.set(error.host, address);
    }
  }
}
