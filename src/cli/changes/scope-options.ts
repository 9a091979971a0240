import type { OptionSpec, ArgumentSpec } from "../spec.js";

/** The FILE argument of diff, apply and restore. */
export const RULE_FILE: ArgumentSpec = {
  name: "FILE",
  required: true,
  description: "the desired state as rules, JSON or YAML; - is standard input",
  completes: "file",
};

/** Options that limit what is compared. diff and apply share them, so that diff shows what apply would do. */
export const SCOPE_OPTIONS: readonly OptionSpec[] = [
  {
    name: "no-prune",
    type: "flag",
    description:
      "do not remove services, real servers and sync daemons that are not in FILE",
  },
  {
    name: "only",
    type: "list",
    value: "SERVICE",
    description: "only these services; timeouts and sync daemons are ignored",
    completes: "service",
  },
  {
    name: "keep-weights",
    type: "flag",
    description: "keep the current weights of existing real servers",
  },
];
