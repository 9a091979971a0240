import { ENOENT, ESRCH } from "../netlink/errno.js";
import type { Change } from "../ipvs/change.js";
import type { CurrentState } from "./current-state.js";
import type { DrainState } from "../ipvs/drain.js";
import { KernelRefusal } from "../ipvs/errors.js";
import { formatService } from "../ipvs/model.js";
import type { Plan } from "./plan.js";
import { PlanFailed, TableChanged, type NotRolledBack } from "./plan-failed.js";
import { ChangeSender, type PlanClient } from "./change-sender.js";
import { readCurrentState, sameState } from "./current-state.js";
import type { Step } from "./steps.js";
import { serverId } from "./server-id.js";

/** Changes per batch. Refusals are handled when the whole batch has been tried. */
const BATCH = 1024;

export interface ExecuteOptions {
  /** The state that the plan was made for. It is read again before the first change, with the same parts. */
  readonly before: CurrentState;
  /** Opens a new client after the socket of the first one failed */
  readonly reopen?: () => Promise<PlanClient>;
  /** Waits until the plan's draining servers are empty. @returns their final states */
  readonly drain?: () => Promise<readonly DrainState[]>;
  /** Called with the number of steps that have been carried out */
  readonly report?: (done: number) => void;
  /** Stops the plan and rolls it back */
  readonly signal?: AbortSignal;
}

/** The result of a plan. */
export interface PlanResult {
  /** The steps that were carried out */
  readonly done: readonly Step[];
  /** Removals that were skipped because a real server is not drained */
  readonly skipped: readonly SkippedRemoval[];
}

/** A removal that was skipped. */
export interface SkippedRemoval {
  readonly step: Step;
  /**
   * `busy`: the real server has connections. `undrained`: its weight is not 0 any more. A service is busy if one of
   * its servers is.
   */
  readonly state: "busy" | "undrained";
}

/**
 * Carries out a plan. If a step fails, all earlier steps are rolled back.
 *
 * The counters of a service or server that was removed and added again start at zero.
 *
 * @throws {TableChanged} before the first change, if the table is not the one that the plan was made for
 * @throws {PlanFailed} if a step failed or the signal was given
 */
export async function executePlan(
  client: PlanClient,
  plan: Plan,
  options: ExecuteOptions,
): Promise<PlanResult> {
  const { before, drain } = options;
  const parts = {
    timeouts: before.timeouts !== undefined,
    daemons: before.daemons !== undefined,
  };
  if (!sameState(before, await readCurrentState(client, parts, "once")))
    throw new TableChanged();
  const sender = new ChangeSender(client, parts, options.reopen);
  const run = new Run(sender, options);
  await run.stage(plan.build);
  await run.stage(plan.quiesce);
  if (!drain || plan.draining.length === 0) {
    await run.stage(plan.remove);
    return { done: run.done, skipped: [] };
  }
  const states = await run.attempt(drain);
  await run.checkSignal();
  const [empty, skipped] = splitRemovals(plan.remove, states);
  await run.stage(empty);
  return { done: run.done, skipped };
}

class Run {
  readonly done: Step[] = [];
  readonly #sender: ChangeSender;
  readonly #options: ExecuteOptions;

  constructor(sender: ChangeSender, options: ExecuteOptions) {
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
        return outcome &&
          outcome.kind !== "done" &&
          !isAlreadyGone(step.change, outcome.failure)
          ? [{ step, ...outcome }]
          : [];
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
          !isAlreadyGone(item.undo, outcome.failure)
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
    failure instanceof KernelRefusal &&
    (failure.errno === ENOENT || failure.errno === ESRCH)
  );
}

function* batchesOf<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += BATCH)
    yield items.slice(at, at + BATCH);
}

/** Splits removals into those of empty servers and those to skip. */
function splitRemovals(
  removals: readonly Step[],
  states: readonly DrainState[],
): readonly [Step[], SkippedRemoval[]] {
  const notDrained = new Map<string, SkippedRemoval["state"]>();
  for (const { service, server, state } of states)
    if (state === "busy" || state === "undrained")
      for (const name of [formatService(service), serverId(service, server)])
        // For a service with several servers, busy takes precedence.
        if (notDrained.get(name) !== "busy") notDrained.set(name, state);
  const empty: Step[] = [];
  const skipped: SkippedRemoval[] = [];
  for (const step of removals) {
    const state = notDrained.get(removedBy(step) ?? "");
    if (state) skipped.push({ step, state });
    else empty.push(step);
  }
  return [empty, skipped];
}

/** The service or server that a step removes. */
function removedBy({ change }: Step): string | undefined {
  if (change.command === "delete-service") return formatService(change.service);
  return change.command === "delete-server"
    ? serverId(change.service, change.server)
    : undefined;
}
