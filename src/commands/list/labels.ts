import { formatSelector } from "../../grammar/selector.js";
import type { ServerKey, EndpointName, ServiceKey } from "../../ipvs/model.js";
import { PROTOCOL_WORDS } from "../../document/enum-names.js";
import type { DocumentNames } from "../../document/write-table.js";

/** What services and real servers are called in a listing, and in the form in which a SERVICE is written. */
export interface Labels {
  service(key: ServiceKey): string;
  server(service: ServiceKey, key: ServerKey): string;
}

/** @param name of an address with a port, in numbers or by names that are escaped */
export function labelsBy(name: EndpointName): Labels {
  return {
    service: (key) =>
      "firewallMark" in key
        ? formatSelector(key)
        : `${PROTOCOL_WORDS.word(key.protocol) ?? ""}/${name(key.address, key.port, key.protocol)}`,
    server: (service, { address, port }) =>
      name(
        address,
        port,
        "firewallMark" in service ? undefined : service.protocol,
      ),
  };
}

/** The same, as documents have it beside the numbers: firewall marks have no names. */
export function documentNames(labels: Labels): DocumentNames {
  return {
    service: (key) => ("firewallMark" in key ? undefined : labels.service(key)),
    server: (service, key) => labels.server(service, key),
  };
}
