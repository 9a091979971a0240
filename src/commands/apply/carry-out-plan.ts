import { executePlan, type PlanResult } from "../../plan/execute-plan.js";
import type { IpvsClient } from "../../ipvs/client.js";
import { compare, isUpToDate } from "../../plan/compare.js";
import { TableUnsteady } from "../../ipvs/errors.js";
import { PlanFailed } from "../../plan/plan-failed.js";
import { allSteps } from "../../plan/plan.js";
import { readCurrentState } from "../../plan/current-state.js";
import { partsOf } from "../../cli/changes/scope.js";
import { waitWithProgress } from "../drain/wait-until-empty.js";
import { EXIT } from "../../cli/exit-status.js";
import type { Invocation } from "../../cli/invocation.js";
import { reportDone, reportFailed, reportMismatch } from "./apply-report.js";
import { KernelConnection } from "./kernel-connection.js";
import type { Interrupt } from "../../cli/interrupt.js";
import type { ApplyRequest, PreparedPlan } from "./apply-request.js";

/** Carries out the plan, checks that the table matches the file afterwards, and reports. @returns the exit status */
export async function carryOutPlan(
  client: IpvsClient,
  prepared: PreparedPlan,
  request: ApplyRequest,
  call: Invocation,
  interrupt: Interrupt,
): Promise<number> {
  using connection = new KernelConnection(call.io, client);
  let result: PlanResult;
  try {
    result = await executeWithProgress(
      connection,
      prepared,
      request,
      call,
      interrupt,
    );
  } catch (error) {
    if (!(error instanceof PlanFailed)) throw error;
    return reportFailed(prepared, error, interrupt.caught, call);
  }
  reportDone(prepared, result, call);
  const matches = await matchesFile(
    connection.client,
    prepared,
    request,
    result,
  );
  if (!matches) reportMismatch(prepared, call);
  return matches && result.skipped.length === 0 ? EXIT.ok : EXIT.failed;
}

async function executeWithProgress(
  connection: KernelConnection,
  { current, plan }: PreparedPlan,
  { drain }: ApplyRequest,
  call: Invocation,
  { signal }: Interrupt,
): Promise<PlanResult> {
  const { progress } = call;
  const total = allSteps(plan).length;
  let done = 0;
  progress.begin(() => `changing: ${done} of ${total}`);
  try {
    return await executePlan(connection.client, plan, {
      before: current,
      reopen: () => connection.reopen(),
      signal,
      report(count) {
        done = count;
        progress.step();
      },
      ...(drain && {
        drain: async () => {
          const { timeoutSeconds } = drain;
          const { draining } = plan;
          const { client } = connection; // a new one, if it was reopened
          return (
            await waitWithProgress(client, draining, timeoutSeconds, call)
          ).servers;
        },
      }),
    });
  } finally {
    progress.end();
  }
}

/** Whether the table matches the file, apart from skipped removals. */
async function matchesFile(
  client: IpvsClient,
  { file: { table } }: PreparedPlan,
  { scope }: ApplyRequest,
  { skipped }: PlanResult,
): Promise<boolean> {
  try {
    const parts = partsOf(table, scope);
    const current = await readCurrentState(client, parts, "steady");
    const prune = scope.prune && skipped.length === 0;
    return isUpToDate(compare(table, current, { ...scope, prune }));
  } catch (error) {
    if (error instanceof TableUnsteady) return false;
    throw error;
  }
}
