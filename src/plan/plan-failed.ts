import type { Change } from "../ipvs/change.js";
import type { Step } from "./steps.js";

/** A change that was carried out and could not be taken back: it stands. */
export interface Standing {
  readonly step: Step;
  /** What was to take it back */
  readonly undo: Change;
  readonly failure: Error;
}

/** The table is not that for which the plan was made. Nothing was changed. */
export class TableChanged extends Error {
  override readonly name = "TableChanged";
  /** What to do next, as half a sentence */
  readonly advice: string = "look at it, and try again";

  constructor() {
    super("The table was changed by somebody else meanwhile");
  }
}

/** A plan could not be carried out, and what had been done was put back. */
export class PlanFailed extends Error {
  override readonly name = "PlanFailed";

  constructor(
    /** Why: a {@link KernelRefusal}, the fault of a socket, or the reason of the signal that was given */
    override readonly cause: unknown,
    /** The step that failed; undefined if none did */
    readonly step: Step | undefined,
    /** What had been carried out by then, and was taken back but for what stands */
    readonly done: readonly Step[],
    /** What could not be taken back. Empty: the table is as it was. */
    readonly standing: readonly Standing[],
    /** What was sent when the way to the kernel broke, and nobody knows whether it was carried out */
    readonly unknown: readonly Step[],
  ) {
    super(`${step?.change.command ?? "the plan"} failed`, { cause });
  }
}
