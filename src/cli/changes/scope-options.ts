import type { OptionSpec, ArgumentSpec } from "../spec.js";

/** The file that diff, apply and restore are about. */
export const RULE_FILE: ArgumentSpec = {
  name: "FILE",
  required: true,
  description:
    "rules, JSON or YAML, as 'ipvsadm check' reads; - is standard input",
  completes: "file",
};

/** What of a file counts: diff and apply take the same, so that the one shows what the other does. */
export const SCOPE_OPTIONS: readonly OptionSpec[] = [
  {
    name: "no-prune",
    type: "flag",
    description:
      "leave services, real servers and sync daemons that are not in FILE",
  },
  {
    name: "only",
    type: "list",
    value: "SERVICE",
    description: "only these services, and neither timeouts nor sync daemons",
    completes: "service",
  },
  {
    name: "keep-weights",
    type: "flag",
    description: "leave the weights of real servers that are there already",
  },
];

/** How diff, apply and restore print. */
export const TEXT_OR_JSON: OptionSpec = {
  name: "output",
  alias: "o",
  type: "text",
  value: "FORMAT",
  choices: ["text", "json"],
  default: "text",
  description: "how to print it",
};
