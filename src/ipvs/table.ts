import type {
  Daemon,
  ServerKey,
  ServerSettings,
  ServiceKey,
  ServiceSettings,
  Timeouts,
} from "./model.js";

/**
 * A real server as configured. A {@link ServerEntry} is one, too.
 *
 * @since 0.2.0
 */
export interface ServerRule {
  /** The identity of the server */
  readonly key: ServerKey;
  /** The configuration of the server */
  readonly settings: ServerSettings;
}

/**
 * A virtual service with its real servers, as configured. A {@link ServiceWithServers} is one, too.
 *
 * @since 0.2.0
 */
export interface ServiceRule {
  /** The identity of the service */
  readonly key: ServiceKey;
  /** The configuration of the service */
  readonly settings: ServiceSettings;
  /** In the order in which they are added */
  readonly servers: readonly ServerRule[];
}

/**
 * A table as configured. Absent parts are unspecified.
 *
 * @since 0.2.0
 */
export interface Table {
  /** The table is incomplete: there are other services or servers that it does not describe */
  readonly partial?: true;
  /** The virtual services */
  readonly services: readonly ServiceRule[];
  /** The timeouts of idle connections */
  readonly timeouts?: Timeouts;
  /** The sync daemons; an empty list: none may run */
  readonly daemons?: readonly Daemon[];
}

/**
 * One item of a table: a service, a real server, the timeouts or a sync daemon.
 *
 * @since 0.2.0
 */
export type TableRule = ServiceRule | ServerRule | Timeouts | Daemon;
