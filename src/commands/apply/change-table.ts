import { carryOut, type CarriedOut } from "../../plan/execute.js";
import type { IpvsClient } from "../../ipvs/client.js";
import { compare, isEqual } from "../../plan/compare.js";
import { TableUnsteady } from "../../ipvs/errors.js";
import { PlanFailed } from "../../plan/plan-failed.js";
import { stepsOf } from "../../plan/plan.js";
import { readExisting } from "../../plan/snapshot.js";
import { partsOf } from "../../cli/changes/scope.js";
import { waitWithProgress } from "../drain/wait-until-empty.js";
import { EXIT } from "../../cli/exit-status.js";
import type { Invocation } from "../../cli/invocation.js";
import { reportDone, reportFailed, reportOthers } from "./report.js";
import { Connection } from "./connection.js";
import type { Signals } from "./signals.js";
import type { Wish, Work } from "./work.js";

/** Carries out what is to be done, looks whether the table is as it was wanted, and says so. @returns the exit status */
export async function changeTable(
  client: IpvsClient,
  work: Work,
  wish: Wish,
  call: Invocation,
  signals: Signals,
): Promise<number> {
  using connection = new Connection(call.io, client);
  let outcome: CarriedOut;
  try {
    outcome = await carryOutWithProgress(connection, work, wish, call, signals);
  } catch (error) {
    if (!(error instanceof PlanFailed)) throw error;
    return reportFailed(work, error, signals.caught, call);
  }
  reportDone(work, outcome, call);
  const asWanted = await isAsWanted(connection.client, work, wish, outcome);
  if (!asWanted) reportOthers(work, call);
  return asWanted && outcome.left.length === 0 ? EXIT.ok : EXIT.failed;
}

async function carryOutWithProgress(
  connection: Connection,
  { existing, plan }: Work,
  { drain }: Wish,
  call: Invocation,
  { signal }: Signals,
): Promise<CarriedOut> {
  const { progress } = call;
  const total = stepsOf(plan).length;
  let done = 0;
  progress.begin(() => `changing: ${done} of ${total}`);
  try {
    return await carryOut(connection.client, plan, {
      before: existing,
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
          const { client } = connection; // which may be another by now
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

/** Whether all that is wanted is there, and nothing else but what waits to become empty. */
async function isAsWanted(
  client: IpvsClient,
  { file: { table } }: Work,
  { scope }: Wish,
  { left }: CarriedOut,
): Promise<boolean> {
  try {
    const parts = partsOf(table, scope);
    const existing = await readExisting(client, parts, "steady");
    const prune = scope.prune && left.length === 0;
    return isEqual(compare(table, existing, { ...scope, prune }));
  } catch (error) {
    if (error instanceof TableUnsteady) return false;
    throw error;
  }
}
