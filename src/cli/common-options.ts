import type { OptionSpec, SubcommandSpec } from "./spec.js";

/** The options that every subcommand takes. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  {
    name: "color",
    value: "WHEN",
    type: "text",
    choices: ["auto", "always", "never"],
    default: "auto",
    description:
      "colors: auto where stdout is a terminal, unless NO_COLOR is set or TERM is dumb",
  },
  { name: "help", alias: "h", type: "flag", description: "show this text" },
];

/** All options that a subcommand takes: its own, then those of every subcommand. */
export function optionsOf(row: SubcommandSpec): readonly OptionSpec[] {
  return [...row.options, ...COMMON_OPTIONS];
}
