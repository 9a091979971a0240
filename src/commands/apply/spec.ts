import { RULE_FILE, SCOPE_OPTIONS } from "../../cli/changes/scope-options.js";
import type { OptionSpec, SubcommandSpec } from "../../cli/spec.js";
import { TEXT_OR_JSON } from "../../cli/text-or-json.js";

/** Options of both apply and restore. */
export const APPLY_OPTIONS: readonly OptionSpec[] = [
  {
    name: "dry-run",
    type: "flag",
    description:
      "change nothing; print the ipvsadm commands that would make the changes",
  },
  {
    name: "backup",
    type: "text",
    value: "FILE",
    description:
      "first save the current table to FILE, for 'ipvsadm restore'; FILE must not exist",
    completes: "file",
  },
  {
    name: "wait",
    type: "duration",
    value: "TIME",
    description:
      "how long to wait while another ipvsadm is changing the table (default: not at all)",
  },
  TEXT_OR_JSON,
  {
    name: "quiet",
    alias: "q",
    type: "flag",
    description: "print nothing but errors and warnings",
  },
];

/** Paragraphs of the help of both. */
export const HOW_CHANGES_ARE_MADE = [
  "If the kernel refuses a change, or on ctrl-C, all changes are rolled back. The refused rule is shown with its line. Changes that cannot be rolled back are listed. Removals come last, because a service or server that is removed and added again loses its counters.",
  "A lock file, /run/ipvsadm-N.lock (N is the number of the network namespace), prevents apply, restore, drain and undrain from changing the table at the same time. If another program changes the table meanwhile, this is detected before the first change or after the last one.",
] as const;

export const applySpec: SubcommandSpec = {
  name: "apply",
  summary: "change the live table to match a file of rules",
  description: [
    "Compares FILE with the table and sends only the differences to the kernel. The order keeps live services available: new services and real servers first, then edits in place, then weights set to 0, then removals. Existing connections are kept, even if the scheduler changes. Timeouts and sync daemons are changed only if FILE contains them.",
    "Removing a real server breaks its connections. With --drain, its weight is set to 0 first, and it is removed when it is empty (see 'ipvsadm drain'). If it is not empty within --timeout, it keeps weight 0 and the exit status is 1; all other changes are made.",
    ...HOW_CHANGES_ARE_MADE,
  ],
  positionals: [RULE_FILE],
  options: [
    ...SCOPE_OPTIONS,
    {
      name: "drain",
      type: "flag",
      description: "drain real servers before they are removed",
    },
    {
      name: "timeout",
      type: "duration",
      value: "TIME",
      description:
        "how long --drain waits: 90s, 5m, 1h30m (default: until all are empty)",
    },
    ...APPLY_OPTIONS,
  ],
  examples: [
    {
      command: "ipvsadm apply --dry-run /etc/ipvsadm.rules",
      shows: "print the commands that would make the changes",
    },
    {
      command: "ipvsadm apply --backup /var/backups/ipvs.json web.yaml",
      shows: "save the current table, then apply web.yaml",
    },
    {
      command: "ipvsadm apply --drain --timeout 10m web.yaml",
      shows:
        "let connections to removed real servers finish, for up to 10 minutes",
    },
    {
      command: "ipvsadm apply --keep-weights web.yaml",
      shows: "apply everything but weights, which a health checker sets",
    },
  ],
};
