import type { VerbRow } from "../row.js";

export const helpVerb: VerbRow = {
  name: "help",
  summary: "what the verbs are, and how one is used",
  description: [
    "Lists the verbs, or shows how one of them is used, as 'ipvsadm VERB --help' does.",
    "The commands that begin with a dash are in 'ipvsadm --help'.",
  ],
  positionals: [
    {
      name: "VERB",
      required: false,
      description: "the verb to show",
      completes: "verb",
    },
  ],
  options: [],
  examples: [
    { command: "ipvsadm help", shows: "the verbs" },
    { command: "ipvsadm help status", shows: "the options of one of them" },
  ],
  load: () => import("./run.js"),
};
