import type { ServerEntry, ServiceWithServers } from "../ipvs/model.js";

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
