import {
  RULE_FILE,
  SCOPE_OPTIONS,
  TEXT_OR_JSON,
} from "../../cli/changes/scope-options.js";
import type { SubcommandSpec } from "../../cli/spec.js";

export const diffSpec: SubcommandSpec = {
  name: "diff",
  summary: "what 'apply' of a file of rules would change",
  description: [
    "Compares a file of rules with the table, and prints what 'ipvsadm apply' with the same options would change: + comes, - goes, ~ changes, each by service and real server. Timeouts and sync daemons count if FILE speaks of them.",
    "What the kernel makes of a rule counts, not how it is written: a default that is spelt out is no difference, nor is a setting without effect, such as a persistence timeout without persistence.",
    "Exits with status 0 if nothing would change, and with 4 if something would.",
  ],
  positionals: [RULE_FILE],
  options: [...SCOPE_OPTIONS, TEXT_OR_JSON],
  examples: [
    {
      command: "ipvsadm diff /etc/ipvsadm.rules",
      shows: "what differs between the file and the table",
    },
    {
      command: "ipvsadm diff --only tcp/192.0.2.1:80 web.yaml",
      shows: "the same for one service",
    },
    {
      command: "ipvsadm diff --no-prune --keep-weights web.yaml",
      shows: "what would be added or edited, while weights and all else stay",
    },
  ],
};
