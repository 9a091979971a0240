import { ENOENT, ESRCH } from "../netlink/errno.js";
import type { Change } from "../ipvs/change.js";
import type { Existing } from "./compare.js";
import type { DrainState } from "../ipvs/drain.js";
import { KernelRefusal } from "../ipvs/errors.js";
import {
  formatEndpoint,
  formatService,
  type ServerKey,
  type ServiceKey,
} from "../ipvs/model.js";
import type { Plan } from "./plan.js";
import { PlanFailed, TableChanged, type Standing } from "./plan-failed.js";
import { Sender, type Changeable } from "./sender.js";
import { readExisting, sameExisting } from "./snapshot.js";
import type { Step } from "./steps.js";

/** So many changes go to the kernel in one go; what it refuses among them is known when all have been tried. */
const BATCH = 1024;

export interface CarryOutOptions {
  /** What the plan was made for. What it has of timeouts and daemons is looked at again, too. */
  readonly before: Existing;
  /** Gives another client when the socket of the first has failed. */
  readonly reopen?: () => Promise<Changeable>;
  /** Waits until the plan's draining servers are empty. @returns how they stand then */
  readonly drain?: () => Promise<readonly DrainState[]>;
  /** Is told how many steps have been carried out. */
  readonly report?: (done: number) => void;
  /** Has everything put back. */
  readonly signal?: AbortSignal;
}

/** What came of a plan. */
export interface CarriedOut {
  /** What was carried out */
  readonly done: readonly Step[];
  /** Removals that were not begun, as real servers were not to be removed yet */
  readonly left: readonly Left[];
}

/** A removal that was not begun. */
export interface Left {
  readonly step: Step;
  /** Why: the real server has connections, or somebody gave it a weight again. Of a service: busy if one of its servers is */
  readonly state: "busy" | "undrained";
}

/**
 * Carries out a plan wholly or not at all: at the first refusal, everything that was done is taken back.
 *
 * What is put back after it was removed begins anew: its counters are zero.
 *
 * @throws {TableChanged} before the first change, if the table is not what the plan was made for
 * @throws {PlanFailed} when something was refused, or the signal was given
 */
export async function carryOut(
  client: Changeable,
  plan: Plan,
  options: CarryOutOptions,
): Promise<CarriedOut> {
  const { before, drain } = options;
  const parts = {
    timeouts: before.timeouts !== undefined,
    daemons: before.daemons !== undefined,
  };
  if (!sameExisting(before, await readExisting(client, parts, "once")))
    throw new TableChanged();
  const sender = new Sender(client, parts, options.reopen);
  const run = new Run(sender, options);
  await run.stage(plan.build);
  await run.stage(plan.quiesce);
  if (!drain || plan.draining.length === 0) {
    await run.stage(plan.remove);
    return { done: run.done, left: [] };
  }
  const states = await run.attempt(drain);
  await run.heedSignal();
  const [empty, left] = divided(plan.remove, states);
  await run.stage(empty);
  return { done: run.done, left };
}

class Run {
  readonly done: Step[] = [];
  readonly #sender: Sender;
  readonly #options: CarryOutOptions;

  constructor(sender: Sender, options: CarryOutOptions) {
    this.#sender = sender;
    this.#options = options;
  }

  /** Carries out steps, or puts everything back. @throws {PlanFailed} */
  async stage(steps: readonly Step[]): Promise<void> {
    for (const batch of inBatches(steps)) {
      await this.heedSignal();
      const changes = batch.map(({ change }) => change);
      const fates = await this.attempt(() => this.#sender.send(changes));
      const failures = batch.flatMap((step, i) => {
        const fate = fates[i];
        if (fate?.kind === "done") this.done.push(step);
        return fate &&
          fate.kind !== "done" &&
          !isGone(step.change, fate.failure)
          ? [{ step, ...fate }]
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

  /** Does something; if that fails, everything is put back. @throws {PlanFailed} */
  async attempt<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (error) {
      return this.#fail(error, undefined, []);
    }
  }

  /** Puts everything back if the signal was given. @throws {PlanFailed} */
  async heedSignal(): Promise<void> {
    const { signal } = this.#options;
    if (signal?.aborted) await this.#fail(signal.reason, undefined, []);
  }

  async #fail(
    cause: unknown,
    step: Step | undefined,
    unknown: readonly Step[],
  ): Promise<never> {
    const standing = await this.#undo();
    throw new PlanFailed(cause, step, this.done, standing, unknown);
  }

  async #undo(): Promise<Standing[]> {
    const undoing = this.done
      .toReversed()
      .flatMap((step) => step.undo.map((undo) => ({ step, undo })));
    const standing: Standing[] = [];
    for (const batch of inBatches(undoing)) {
      const fates = await this.#sender.send(batch.map(({ undo }) => undo));
      for (const [i, item] of batch.entries()) {
        const fate = fates[i];
        if (fate && fate.kind !== "done" && !isGone(item.undo, fate.failure))
          standing.push({ ...item, failure: fate.failure });
      }
    }
    return standing;
  }
}

/** Whether what a change was to take away is not there any more. */
function isGone({ command }: Change, failure: Error): boolean {
  return (
    (command === "delete-service" || command === "delete-server") &&
    failure instanceof KernelRefusal &&
    (failure.errno === ENOENT || failure.errno === ESRCH)
  );
}

function* inBatches<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < items.length; at += BATCH)
    yield items.slice(at, at + BATCH);
}

/** Removals that may be carried out, and those that would take away real servers which are not empty. */
function divided(
  removals: readonly Step[],
  states: readonly DrainState[],
): readonly [Step[], Left[]] {
  const kept = new Map<string, Left["state"]>();
  for (const { service, server, state } of states)
    if (state === "busy" || state === "undrained")
      for (const name of [formatService(service), nameOf(service, server)])
        // A service with connections is waited for, whatever else is with it.
        if (kept.get(name) !== "busy") kept.set(name, state);
  const empty: Step[] = [];
  const left: Left[] = [];
  for (const step of removals) {
    const state = kept.get(removedBy(step) ?? "");
    if (state) left.push({ step, state });
    else empty.push(step);
  }
  return [empty, left];
}

/** What a step takes away, if it is a service or a server. */
function removedBy({ change }: Step): string | undefined {
  if (change.command === "delete-service") return formatService(change.service);
  return change.command === "delete-server"
    ? nameOf(change.service, change.server)
    : undefined;
}

function nameOf(service: ServiceKey, { address, port }: ServerKey): string {
  return `${formatService(service)} ${formatEndpoint(address, port)}`;
}
