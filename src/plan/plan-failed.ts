import type { Change } from "../ipvs/change.js";
import type { Step } from "./steps.js";

/**
 * A change that was made and could not be rolled back.
 *
 * @since 0.2.0
 */
export interface NotRolledBack {
  /** The step that made it */
  readonly step: Step;
  /** The change that was meant to undo it */
  readonly undo: Change;
  /** Why it was not undone */
  readonly failure: Error;
}

/**
 * The table changed after the plan was made. Nothing was changed.
 *
 * @since 0.2.0
 */
export class TableChanged extends Error {
  override readonly name = "TableChanged";
  /** What to do next */
  readonly advice: string = "look at the table and try again";

  constructor() {
    super("Another process changed the table");
  }
}

/**
 * A plan failed, and its changes were rolled back. `cause` says why.
 *
 * @since 0.2.0
 */
export class PlanFailed extends Error {
  override readonly name = "PlanFailed";

  /** What to do next, as a phrase without a period */
  get advice(): string {
    return this.notRolledBack.length + this.unknown.length === 0
      ? "the table is as before; look at the cause"
      : "the table has old and new settings; look at notRolledBack and unknown";
  }

  constructor(
    /** Why: a {@link KernelRefusal}, a socket error, or the reason of the abort signal */
    override readonly cause: unknown,
    /** The step that failed; undefined if none did */
    readonly step: Step | undefined,
    /** The steps that had been carried out. They were rolled back, except for `notRolledBack` */
    readonly done: readonly Step[],
    /** Changes that could not be rolled back. Empty if the table is as it was before */
    readonly notRolledBack: readonly NotRolledBack[],
    /** Steps that were sent when the socket failed: they may have been carried out or not */
    readonly unknown: readonly Step[],
  ) {
    super(`${step?.change.command ?? "the plan"} failed`, { cause });
  }
}
