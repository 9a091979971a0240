import type { CurrentState } from "./current-state.js";
import type { DrainState } from "../ipvs/drain.js";
import { formatService } from "../ipvs/model.js";
import type { Plan } from "./plan.js";
import { TableChanged } from "./plan-failed.js";
import { ChangeSender, type PlanClient } from "./change-sender.js";
import { readCurrentState, sameState } from "./current-state.js";
import type { Step } from "./steps.js";
import { serverId } from "./server-id.js";
import { Transaction } from "./transaction.js";

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
  const transaction = new Transaction(sender, options);
  await transaction.stage(plan.build);
  await transaction.stage(plan.quiesce);
  if (!drain || plan.draining.length === 0) {
    await transaction.stage(plan.remove);
    return { done: transaction.done, skipped: [] };
  }
  const states = await transaction.attempt(drain);
  await transaction.checkSignal();
  const [empty, skipped] = splitRemovals(plan.remove, states);
  await transaction.stage(empty);
  return { done: transaction.done, skipped };
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
