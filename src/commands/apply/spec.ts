import {
  RULE_FILE,
  SCOPE_OPTIONS,
  TEXT_OR_JSON,
} from "../../cli/changes/scope-options.js";
import type { OptionSpec, SubcommandSpec } from "../../cli/spec.js";

/** What apply and restore have in common. */
export const CARRY_OPTIONS: readonly OptionSpec[] = [
  {
    name: "dry-run",
    type: "flag",
    description:
      "change nothing, print the commands of ipvsadm that would do it",
  },
  {
    name: "backup",
    type: "text",
    value: "FILE",
    description:
      "before anything is changed, write the table as it is to this new file, which 'ipvsadm restore' reads",
    completes: "file",
  },
  {
    name: "wait",
    type: "duration",
    value: "TIME",
    description: "wait so long for another ipvsadm that is changing the table",
  },
  TEXT_OR_JSON,
];

/** How both go about it. */
export const CARRY_DESCRIPTION = [
  "If the kernel refuses a change, or ctrl-C comes, all that was done is put back, and the refused rule is shown with its line; what cannot be put back is named. Removals come last, for the counters of what is removed and put back begin anew.",
  "A lock, ipvsadm-N.lock in /run (N is the number of the network namespace), keeps apply and restore from each other. A table that somebody else changes meanwhile is noticed, before the first change or after the last.",
] as const;

export const applySpec: SubcommandSpec = {
  name: "apply",
  summary: "make the table as a file of rules has it, live",
  description: [
    "Compares a file of rules with the table, and sends the kernel what differs, and nothing else, in an order that takes no live service away: new services and real servers, then edits in place, then weights to 0, then removals. Connections live on, also when a scheduler changes. Timeouts and sync daemons change if FILE speaks of them.",
    "Of a real server that is removed, connections break. With --drain it gets weight 0 first, and is removed when it is empty, as 'ipvsadm drain' has it; if it is not in the time of --timeout, it stays at weight 0 (exit status 1), while all else is done.",
    ...CARRY_DESCRIPTION,
  ],
  positionals: [RULE_FILE],
  options: [
    ...SCOPE_OPTIONS,
    {
      name: "drain",
      type: "flag",
      description: "remove real servers only when they are empty",
    },
    {
      name: "timeout",
      type: "duration",
      value: "TIME",
      description:
        "wait at most so long for real servers to drain: 90s, 5m, 1h30m",
    },
    ...CARRY_OPTIONS,
  ],
  examples: [
    {
      command: "ipvsadm apply --dry-run /etc/ipvsadm.rules",
      shows: "the commands that would make the table as the file has it",
    },
    {
      command: "ipvsadm apply --backup /var/backups/ipvs.json web.yaml",
      shows: "does it, and keeps the table that was there before",
    },
    {
      command: "ipvsadm apply --drain --timeout 10m web.yaml",
      shows: "lets the real servers that go finish their work",
    },
    {
      command: "ipvsadm apply --keep-weights web.yaml",
      shows: "does not interfere with whoever sets weights by health",
    },
  ],
};
