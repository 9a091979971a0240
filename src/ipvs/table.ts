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
  readonly key: ServerKey;
  readonly settings: ServerSettings;
}

/**
 * A virtual service with its real servers, as configured. A {@link ServiceWithServers} is one, too.
 *
 * @since 0.2.0
 */
export interface ServiceRule {
  readonly key: ServiceKey;
  readonly settings: ServiceSettings;
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
  readonly services: readonly ServiceRule[];
  readonly timeouts?: Timeouts;
  readonly daemons?: readonly Daemon[];
}

/** One item of a table file. */
export type TableRule = ServiceRule | ServerRule | Timeouts | Daemon;
