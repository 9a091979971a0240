import type { SubcommandSpec } from "../../cli/spec.js";

export const helpSpec: SubcommandSpec = {
  name: "help",
  summary: "what the subcommands are, and how one is used",
  description: [
    "Lists the subcommands, or shows how one of them is used, as 'ipvsadm SUBCOMMAND --help' does.",
    "The commands that begin with a dash are in 'ipvsadm --help'.",
  ],
  positionals: [
    {
      name: "SUBCOMMAND",
      required: false,
      description: "the subcommand to show",
      completes: "subcommand",
    },
  ],
  options: [],
  examples: [
    { command: "ipvsadm help", shows: "the subcommands" },
    { command: "ipvsadm help status", shows: "the options of one of them" },
  ],
};
