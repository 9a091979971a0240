import type { SubcommandSpec } from "../../cli/spec.js";

export const helpSpec: SubcommandSpec = {
  name: "help",
  summary: "list the subcommands, or describe one of them",
  description: [
    "Lists the subcommands, or describes one of them, as 'ipvsadm SUBCOMMAND --help' does. 'ipvsadm --help' describes the classic options.",
  ],
  positionals: [
    {
      name: "SUBCOMMAND",
      required: false,
      description: "the subcommand to describe",
      completes: "subcommand",
    },
    {
      name: "ACTION",
      required: false,
      description: "the action to describe, of a subcommand that has actions",
    },
  ],
  options: [],
  examples: [
    { command: "ipvsadm help", shows: "the list of subcommands" },
    { command: "ipvsadm help status", shows: "the help of 'ipvsadm status'" },
  ],
};
