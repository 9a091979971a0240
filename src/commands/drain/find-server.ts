import {
  oneServer,
  oneService,
  formatSelector,
} from "../../grammar/selector.js";
import type { ServerInTable } from "../../drain/server-in-table.js";
import type { IpvsClient } from "../../ipvs/client.js";
import type { DrainingServer } from "../../ipvs/drain.js";
import {
  formatEndpoint,
  type ServerEntry,
  type ServiceEntry,
} from "../../ipvs/model.js";
import type { Io } from "../../runtime/io.js";
import { readServer, readService } from "../../cli/selectors.js";

/** A real server of the command line, with its service, as found in the table. */
export interface Target extends DrainingServer {
  readonly serviceEntry: ServiceEntry;
  readonly entry: ServerEntry;
  /** All real servers of the service */
  readonly servers: readonly ServerEntry[];
  /** `198.51.100.10:80 of tcp/192.0.2.1:80` */
  readonly name: string;
  /** The arguments of drain and undrain for it: `tcp/192.0.2.1:80 198.51.100.10:80` */
  readonly words: string;
}

/**
 * Finds a real server of a service in the table.
 *
 * @throws {SelectorFault} if an argument is malformed
 * @throws {UnknownSelected} if the service or server does not exist
 * @throws {AmbiguousSelector} if several match
 */
export async function findServer(
  client: IpvsClient,
  [service = "", server = ""]: readonly string[],
  names: Io["names"],
): Promise<Target> {
  const selector = await readService(service, names);
  const protocol = "protocol" in selector ? selector.protocol : undefined;
  const endpoint = await readServer(server, protocol, names);
  const found = oneService(service, selector, await client.services());
  const servers = await client.servers(found.key);
  const entry = oneServer(server, endpoint, servers, found.key);
  return targetOf({ service: { ...found, servers }, server: entry });
}

/** Describes a real server of the table for messages. */
export function targetOf({ service, server }: ServerInTable): Target {
  const [one, other] = [
    formatEndpoint(server.key.address, server.key.port),
    formatSelector(service.key),
  ];
  return {
    service: service.key,
    server: server.key,
    serviceEntry: service,
    entry: server,
    servers: service.servers,
    name: `${one} of ${other}`,
    words: `${other} ${one}`,
  };
}
