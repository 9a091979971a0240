import { WATCH_COLUMNS } from "./column-keys.js";
import { outputOption, SERVICE_FILTER } from "../../cli/common-options.js";
import type { SubcommandSpec } from "../../cli/spec.js";

export const watchSpec: SubcommandSpec = {
  name: "watch",
  summary: "show services, real servers and their rates live",
  description: [
    "Shows the table and updates it at every interval: connections, packets and bytes per second of each virtual service and real server, their history over the last minute, and changes: new, gone, or edited with the old weight or scheduler. The busiest service is first. Press ? for help, q to quit.",
    "Arrow keys select a row. Enter opens it: its connections, thresholds and history. Escape goes back. On a real server, d drains it, u undrains it, and w sets its weight. watch shows the command, and runs it when y is pressed, in the same way as 'ipvsadm drain' and 'ipvsadm undrain': with the lock of the table, and with the old weight saved. The result is shown above the keys. When watch ends, it prints all commands and results to stderr.",
    "Rates are measured: the growth of the counters between two readings, divided by the time between them. They follow traffic faster than the kernel's own estimates. The kernel updates its counters every 2 seconds; with a shorter interval, a rate stays the same for 2 seconds. A rate is - while it is unknown: after the first reading and after counters were zeroed. Number prefixes are SI (k is 1000). Traffic is in bytes.",
    "If the terminal is too narrow, watch leaves out in this order: half of the last minute, a space between columns, Method, packets, Last minute, Active, the middle of long names, Out B/s, Weight, State. Of columns chosen with --columns or c, it leaves out the same, then the last ones.",
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
    {
      name: "columns",
      type: "list",
      value: "COLUMN",
      choices: WATCH_COLUMNS,
      description: "show these columns after the name, in this order",
    },
    {
      name: "events",
      type: "flag",
      description:
        "print a line for each change of the table, as 'ipvsadm monitor' does; --count counts changes",
    },
    outputOption(
      ["table", "ndjson"],
      "ndjson prints one JSON object per frame, or per change with --events",
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
      command: "ipvsadm watch --columns state,active,limits,rate",
      shows: "how near the real servers are to their thresholds",
    },
    {
      command: "ipvsadm watch -o ndjson -i 10 >rates.ndjson",
      shows: "records the rates every 10 seconds",
    },
  ],
  fillsTerminal: true,
};
