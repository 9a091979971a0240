import { outputOption, SERVICE_FILTER } from "../../cli/common-options.js";
import type { SubcommandSpec } from "../../cli/spec.js";

export const watchSpec: SubcommandSpec = {
  name: "watch",
  summary: "show services, real servers and their rates live",
  description: [
    "Shows the table and updates it at every interval: connections, packets and bytes per second of each virtual service and real server, their history over the last minute, and changes: new, gone, or edited with the old weight or scheduler. The busiest service is first. Press ? for help, q to quit.",
    "Rates are measured: the growth of the counters between two readings, divided by the time between them. They follow traffic faster than the kernel's own estimates. The kernel updates its counters every 2 seconds; with a shorter interval, a rate stays the same for 2 seconds. A rate is - while it is unknown: after the first reading and after counters were zeroed. Number prefixes are SI (k is 1000). Traffic is in bytes.",
    "If the terminal is too narrow, watch leaves out in this order: half of the last minute, a space between columns, Method, packets, Active, Last minute, the middle of long names, Out B/s, Weight.",
    "If stdin or stdout is not a terminal, or TERM is dumb, watch prints plain frames. The first frame comes after one interval. If a signal or Ctrl-C ends watch, the terminal is restored, and the exit status is 128 plus the number of the signal.",
  ],
  aliases: ["top"],
  positionals: [SERVICE_FILTER],
  options: [
    {
      name: "interval",
      alias: "i",
      type: "number",
      value: "SECONDS",
      minimum: 0.1,
      maximum: 3600,
      default: "2",
      description: "read the table at this interval",
    },
    {
      name: "count",
      alias: "n",
      type: "integer",
      value: "N",
      minimum: 1,
      maximum: 1_000_000_000,
      description: "end after N frames",
    },
    {
      name: "sort",
      type: "text",
      value: "KEY",
      choices: ["connections", "packets", "bytes", "active", "changed", "name"],
      default: "connections",
      description:
        "sort by a rate, by active connections, by the latest change, or by name",
    },
    {
      name: "reverse",
      alias: "r",
      type: "flag",
      description: "reverse the order",
    },
    {
      name: "filter",
      type: "text",
      value: "WORDS",
      description:
        "show only services and real servers whose name or scheduler contains all these words",
    },
    {
      name: "services-only",
      type: "flag",
      description: "do not show real servers",
    },
    outputOption(
      ["table", "ndjson"],
      "ndjson prints one JSON object per frame",
    ),
  ],
  examples: [
    {
      command: "ipvsadm watch",
      shows: "the busiest services, and what changes",
    },
    {
      command: "ipvsadm watch --sort bytes tcp/192.0.2.1:80",
      shows: "how the traffic of one service spreads over its real servers",
    },
    {
      command: "ipvsadm watch --services-only --reverse",
      shows: "the services with the fewest new connections first",
    },
    {
      command: "ipvsadm watch -o ndjson -i 10 >rates.ndjson",
      shows: "records the rates every 10 seconds",
    },
  ],
  fillsTerminal: true,
};
