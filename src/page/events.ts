/*
 * The events that the server sends and the page reads: schema/events-1.json. The words for services, servers and settings are
 * those of all documents. Figures are lists of numbers, because there may be ten thousand of them every two seconds.
 */

/** The first event, `table`: everything. */
export interface TableEvent {
  readonly schema: "ipvsadm/events/1";
  readonly time: string;
  /** The name of the machine */
  readonly host: string;
  readonly intervalSeconds: number;
  readonly services: readonly ServiceRow[];
  readonly figures: readonly Figures[];
  /** The latest changes, oldest first */
  readonly changes: readonly ChangeRow[];
  /** Why the table cannot be read. Then everything else is as it was at `time` */
  readonly fault: string | null;
  /** The server also has /api/v1/fleet */
  readonly fleet?: true;
}

/** The event `update` after each reading: what is different. */
export interface UpdateEvent {
  readonly time: string;
  /** Services that are new, or have other settings, states or servers */
  readonly services?: readonly ServiceRow[];
  /** The ids of services that are gone */
  readonly removed?: readonly number[];
  readonly figures?: readonly Figures[];
  readonly changes?: readonly ChangeRow[];
}

/** The event `fault`: the table cannot be read. The next `update` ends it. */
export interface FaultEvent {
  readonly time: string;
  readonly fault: string;
}

export interface ServiceRow {
  /** Names the service as long as the connection lasts */
  readonly id: number;
  readonly service: string;
  readonly state: string;
  readonly scheduler: string;
  readonly schedulerFlags?: readonly string[];
  readonly persistence?: {
    readonly enabled?: boolean;
    readonly timeoutSeconds?: number;
  };
  readonly onePacket?: boolean;
  readonly effectiveWeight: number;
  readonly servers: readonly ServerRow[];
}

export interface ServerRow {
  readonly id: number;
  readonly server: string;
  readonly address: string;
  readonly state: string;
  readonly forwarding: string | number;
  readonly weight: number;
  readonly share: number;
  readonly upperThreshold?: number;
  readonly lowerThreshold?: number;
}

/**
 * The id of a service or server, active connections, inactive connections, persistence templates, new connections per second,
 * bytes per second in and out. A rate is null while it is unknown.
 */
export type Figures = readonly [
  id: number,
  active: number,
  inactive: number,
  persistent: number,
  connectionsPerSecond: number | null,
  inBytesPerSecond: number | null,
  outBytesPerSecond: number | null,
];

/** A change of the table, in the words of `diff -o json`. */
export interface ChangeRow {
  readonly time: string;
  readonly change: "add" | "change" | "remove";
  readonly of: "service" | "server";
  readonly service: string;
  readonly server?: string;
  /** The settings that are different, or all */
  readonly from?: Readonly<Record<string, unknown>>;
  readonly to?: Readonly<Record<string, unknown>>;
}

/** The answer of /api/v1/history. */
export interface HistoryDocument {
  readonly schema: "ipvsadm/history/1";
  /** When the last slot begins */
  readonly time: string;
  readonly slotSeconds: number;
  readonly rows: readonly HistoryRow[];
}

/** The means of each slot, oldest first; null if unknown. Services have no `server`. Sums over a machine have `machine` alone. */
export interface HistoryRow {
  readonly service?: string;
  readonly server?: string;
  readonly machine?: string;
  readonly connectionsPerSecond: readonly (number | null)[];
  readonly inBytesPerSecond: readonly (number | null)[];
  readonly outBytesPerSecond: readonly (number | null)[];
}

/** The history covers a quarter of an hour. */
export const HISTORY_SECONDS = 900;
export const SLOT_SECONDS = 5;
export const SLOTS = HISTORY_SECONDS / SLOT_SECONDS;
