import type { StoredValue } from "../../store/store.js";
import { RecordReader } from "../record.js";

export const ROLLOUT_STATES = [
  "running",
  "paused",
  /** It stopped by itself; the reason says why */
  "failed",
  /** An operator stopped it; the directors have the released revision again */
  "aborted",
  "done",
] as const;
export type RolloutState = (typeof ROLLOUT_STATES)[number];

/** A rollout of a revision, as it is stored. */
export interface Rollout {
  readonly table: string;
  readonly revision: number;
  /** As on the command line: `1`, `10%`, `all`, `site=fra` */
  readonly waves: readonly string[];
  /** How long a wave is watched before the next one */
  readonly soakSeconds: number;
  /** How many directors may change at the same time */
  readonly mostUnavailable: number;
  /** How long a director may take */
  readonly timeoutSeconds: number;
  /** What each director must show besides, as on the command line: `doctor`, `failing=5%` */
  readonly gates?: readonly string[] | undefined;
  /** The released revision when the rollout began */
  readonly releasedBefore?: number | undefined;
  readonly state: RolloutState;
  /** The wave that is carried out, counted from 1; 0 before the first one */
  readonly wave: number;
  /** Why it failed. It may contain text from the network: escape it before it is shown */
  readonly reason?: string | undefined;
  readonly author: string;
  /** ISO 8601 */
  readonly at: string;
}

export function readRollout({ key, value }: StoredValue): Rollout {
  const record = RecordReader.parse(key, value);
  const state = record.text("state");
  return {
    table: record.text("table"),
    revision: record.count("revision"),
    waves: record.texts("waves"),
    soakSeconds: record.count("soakSeconds"),
    mostUnavailable: record.count("mostUnavailable"),
    timeoutSeconds: record.count("timeoutSeconds"),
    gates: record.texts("gates"),
    releasedBefore: record.optionalCount("releasedBefore"),
    state: ROLLOUT_STATES.find((one) => one === state) ?? "failed",
    wave: record.count("wave"),
    reason: record.optionalText("reason"),
    author: record.text("author"),
    at: record.text("at"),
  };
}

/** A rollout cannot begin, or stopped. */
export class RolloutError extends Error {
  override readonly name = "RolloutError";

  constructor(
    readonly detail: string,
    readonly advice?: string,
  ) {
    super(detail);
  }
}
