import { allServicesOption } from "../../cli/machine-option.js";
import type { SubcommandSpec } from "../../cli/spec.js";
import { TEXT_OR_JSON } from "../../cli/text-or-json.js";
import { SERVER_OF_SERVICE } from "../drain/spec.js";

export const waitSpec: SubcommandSpec = {
  name: "wait",
  summary: "wait until a server is drained, or a service ok",
  description: [
    "Reads the table once per --interval until the condition of --for is met. Changes nothing, and takes no lock. With SERVER, it looks at this real server; without, at the service and all its real servers.",
    "'--for drained' means the same as 'ipvsadm drain --wait': weight 0, no active connections and no persistence templates, in two readings in a row; for UDP services and firewall marks, no inactive connections either. A server with another weight is not drained: the wait goes on until somebody drains it.",
    "Exit statuses, for scripts: 0, the condition is met. 124, --timeout expired, as with timeout(1). 5, the service or real server is not in the table, or was removed meanwhile. 3, no IPVS in the kernel, or no CAP_NET_ADMIN. 2, the command line is wrong. 130, Ctrl-C. 1, any other failure.",
  ],
  positionals: SERVER_OF_SERVICE,
  options: [
    {
      name: "for",
      type: "text",
      value: "CONDITION",
      description:
        "what to wait for: drained; active=N: at most N active connections in all; state=STATE: a state that 'ipvsadm list' shows",
    },
    allServicesOption("look at"),
    {
      name: "timeout",
      type: "duration",
      value: "TIME",
      description:
        "how long to wait: 90s, 5m, 1h30m; a plain number is in seconds (default: without limit)",
    },
    {
      name: "interval",
      type: "number",
      value: "SECONDS",
      minimum: 0.2,
      maximum: 60,
      default: "1",
      description: "time between two readings",
    },
    TEXT_OR_JSON,
  ],
  examples: [
    {
      command: "ipvsadm wait tcp/192.0.2.1:80 198.51.100.10 --for drained",
      shows: "wait until a drained server has no connections left",
    },
    {
      command: "ipvsadm wait --all-services 198.51.100.10 --for drained",
      shows: "the same for a machine, in every service that has it",
    },
    {
      command: "ipvsadm wait tcp/192.0.2.1:80 --for state=ok --timeout 1m",
      shows: "wait until a service accepts new connections",
    },
  ],
};
