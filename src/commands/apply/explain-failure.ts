import { explain, type Explanation } from "../../cli/errors.js";
import type { Change } from "../../ipvs/change.js";
import { KernelRefusal } from "../../ipvs/errors.js";
import { PERSISTENCE_ENGINES, SCHEDULERS } from "../../ipvs/schedulers.js";
import { ENOENT } from "../../netlink/errno.js";
import type { PlanFailed } from "../../plan/plan-failed.js";
import type { Part } from "../../rules/rule-file.js";
import { nearest } from "../../text/nearest.js";

/** An explanation, and the part of the rule that it concerns. */
export interface FailureExplanation extends Explanation {
  readonly part?: Part;
}

/** Explains why a plan failed; undefined for an unexpected error, and for a signal. */
export function explainFailure({
  cause,
  step,
}: Pick<PlanFailed, "cause" | "step">): FailureExplanation | undefined {
  const explained = explain(cause);
  if (!explained || !step || !(cause instanceof KernelRefusal))
    return explained;
  const { change } = step;
  if (change.command !== "add-service" && change.command !== "edit-service")
    return explained;
  if (cause.errno !== ENOENT) return explained;
  const what = change.command === "add-service" ? "add" : "edit";
  return {
    ...explained,
    ...missingModule(change, `cannot ${what} service ${cause.subject}`),
  };
}

/** For a missing scheduler and a missing persistence engine, the kernel only says ENOENT. */
function missingModule(
  {
    settings: { scheduler, persistenceEngine = "" },
  }: Extract<Change, { command: "add-service" | "edit-service" }>,
  attempt: string,
): Pick<FailureExplanation, "fault" | "advice" | "part"> {
  const engineIsWrong =
    persistenceEngine !== "" &&
    SCHEDULERS.has(scheduler) &&
    !PERSISTENCE_ENGINES.has(persistenceEngine);
  const [kind, name, known, part] = engineIsWrong
    ? ([
        "persistence engine",
        persistenceEngine,
        PERSISTENCE_ENGINES,
        "engine",
      ] as const)
    : (["scheduler", scheduler, SCHEDULERS, "scheduler"] as const);
  const module = engineIsWrong ? `ip_vs_pe_${name}` : `ip_vs_${name}`;
  const similar = known.has(name) ? undefined : nearest(name, known.keys());
  return {
    fault: `${attempt}: unknown ${kind} "${name}"`,
    advice:
      similar === undefined
        ? `the kernel has no module ${module}`
        : `did you mean ${similar}?`,
    part,
  };
}
