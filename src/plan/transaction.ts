import type { Change } from "../ipvs/change.js";
import { KernelRefusal } from "../ipvs/errors.js";
import { ENOENT, ESRCH } from "../netlink/errno.js";
import type { ChangeSender } from "./change-sender.js";
import { PlanFailed, type NotRolledBack } from "./plan-failed.js";
import type { Step } from "./steps.js";

/** Changes per batch. Refusals are handled when the whole batch has been tried. */
const BATCH = 1024;

export interface TransactionOptions {
  /** Called with the number of steps that have been carried out */
  readonly report?: (done: number) => void;
  /** Stops before the next steps, and rolls back */
  readonly signal?: AbortSignal;
  /** Whether an edit of a real server that another program removed is skipped; otherwise it fails */
  readonly editsMayMiss?: boolean;
}

/** Changes that are made together: if one fails, all are rolled back. */
export class Transaction {
  /** The steps that were carried out */
  readonly done: Step[] = [];
  /** The steps that were skipped because their object does not exist any more */
  readonly gone: Step[] = [];
  readonly #sender: ChangeSender;
  readonly #options: TransactionOptions;

  constructor(sender: ChangeSender, options: TransactionOptions) {
    this.#sender = sender;
    this.#options = options;
  }

  /** Carries out the steps of a stage, or rolls everything back. @throws {PlanFailed} */
  async stage(steps: readonly Step[]): Promise<void> {
    for (const batch of batchesOf(steps)) {
      await this.checkSignal();
      const changes = batch.map(({ change }) => change);
      const outcomes = await this.attempt(() => this.#sender.send(changes));
      const failures = batch.flatMap((step, i) => {
        const outcome = outcomes[i];
        if (outcome?.kind === "done") this.done.push(step);
        if (!outcome || outcome.kind === "done") return [];
        if (!this.#isGone(step.change, outcome.failure))
          return [{ step, ...outcome }];
        this.gone.push(step);
        return [];
      });
      const [first] = failures;
      if (first) {
        const unknown = failures.filter(({ kind }) => kind === "unknown");
        await this.#fail(
          first.failure,
          first.step,
          unknown.map(({ step }) => step),
        );
      }
      this.#options.report?.(this.done.length);
    }
  }

  #isGone(change: Change, failure: Error): boolean {
    const { editsMayMiss = false } = this.#options;
    return (
      isAlreadyGone(change, failure) ||
      (editsMayMiss && change.command === "edit-server" && isMissing(failure))
    );
  }

  /** Calls a function. If it throws, everything is rolled back. @throws {PlanFailed} */
  async attempt<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      return this.#fail(error, undefined, []);
    }
  }

  /** Rolls everything back if the signal was given. @throws {PlanFailed} */
  async checkSignal(): Promise<void> {
    const { signal } = this.#options;
    if (signal?.aborted) await this.#fail(signal.reason, undefined, []);
  }

  async #fail(
    cause: unknown,
    step: Step | undefined,
    unknown: readonly Step[],
  ): Promise<never> {
    const notRolledBack = await this.#undo();
    throw new PlanFailed(cause, step, this.done, notRolledBack, unknown);
  }

  async #undo(): Promise<NotRolledBack[]> {
    const undoing = this.done
      .toReversed()
      .flatMap((step) => step.undo.map((undo) => ({ step, undo })));
    const notRolledBack: NotRolledBack[] = [];
    for (const batch of batchesOf(undoing)) {
      const outcomes = await this.#sender.send(batch.map(({ undo }) => undo));
      for (const [i, item] of batch.entries()) {
        const outcome = outcomes[i];
        if (
          outcome &&
          outcome.kind !== "done" &&
          !this.#isGone(item.undo, outcome.failure)
        )
          notRolledBack.push({ ...item, failure: outcome.failure });
      }
    }
    return notRolledBack;
  }
}

/** Whether a removal failed only because its object does not exist any more. */
function isAlreadyGone({ command }: Change, failure: Error): boolean {
  return (
    (command === "delete-service" || command === "delete-server") &&
    isMissing(failure)
  );
}

/** Whether the kernel does not know the service or the server. */
function isMissing(failure: Error): boolean {
  return (
    failure instanceof KernelRefusal &&
    (failure.errno === ENOENT || failure.errno === ESRCH)
  );
}

function* batchesOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += BATCH)
    yield items.slice(at, at + BATCH);
}
