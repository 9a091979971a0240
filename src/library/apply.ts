import type { Change } from "../ipvs/change.js";
import type { IpvsClient } from "../ipvs/client.js";
import type { ServerKey, ServiceKey } from "../ipvs/model.js";
import type { Table } from "../ipvs/table.js";
import type { Plan } from "../plan/plan.js";
import type { CurrentState } from "../plan/current-state.js";
import { LOCK_FIELDS, locked, type LockOptions } from "./locked.js";
import { callback, checkCall, flag, object, optional, such } from "./shape.js";
import { CLIENT, SECONDS, TABLE } from "./shapes.js";
import { abortSignal } from "./abort-signal.js";

/**
 * Which differences between the desired and the current table count.
 *
 * @since 0.2.0
 */
export interface PlanOptions {
  /** Whether to remove services and servers that the desired table does not have; by default true */
  readonly prune?: boolean | undefined;
  /** Whether existing real servers keep their current weights; by default false */
  readonly keepWeights?: boolean | undefined;
  /**
   * Limits the plan to the services for which it returns true. Timeouts and sync daemons are then
   * ignored
   */
  readonly only?: ((service: ServiceKey) => boolean) | undefined;
  /**
   * Whether to set the weight of a server to 0, and to wait until it is empty, before it is removed;
   * by default false
   */
  readonly drain?: boolean | undefined;
}

/**
 * How to carry out a plan.
 *
 * @since 0.2.0
 */
export interface ApplyOptions extends LockOptions {
  /** How long to wait for servers to drain, in seconds; by default without limit */
  readonly drainSeconds?: number | undefined;
  /** Is called with the number of changes that have been made */
  readonly report?: ((done: number) => void) | undefined;
}

/**
 * A real server that was not removed.
 *
 * @since 0.2.0
 */
export interface KeptServer {
  /** The virtual service */
  readonly service: ServiceKey;
  /** The real server; undefined for a service with all its servers */
  readonly server?: ServerKey | undefined;
  /** `busy`: it has connections. `undrained`: another program set its weight */
  readonly reason: "busy" | "undrained";
}

/**
 * What a plan did.
 *
 * @since 0.2.0
 */
export interface ApplyResult {
  /** The changes that were made, in order */
  readonly made: readonly Change[];
  /** What was not removed, because it did not drain in time. Its weight stays 0 */
  readonly kept: readonly KeptServer[];
}

/** How a plan is carried out; made by {@link planTable}. */
type CarryOut = (options: ApplyOptions) => Promise<ApplyResult>;

/**
 * The changes that make the table of the kernel equal to a desired table, in an order that keeps
 * services working. {@link planTable} makes one.
 *
 * @since 0.2.0
 */
export class TablePlan {
  readonly #carryOut: CarryOut;
  /** The changes, in order. Empty if the table is up to date */
  readonly changes: readonly Change[];

  /** Plans are made by {@link planTable}. */
  constructor(changes: readonly Change[], carryOut: CarryOut) {
    this.changes = changes;
    this.#carryOut = carryOut;
  }

  /**
   * Makes the changes, under the lock of `ipvsadm apply`. If one fails, all are rolled back. Existing
   * connections are kept, except those to removed servers.
   *
   * @throws {TableChanged} if another program changed the table since the plan was made. Nothing was
   *   changed
   * @throws {PlanFailed} if a change failed or the signal stopped the work. `notRolledBack` lists
   *   what could not be rolled back
   * @throws {LockHeld} if another process holds the lock
   * @throws {LockFailed} if the lock cannot be created
   * @throws {InvalidArgument} if an option is wrong
   * @since 0.2.0
   */
  async apply(options: ApplyOptions = {}): Promise<ApplyResult> {
    checkCall("TablePlan.apply", [
      "options",
      options,
      object("options", {
        ...LOCK_FIELDS,
        drainSeconds: optional(SECONDS),
        report: optional(callback),
      }),
    ]);
    return locked(options, () => this.#carryOut(options));
  }
}

const PLAN_OPTIONS = object("options", {
  prune: optional(flag),
  keepWeights: optional(flag),
  only: optional(callback),
  drain: optional(flag),
});

/**
 * Compares a desired table with the table of the kernel, and plans the changes. Changes nothing.
 *
 * @param ipvs the client; the plan uses it, too
 * @param table the desired table, such as {@link parseRules} returns. Absent timeouts and sync daemons
 *   stay as they are. A table that is marked `partial` can be used with `prune: false` only
 * @throws {TableUnsteady} if the table changes all the time
 * @throws {InvalidArgument} if an argument is wrong
 * @since 0.2.0
 */
export async function planTable(
  ipvs: IpvsClient,
  table: Table,
  options: PlanOptions = {},
): Promise<TablePlan> {
  checkCall(
    "planTable",
    ["ipvs", ipvs, CLIENT],
    ["table", table, TABLE],
    ["options", options, PLAN_OPTIONS],
  );
  const { prune = true, keepWeights = false, only, drain = false } = options;
  checkCall("planTable", [
    "table.partial",
    table.partial,
    such(
      "a whole table; or use prune: false",
      (value) => value !== true || !prune,
    ),
  ]);
  const [{ compare }, { readCurrentState }, { allSteps, makePlan }] =
    await Promise.all([
      import("../plan/compare.js"),
      import("../plan/current-state.js"),
      import("../plan/plan.js"),
    ]);
  const parts = {
    timeouts: table.timeouts !== undefined && !only,
    daemons: table.daemons !== undefined && !only,
  };
  const before = await readCurrentState(ipvs, parts, "steady");
  const scope = { prune, keepWeights, ...(only && { only }) };
  const plan = makePlan(compare(table, before, scope), drain);
  const changes = allSteps(plan).map(({ change }) => change);
  return new TablePlan(changes, (how) =>
    carryOut(ipvs, plan, before, drain, how),
  );
}

async function carryOut(
  ipvs: IpvsClient,
  plan: Plan,
  before: CurrentState,
  drain: boolean,
  { signal, drainSeconds, report }: ApplyOptions,
): Promise<ApplyResult> {
  const { executePlan } = await import("../plan/execute-plan.js");
  const { waitUntilDrained } = await import("../ipvs/drain.js");
  const { systemClock } = await import("../system/clock.js");
  const { done, skipped } = await executePlan(ipvs, plan, {
    before,
    signal: abortSignal(signal),
    ...(report && { report }),
    ...(drain && {
      drain: async () =>
        (
          await waitUntilDrained(ipvs, plan.draining, {
            pollSeconds: 1,
            timeoutSeconds: drainSeconds,
            signal: abortSignal(signal),
            clock: systemClock,
          })
        ).servers,
    }),
  });
  return {
    made: done.map(({ change }) => change),
    kept: skipped.flatMap(({ step: { change }, state }) =>
      "service" in change && change.service
        ? [
            {
              service: change.service,
              server: "server" in change ? change.server : undefined,
              reason: state,
            },
          ]
        : [],
    ),
  };
}
