import type { StoredValue } from "../store/store.js";
import { RecordReader } from "./record.js";

/** What a director does. */
export const CONDITIONS = [
  /** It has just started, and has not compared its table yet */
  "starting",
  /** It has no revision to apply */
  "waiting",
  /** The kernel has the applied revision */
  "ok",
  /** The kernel differs from the applied revision: somebody else changed it */
  "drifting",
  /** The wanted revision cannot be applied; the table is as before */
  "failed",
] as const;
export type Condition = (typeof CONDITIONS)[number];

/** How many items of the table differ. */
export interface DriftCounts {
  readonly add: number;
  readonly change: number;
  readonly remove: number;
}

/** A drain on one director. */
export interface DrainReport {
  readonly id: string;
  /** `absent`: the table has no such server */
  readonly state: "busy" | "empty" | "absent";
  readonly activeConnections: number;
  readonly inactiveConnections: number;
  readonly persistentConnections: number;
}

/** What a director reports, whenever it changes. */
export interface DirectorState {
  readonly table: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly condition: Condition;
  /** Why it failed, or what it waits for. It comes from the network: escape it before it is shown */
  readonly reason?: string | undefined;
  /** The revision that it tries to apply */
  readonly wanted?: number | undefined;
  /** The revision that the kernel had after the last change */
  readonly applied?: number | undefined;
  /** The hash of the applied revision */
  readonly sha256?: string | undefined;
  readonly paused: boolean;
  readonly dryRun: boolean;
  readonly heals: boolean;
  readonly drift: DriftCounts;
  readonly drains: readonly DrainReport[];
  /** Since when it has this condition and revision, by its own clock: ISO 8601 */
  readonly since: string;
  readonly version: string;
}

/** The load of a director, which it reports regularly. */
export interface DirectorLoad {
  /** ISO 8601 */
  readonly at: string;
  readonly activeConnections: number;
  readonly inactiveConnections: number;
  readonly connectionsPerSecond: number;
  readonly inBytesPerSecond: number;
  readonly outBytesPerSecond: number;
}

export function readDirectorState({ key, value }: StoredValue): DirectorState {
  const record = RecordReader.parse(key, value);
  const drift = record.record("drift");
  const condition = record.text("condition");
  return {
    table: record.text("table"),
    labels: record.labels("labels"),
    // A newer agent may report a condition that this program does not know.
    condition: CONDITIONS.find((one) => one === condition) ?? "failed",
    reason: record.optionalText("reason"),
    wanted: record.optionalCount("wanted"),
    applied: record.optionalCount("applied"),
    sha256: record.optionalText("sha256"),
    paused: record.flag("paused"),
    dryRun: record.flag("dryRun"),
    heals: record.flag("heals"),
    drift: {
      add: drift.count("add"),
      change: drift.count("change"),
      remove: drift.count("remove"),
    },
    drains: record.records("drains").map((one) => ({
      id: one.text("id"),
      state: drainState(one.text("state")),
      activeConnections: one.count("activeConnections"),
      inactiveConnections: one.count("inactiveConnections"),
      persistentConnections: one.count("persistentConnections"),
    })),
    since: record.text("since"),
    version: record.text("version"),
  };
}

function drainState(text: string): DrainReport["state"] {
  return text === "empty" || text === "absent" ? text : "busy";
}

export function readDirectorLoad({ key, value }: StoredValue): DirectorLoad {
  const record = RecordReader.parse(key, value);
  return {
    at: record.text("at"),
    activeConnections: record.count("activeConnections"),
    inactiveConnections: record.count("inactiveConnections"),
    connectionsPerSecond: record.count("connectionsPerSecond"),
    inBytesPerSecond: record.count("inBytesPerSecond"),
    outBytesPerSecond: record.count("outBytesPerSecond"),
  };
}
