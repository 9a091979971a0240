import { formatSelector } from "../../grammar/selector.js";
import type { ServerKey, EndpointName, ServiceKey } from "../../ipvs/model.js";
import { PROTOCOL_WORDS } from "../../document/enum-names.js";
import type { DocumentNames } from "../../document/write-table.js";

/** The names of services and real servers in a listing. A service is named as a SERVICE argument names it. */
export interface EndpointNames {
  service(key: ServiceKey): string;
  server(service: ServiceKey, key: ServerKey): string;
}

/** @param name returns the name of an address with a port, without control characters */
export function endpointNames(name: EndpointName): EndpointNames {
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

/** The names that JSON and YAML contain in addition to the numbers. A firewall mark has no name. */
export function documentNames(names: EndpointNames): DocumentNames {
  return {
    service: (key) => ("firewallMark" in key ? undefined : names.service(key)),
    server: (service, key) => names.server(service, key),
  };
}
