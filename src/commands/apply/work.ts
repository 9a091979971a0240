import type { Differences, Existing } from "../../plan/compare.js";
import type { Plan } from "../../plan/plan.js";
import type { RuleFile } from "../../rules/file.js";
import type { WantedScope } from "../../cli/changes/scope.js";

/** What is to be made of a file. */
export interface Wish {
  readonly subcommand: "apply" | "restore";
  readonly scope: WantedScope;
  /** Undefined: real servers that go are removed at once */
  readonly drain: { readonly timeoutSeconds: number | undefined } | undefined;
}

/** What is to be done. */
export interface Work {
  readonly subcommand: "apply" | "restore";
  readonly file: RuleFile;
  readonly existing: Existing;
  readonly differences: Differences;
  readonly plan: Plan;
}
