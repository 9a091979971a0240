import { CARRY_DESCRIPTION, CARRY_OPTIONS } from "../apply/spec.js";
import { RULE_FILE } from "../../cli/changes/scope-options.js";
import type { SubcommandSpec } from "../../cli/spec.js";

export const restoreSpec: SubcommandSpec = {
  name: "restore",
  summary: "make the table as it was saved, live",
  description: [
    "Makes the table exactly what a file says that 'ipvsadm save', 'ipvsadm apply --backup' or ipvsadm-save has written: services and real servers that are not in it go, even if it has none at all; timeouts and sync daemons become what it says, and stay if it does not speak of them.",
    "It is 'ipvsadm apply' without options that narrow it, and works as that does: only what differs is sent, edits are made in place, and there is no moment without services.",
    ...CARRY_DESCRIPTION,
  ],
  positionals: [RULE_FILE],
  options: CARRY_OPTIONS,
  examples: [
    {
      command: "ipvsadm restore /var/backups/ipvs.json",
      shows: "brings back what 'apply --backup' kept",
    },
    {
      command: "ipvsadm save -o json | ssh backup ipvsadm restore -",
      shows: "gives another director the same table",
    },
  ],
};
