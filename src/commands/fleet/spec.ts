import type { SubcommandSpec } from "../../cli/spec.js";
import { ACTIONS } from "./actions.js";

/** The subcommand without an action. The specs of the actions are in specs.ts, which only fleet loads. */
export const fleetSpec: SubcommandSpec = {
  name: "fleet",
  summary: "keep the tables of many directors as published",
  description: [
    "Keeps the tables of many directors in etcd. 'fleet publish' stores a table as a new revision. 'fleet agent' runs on each director: it applies the released revision, reads back what the kernel has, and reports. 'fleet status' shows all directors.",
    "If etcd cannot be reached, the tables stay as they are.",
    "'ipvsadm fleet ACTION --help' describes an action.",
  ],
  positionals: [
    {
      name: "ACTION",
      required: true,
      choices: ACTIONS.map(([name]) => name),
      description: "what to do",
    },
  ],
  options: [],
  terms: [{ title: "Actions", terms: ACTIONS }],
  examples: [
    {
      command: "ipvsadm fleet publish web web.yaml -m 'add 10.0.0.13'",
      shows: "store web.yaml as the next revision of the table web",
    },
    {
      command: "ipvsadm fleet status",
      shows: "show which directors have applied it",
    },
  ],
};
