import type { Differences } from "../../plan/compare.js";
import type { CurrentState } from "../../plan/current-state.js";
import type { Plan } from "../../plan/plan.js";
import type { RuleFile } from "../../rules/rule-file.js";
import type { SelectedScope } from "../../cli/changes/scope.js";

/** What the command line asks for. */
export interface ApplyRequest {
  readonly subcommand: "apply" | "restore";
  readonly scope: SelectedScope;
  /** Undefined: real servers are removed without draining */
  readonly drain: { readonly timeoutSeconds: number | undefined } | undefined;
}

/** A file, the current state, and the plan from one to the other. */
export interface PreparedPlan {
  readonly subcommand: "apply" | "restore";
  readonly file: RuleFile;
  readonly current: CurrentState;
  readonly differences: Differences;
  readonly plan: Plan;
}
