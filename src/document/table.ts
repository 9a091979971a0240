import type {
  Daemon,
  DestinationKey,
  DestinationSettings,
  ServiceKey,
  ServiceSettings,
  Timeouts,
} from "../ipvs/model.js";

/** What a document of this kind begins with: its `schema`. The number grows when a reader of the old would misread the new. */
export const TABLE_SCHEMA = "ipvsadm/table/1";
/** The same for a line of ndjson, which is one service. */
export const SERVICE_SCHEMA = "ipvsadm/service/1";

/** A real server as it can be set. What the kernel tells of one is one, too. */
export interface ServerRule {
  readonly key: DestinationKey;
  readonly settings: DestinationSettings;
}

/** A virtual service with its real servers as they can be set. */
export interface ServiceRule {
  readonly key: ServiceKey;
  readonly settings: ServiceSettings;
  readonly servers: readonly ServerRule[];
}

/** All that a document can say: what is absent, it does not speak of. */
export interface Table {
  readonly services: readonly ServiceRule[];
  readonly timeouts?: Timeouts;
  readonly daemons?: readonly Daemon[];
}
