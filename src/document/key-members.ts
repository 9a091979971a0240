import { formatSelector } from "../grammar/selector.js";
import { formatAddress } from "../ipvs/address.js";
import {
  formatEndpoint,
  type ServerKey,
  type ServiceKey,
} from "../ipvs/model.js";
import { FAMILIES, PROTOCOL_WORDS } from "./enum-names.js";
import type { Members } from "./json-text.js";

/*
 * How documents name services and real servers: as one word, which subcommands take as an argument, and in parts. An
 * element of `services` or `servers` has its parts as `address` and `port`. A record about several things has the name of
 * each thing before them: `serviceAddress`, `serverPort`.
 */

/** The parts of a service, as a table has them. */
export function serviceParts(key: ServiceKey): Members {
  return "firewallMark" in key
    ? { family: FAMILIES.word(key.family), firewallMark: key.firewallMark }
    : {
        protocol: PROTOCOL_WORDS.word(key.protocol),
        address: formatAddress(key.address),
        port: key.port,
      };
}

/** The parts of a real server, as a table has them. */
export function serverParts({ address, port }: ServerKey): Members {
  return { address: formatAddress(address), port };
}

/** The word and the parts of a service, for an element of `services`. */
export function serviceKeyMembers(key: ServiceKey): Members {
  return { service: formatSelector(key), ...serviceParts(key) };
}

/** The word and the parts of a real server, for an element of `servers`. */
export function serverKeyMembers(key: ServerKey): Members {
  return {
    server: formatEndpoint(key.address, key.port),
    ...serverParts(key),
  };
}

/** The word and the parts of a service, for a record about several things. */
export function aboutService(key: ServiceKey): Members {
  const { protocol, address, port, ...mark } = serviceParts(key);
  return {
    service: formatSelector(key),
    protocol,
    serviceAddress: address,
    servicePort: port,
    ...mark,
  };
}

/** The words and the parts of a service and a real server, for a record about both. */
export function aboutServer(service: ServiceKey, server: ServerKey): Members {
  const { address, port } = serverParts(server);
  return {
    ...aboutService(service),
    server: formatEndpoint(server.address, server.port),
    serverAddress: address,
    serverPort: port,
  };
}
