import { HOW_CHANGES_ARE_MADE, APPLY_OPTIONS } from "../apply/spec.js";
import { RULE_FILE } from "../../cli/changes/scope-options.js";
import type { SubcommandSpec } from "../../cli/spec.js";

export const restoreSpec: SubcommandSpec = {
  name: "restore",
  summary: "restore a saved table, without an interruption",
  description: [
    "Changes the table to exactly what FILE contains. FILE was written by 'ipvsadm save', 'ipvsadm apply --backup' or ipvsadm-save. Services and real servers that are not in FILE are removed, even if FILE contains none at all. Timeouts and sync daemons are changed only if FILE contains them.",
    "Like 'ipvsadm apply', it sends only the differences and edits in place, so that live services stay available. Unlike ipvsadm-restore, it does not clear the table first.",
    ...HOW_CHANGES_ARE_MADE,
  ],
  positionals: [RULE_FILE],
  options: APPLY_OPTIONS,
  examples: [
    {
      command: "ipvsadm restore /var/backups/ipvs.json",
      shows: "return to the table that 'apply --backup' saved",
    },
    {
      command: "ipvsadm save -o json | ssh backup ipvsadm restore -",
      shows: "copy the table to another director",
    },
  ],
};
