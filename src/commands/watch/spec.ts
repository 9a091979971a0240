import type { SubcommandSpec } from "../../cli/spec.js";

export const watchSpec: SubcommandSpec = {
  name: "watch",
  summary: "services and real servers live, with their rates",
  description: [
    "Shows the table again and again: the connections, packets and bytes in a second of each virtual service and real server, how they went in the last minute, and what changed in it: what is new or gone, and what a weight or a scheduler was before. The busiest service comes first; r turns that round. ? shows the keys, q quits.",
    "Rates are measured: by how much the counters grew between two readings, over the time between them, and not the kernel's own estimates, which follow slowly. The kernel brings its counters up to date every 2 seconds, so with a shorter interval a rate stays for 2 seconds. A rate is - while it is not known: after one reading, and when counters were set to zero. Prefixes are SI (k is 1000), traffic is in bytes.",
    "Where a line is too narrow, these give way, in this order: half of the bars of the last minute, the gap between columns, Method, packets, Active, Last minute, the middle of long names, Out B/s, Weight.",
    "Where stdin or stdout is no terminal, or TERM is dumb, it writes plain frames, the first after one interval. A signal, or Ctrl-C, ends it with 128 and the signal's number, the terminal restored.",
  ],
  positionals: [
    {
      name: "SERVICE",
      required: false,
      many: true,
      description: "only these services, such as tcp/192.0.2.1:80 or fwm/7",
      completes: "service",
    },
  ],
  options: [
    {
      name: "interval",
      alias: "i",
      type: "number",
      value: "SECONDS",
      minimum: 0.1,
      maximum: 3600,
      default: "2",
      description: "how often the table is read",
    },
    {
      name: "count",
      alias: "n",
      type: "number",
      value: "N",
      minimum: 1,
      maximum: 1_000_000_000,
      description: "end after N frames with rates",
    },
    {
      name: "sort",
      type: "text",
      value: "KEY",
      choices: ["connections", "packets", "bytes", "active", "changed", "name"],
      default: "connections",
      description: "what comes first: by rate, number, change or name",
    },
    {
      name: "reverse",
      alias: "r",
      type: "flag",
      description: "the other way round: the idlest first",
    },
    {
      name: "filter",
      type: "text",
      value: "WORDS",
      description:
        "only services and real servers in whose name, or scheduler, all these words are",
    },
    {
      name: "services-only",
      type: "flag",
      description: "no real servers",
    },
    {
      name: "output",
      alias: "o",
      type: "text",
      value: "FORMAT",
      choices: ["table", "ndjson"],
      default: "table",
      description: "how to print it; ndjson is a line of JSON for each frame",
    },
  ],
  examples: [
    {
      command: "ipvsadm watch",
      shows: "which service is the busiest, and what changes",
    },
    {
      command: "ipvsadm watch --sort bytes tcp/192.0.2.1:80",
      shows: "how the traffic of one service is spread over its real servers",
    },
    {
      command: "ipvsadm watch --services-only --reverse",
      shows: "the services that get the fewest new connections",
    },
    {
      command: "ipvsadm watch -o ndjson -i 10 >rates.ndjson",
      shows: "a record of the rates, every 10 seconds",
    },
  ],
  fillsTerminal: true,
};
