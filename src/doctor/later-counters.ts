import type { Stats } from "../ipvs/model.js";

/** The counters of real servers when doctor had looked at everything else. */
export interface LaterCounters {
  /** By the servers' names in findings */
  readonly servers: ReadonlyMap<string, Stats>;
  /** Since the table was read */
  readonly seconds: number;
}
