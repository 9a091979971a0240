import type { Table } from "../../ipvs/table.js";
import {
  compare,
  isUpToDate,
  type Differences,
  type Scope,
} from "../../plan/compare.js";
import type { PlanClient } from "../../plan/change-sender.js";
import {
  readCurrentState,
  type CurrentState,
} from "../../plan/current-state.js";
import { executePlan } from "../../plan/execute-plan.js";
import { PlanFailed } from "../../plan/plan-failed.js";
import { makePlan } from "../../plan/plan.js";
import { checkRemovals, type RemovalLimits } from "../removals.js";
import type { DriftCounts } from "../director-state.js";

/** The agent's access to the kernel. */
export interface Kernel {
  /** The client; opened when it is first needed */
  open(): Promise<PlanClient>;
  /** Closes the client after a socket error; open() opens a new one */
  reset(): void;
  /** Takes the lock of the table. @throws {LockHeld} another process changes it */
  lock(): Disposable & { release(): void };
}

/** The table becomes what the revision describes. */
const WHOLE: Scope = { prune: true, keepWeights: false };

/** How the kernel differs from a table. */
export interface Comparison {
  readonly current: CurrentState;
  readonly differences: Differences;
}

/** Compares the kernel's table. Without differences, one reading is enough. @throws as the client does */
export async function compareWithKernel(
  client: PlanClient,
  desired: Table,
): Promise<Comparison> {
  const parts = {
    timeouts: desired.timeouts !== undefined,
    daemons: desired.daemons !== undefined,
  };
  const once = await readCurrentState(client, parts, "once");
  const differences = compare(desired, once, WHOLE);
  if (isUpToDate(differences)) return { current: once, differences };
  const current = await readCurrentState(client, parts, "steady");
  return { current, differences: compare(desired, current, WHOLE) };
}

/** What to apply, and how. */
export interface ApplyOptions {
  readonly limits: RemovalLimits;
  /** Reduces the differences to those that may be changed. Default: all */
  readonly select?: (differences: Differences) => Differences;
  /** Compare only */
  readonly dryRun: boolean;
  readonly signal: AbortSignal;
}

/** The result of an attempt to apply a table. */
export interface Applied {
  /** Whether anything was changed */
  readonly changed: boolean;
  /** What still differs afterwards */
  readonly remaining: Differences;
}

/** The change failed, and could not be rolled back completely: the table is neither the old nor the new one. */
export class RollbackIncomplete extends Error {
  override readonly name = "RollbackIncomplete";

  constructor(
    override readonly cause: unknown,
    readonly remaining: number,
  ) {
    super("not rolled back completely", { cause });
  }
}

/**
 * Changes the kernel's table to match, and reads back what the kernel has. If a change fails, all are rolled back.
 *
 * @throws {RevisionError} too much would be removed
 * @throws {PlanFailed} the table is as before
 * @throws {RollbackIncomplete}
 * @throws {TableChanged} {LockHeld} another program changes the table
 */
export async function applyTable(
  kernel: Kernel,
  desired: Table,
  { limits, select, dryRun, signal }: ApplyOptions,
): Promise<Applied> {
  const selected = (differences: Differences) =>
    select?.(differences) ?? differences;
  const first = await compareWithKernel(await kernel.open(), desired);
  const wished = selected(first.differences);
  if (!isUpToDate(wished))
    checkRemovals(desired, first.current, wished, limits);
  if (isUpToDate(wished) || dryRun)
    return { changed: false, remaining: first.differences };
  using lock = kernel.lock();
  const client = await kernel.open();
  const { current, differences } = await compareWithKernel(client, desired);
  const chosen = selected(differences);
  if (isUpToDate(chosen)) return { changed: false, remaining: differences };
  checkRemovals(desired, current, chosen, limits);
  try {
    await executePlan(client, makePlan(chosen, false), {
      before: current,
      reopen() {
        kernel.reset();
        return kernel.open();
      },
      signal,
    });
  } catch (error) {
    if (error instanceof PlanFailed) {
      const { notRolledBack, unknown } = error;
      const remaining = notRolledBack.length + unknown.length;
      if (remaining > 0) throw new RollbackIncomplete(error.cause, remaining);
    }
    throw error;
  }
  const after = await compareWithKernel(await kernel.open(), desired);
  lock.release();
  return { changed: true, remaining: after.differences };
}

/** How many services, servers and other settings differ. */
export function countDrift({
  services,
  timeouts,
  daemons,
}: Differences): DriftCounts {
  const counts = { add: 0, change: daemons.length, remove: 0 };
  if (timeouts) counts.change++;
  for (const one of services) {
    if (one.kind === "add") counts.add += 1 + one.servers.length;
    if (one.kind === "remove") counts.remove += 1 + one.service.servers.length;
    if (one.kind === "change") {
      if (one.to) counts.change++;
      for (const { kind } of one.servers) counts[kind]++;
    }
  }
  return counts;
}
