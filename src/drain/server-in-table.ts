import type { ServerEntry, ServiceWithServers } from "../ipvs/model.js";
import { serverId } from "../plan/server-id.js";

/**
 * A real server with its service, as read from the table.
 *
 * @since 0.2.0
 */
export interface ServerInTable {
  /** The service, with all its real servers */
  readonly service: ServiceWithServers;
  /** One of them */
  readonly server: ServerEntry;
}

/** A text that identifies a server of the table. */
export function idOf({ service, server }: ServerInTable): string {
  return serverId(service.key, server.key);
}
