import type { SubcommandSpec } from "../../../cli/spec.js";
import { summaryOf } from "../actions.js";
import { CONNECTION_OPTIONS } from "../connection-options.js";

/** Where an agent keeps its copy by default. */
export const COPY_FILE = "/var/lib/ipvsadm/fleet.json";

export const agentSpec: SubcommandSpec = {
  name: "fleet agent",
  summary: summaryOf("agent"),
  description: [
    "Runs on a director until it gets a signal. It applies the released revision of its table: it fetches it, checks the hash and the rules, changes what differs, rolls back if the kernel refuses a change, and reads back what the kernel has. It reports to etcd.",
    "If etcd cannot be reached, the table stays as it is. A copy on disk is applied after a reboot, before etcd answers. Nothing is removed because a key is missing in etcd.",
    "A revision that removes all services, or more real servers than --max-removals, is refused, unless it was published with --allow-empty or --force. A real server whose weight becomes 0 counts as removed, unless it is drained.",
    "The agent reads the table again regularly. If another program changed it, the agent reports drift; with --heal, it takes the change back. Servers that are drained, here or by 'fleet drain', keep weight 0.",
    "The agent writes a line to standard output for each thing that happens. With systemd, it sends READY, STATUS and WATCHDOG.",
  ],
  positionals: [],
  options: [
    {
      name: "table",
      type: "text",
      value: "NAME",
      description: "the table to apply (default: director.table of --config)",
    },
    {
      name: "director",
      type: "text",
      value: "NAME",
      description:
        "the name of this director (default: director.name of --config, the CN of --cert, the host name)",
    },
    {
      name: "label",
      alias: "l",
      type: "list",
      value: "KEY=VALUE",
      description:
        "labels for rollouts and 'fleet status' (default: director.labels of --config)",
    },
    {
      name: "heal",
      type: "flag",
      description: "take back what other programs change in the table",
    },
    {
      name: "dry-run",
      type: "flag",
      description: "change nothing; report what would be changed",
    },
    {
      name: "max-removals",
      type: "integer",
      value: "PERCENT",
      minimum: 0,
      maximum: 100,
      default: "50",
      description:
        "refuse a revision that removes a larger share of the real servers, or sets their weight to 0",
    },
    {
      name: "splay",
      type: "duration",
      value: "TIME",
      default: "5s",
      description:
        "fetch a new revision after a random time up to TIME, so that not all directors fetch at once",
    },
    {
      name: "interval",
      type: "duration",
      value: "TIME",
      default: "30s",
      description: "how often to look for drift",
    },
    {
      name: "report",
      type: "duration",
      value: "TIME",
      default: "10s",
      description:
        "how often to report the load; without a report for three times as long, the director is silent",
    },
    {
      name: "copy",
      type: "text",
      value: "FILE",
      default: COPY_FILE,
      description: "where to keep the copy of the table",
      completes: "file",
    },
    ...CONNECTION_OPTIONS,
  ],
  examples: [
    {
      command: "ipvsadm fleet agent --table web --label site=fra",
      shows: "apply the table web on this machine",
    },
    {
      command: "ipvsadm fleet agent --table web --dry-run",
      shows: "report what it would change, and change nothing",
    },
  ],
};
