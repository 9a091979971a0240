import type { OptionSpec } from "./spec.js";

/** The output option of subcommands that print text or JSON. */
export const TEXT_OR_JSON: OptionSpec = {
  name: "output",
  alias: "o",
  type: "text",
  value: "FORMAT",
  choices: ["text", "json"],
  default: "text",
  description: "output format",
};
