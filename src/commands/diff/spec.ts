import { RULE_FILE, SCOPE_OPTIONS } from "../../cli/changes/scope-options.js";
import type { SubcommandSpec } from "../../cli/spec.js";
import { TEXT_OR_JSON } from "../../cli/text-or-json.js";

export const diffSpec: SubcommandSpec = {
  name: "diff",
  summary: "show what 'apply' would change",
  description: [
    "Compares FILE with the table and prints what 'ipvsadm apply' with the same options would change, by service and real server: + is added, - is removed, ~ is changed. Timeouts and sync daemons are compared only if FILE contains them.",
    "The comparison is by effect, not by spelling. A default that is written out is no difference, and neither is a setting without effect, such as a persistence timeout without persistence.",
    "FILE can also be the configuration of keepalived or ldirectord, such as /etc/keepalived/keepalived.conf. diff then tells whether the last reload reached the kernel. Health checks also change the table: a server whose check fails is removed, or gets weight 0, and a sorry server or fallback server takes over. Such differences are listed separately. They do not count as differences, unless --strict is given.",
    "A new server that has a check looks like one whose check fails. So diff looks, as root, at the configuration that the running keepalived has read. A server that keepalived has not read is a difference, and diff says that the reload is missing. If it cannot read that, it says how to find out. ldirectord keeps no copy of what it has read, so diff cannot tell.",
    "The exit status is 0 if the table is up to date, and 4 if it differs.",
  ],
  positionals: [
    {
      ...RULE_FILE,
      description:
        "the desired state as rules, JSON or YAML, or a configuration of keepalived or ldirectord; - is standard input",
    },
  ],
  options: [
    ...SCOPE_OPTIONS,
    {
      name: "strict",
      type: "flag",
      description: "also count what health checks can have changed",
    },
    TEXT_OR_JSON,
  ],
  examples: [
    {
      command: "ipvsadm diff /etc/ipvsadm.rules",
      shows: "compare the table with a file of rules",
    },
    {
      command: "ipvsadm diff --only tcp/192.0.2.1:80 web.yaml",
      shows: "compare one service",
    },
    {
      command: "ipvsadm diff --no-prune --keep-weights web.yaml",
      shows: "show only additions and edits, without weights",
    },
    {
      command: "ipvsadm diff /etc/keepalived/keepalived.conf",
      shows: "check whether keepalived has loaded its configuration",
    },
  ],
};
