import type { Table } from "../../ipvs/table.js";
import type { PlanClient } from "../../plan/change-sender.js";
import type { Differences } from "../../plan/compare.js";
import type { CurrentState } from "../../plan/current-state.js";
import type { DrainReport, DriftCounts } from "../director-state.js";
import type { Drain } from "../drain.js";
import { compareWithKernel, countDrift } from "./apply-table.js";
import { drainReports } from "./drain-reports.js";

const NO_DRIFT: DriftCounts = { add: 0, change: 0, remove: 0 };

/** A server counts as empty after so many readings: a connection that is being opened is not seen. */
const EMPTY_READINGS = 2;

/** What the kernel's table had at the last reading. */
export class KernelReadings {
  #compared = false;
  #drift: DriftCounts = NO_DRIFT;
  #current: CurrentState | undefined;
  /** How often in a row each drain had no connections left */
  #emptyReadings: ReadonlyMap<string, number> = new Map();

  get current(): CurrentState | undefined {
    return this.#current;
  }

  /** Whether the kernel's table was compared with a revision. */
  get compared(): boolean {
    return this.#compared;
  }

  get drift(): DriftCounts {
    return this.#drift;
  }

  get drifts(): boolean {
    const { add, change, remove } = this.#drift;
    return add + change + remove > 0;
  }

  /** Notes what still differs after a change. */
  noteRemaining(differences: Differences): void {
    this.#drift = countDrift(differences);
  }

  /** Reads the kernel's table. @param desired undefined: there is nothing to compare with */
  async compare(
    client: PlanClient,
    desired: Table | undefined,
    drains: readonly Drain[],
  ): Promise<void> {
    if (desired) {
      const { current, differences } = await compareWithKernel(client, desired);
      this.#current = current;
      this.#drift = countDrift(differences);
      this.#compared = true;
    } else {
      this.#current = { services: await client.table() };
      this.#drift = NO_DRIFT;
    }
    this.#emptyReadings = new Map(
      drainReports(drains, this.#current).map(({ id, state }) => [
        id,
        state === "empty" ? (this.#emptyReadings.get(id) ?? 0) + 1 : 0,
      ]),
    );
  }

  /** How far the drains are. */
  reports(drains: readonly Drain[]): DrainReport[] {
    return drainReports(drains, this.#current).map((one) =>
      one.state === "empty" &&
      (this.#emptyReadings.get(one.id) ?? 0) < EMPTY_READINGS
        ? { ...one, state: "busy" }
        : one,
    );
  }
}
