import type { Endpoint, Lookups } from "../grammar/endpoint.js";
import { UnresolvedHost } from "../grammar/usage-errors.js";
import {
  parseServerSelector,
  parseServiceSelector,
  SelectorFault,
  type ServiceSelector,
} from "../grammar/selector.js";
import { parseIpv4, type Address } from "../ipvs/address.js";
import type { Protocol } from "../ipvs/model.js";
import { TRANSPORTS } from "../ipvs/model.js";
import type { Names } from "../system/names.js";
import { escapeControls } from "./escape.js";

/** Reads a service as people write it, finding out the host that it names. @throws {SelectorFault} */
export function readService(
  text: string,
  names: Names,
): Promise<ServiceSelector> {
  return withNames(names, (lookups) =>
    parseServiceSelector(escapeControls(text), lookups),
  );
}

/** Reads a real server, the same way. @param protocol of its service, if that is known */
export function readServer(
  text: string,
  protocol: Protocol | undefined,
  names: Names,
): Promise<Endpoint> {
  return withNames(names, (lookups) =>
    parseServerSelector(escapeControls(text), protocol, lookups),
  );
}

/** Parses until every host that is named has been looked up. */
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
          "check its name, or give an address",
        );
      hosts.set(error.host, address);
    }
  }
}
