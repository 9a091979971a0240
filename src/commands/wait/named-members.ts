import { readServer, readService } from "../../cli/selectors.js";
import type { Members } from "../../document/json-text.js";
import { aboutServer, aboutService } from "../../document/key-members.js";
import type { ServiceSelector } from "../../grammar/selector.js";
import { familyOf, formatAddress, type Address } from "../../ipvs/address.js";
import type { ServiceKey } from "../../ipvs/model.js";
import type { Names } from "../../system/names.js";

/**
 * The members that name a service, or one of its real servers, as the command line does. Without a protocol or a port, the
 * words and the other parts are unknown.
 *
 * @throws {SelectorFault} if an argument is malformed
 */
export async function namedMembers(
  [serviceText = "", serverText]: readonly string[],
  names: Names,
): Promise<Members> {
  const selector = await readService(serviceText, names);
  const protocol = "protocol" in selector ? selector.protocol : undefined;
  const service = keyOf(selector);
  const server =
    serverText === undefined
      ? undefined
      : await readServer(serverText, protocol, names);
  if (service && server?.port !== undefined)
    return aboutServer(service, { ...server, port: server.port });
  return {
    ...(service ? aboutService(service) : endpointMembers("service", selector)),
    ...(server && endpointMembers("server", server)),
  };
}

/** The key of a service; undefined if the selector leaves a part of it open. */
function keyOf(selector: ServiceSelector): ServiceKey | undefined {
  if ("firewallMark" in selector) return selector;
  const { protocol, address, port } = selector;
  return protocol === undefined || port === undefined
    ? undefined
    : { family: familyOf(address), protocol, address, port };
}

function endpointMembers(
  of: "service" | "server",
  named:
    | ServiceSelector
    | { readonly address: Address; readonly port: number | undefined },
): Members {
  if ("firewallMark" in named) return {};
  return {
    [`${of}Address`]: formatAddress(named.address),
    ...(named.port !== undefined && { [`${of}Port`]: named.port }),
  };
}
