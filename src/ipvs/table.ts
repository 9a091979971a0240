import type {
  Daemon,
  ServerKey,
  ServerSettings,
  ServiceKey,
  ServiceSettings,
  Timeouts,
} from "./model.js";

/** A real server as it can be set. What the kernel tells of one is one, too. */
export interface ServerRule {
  readonly key: ServerKey;
  readonly settings: ServerSettings;
}

/** A virtual service with its real servers as they can be set. */
export interface ServiceRule {
  readonly key: ServiceKey;
  readonly settings: ServiceSettings;
  readonly servers: readonly ServerRule[];
}

/** A table as it can be set. What is absent is not spoken of. */
export interface Table {
  /** There are services or real servers beside these, of which nothing is said */
  readonly partial?: true;
  readonly services: readonly ServiceRule[];
  readonly timeouts?: Timeouts;
  readonly daemons?: readonly Daemon[];
}

/** What can be wanted by itself: it stands somewhere in a file of rules. */
export type TableRule = ServiceRule | ServerRule | Timeouts | Daemon;
