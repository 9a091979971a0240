import type { SubcommandSpec } from "../../cli/spec.js";
import {
  NAMES_OPTION,
  outputOption,
  SERVICE_FILTER,
  WIDE_OPTION,
} from "../../cli/common-options.js";
import { FILTER_OPTIONS } from "./filter-options.js";
import { COLUMN_KEYS, FORMATS, SORT_KEYS } from "./option-values.js";

export const listSpec: SubcommandSpec = {
  name: "list",
  summary: "list services and real servers: state, weight, traffic",
  description: [
    "Lists the virtual services, each with its real servers, and the totals. Number prefixes are SI (k is 1000). Traffic is in bytes.",
    "Values of one filter are ORed; different filters are ANDed. Filters also apply to JSON, YAML and CSV output. A filtered JSON or YAML document contains 'partial: true'; 'ipvsadm apply' accepts it only with --no-prune.",
    "Share is the server's part of the total weight of all servers of the service that accept new connections. Not every scheduler uses the weight this way: rr, lc and dh only skip servers with weight 0; fo and ovf prefer the highest weight.",
    "If the terminal is too narrow, columns are dropped: first those that are empty or zero in nearly all rows, then in this order: packets-out-rate, packets-in-rate, packets-out, packets-in, out, in, total, persistent, limits, inactive, share, out-rate, in-rate, method, weight, rate, active, state. Then names are shortened in the middle, so that the port stays. --wide prints everything.",
    "JSON and YAML have the format ipvsadm/table/1 (schema/table-1.json in the package). 'ipvsadm apply', 'diff' and 'check' read it. ndjson prints one service per line. csv prints one line for each service and each server, with the fields of JSON; a text that a spreadsheet would run as a formula begins with an apostrophe.",
  ],
  aliases: ["ls", "show"],
  positionals: [
    {
      ...SERVICE_FILTER,
      description: `${SERVICE_FILTER.description}. Also a network: 192.0.2.0/24, tcp/192.0.2.0/24:80, 2001:db8::/32`,
    },
  ],
  options: [
    outputOption(FORMATS, "rules is the format of ipvsadm -S and -R"),
    WIDE_OPTION,
    {
      name: "columns",
      type: "list",
      value: "COLUMN",
      choices: COLUMN_KEYS,
      description: "print these columns in this order (table and csv)",
      completes: "column",
    },
    {
      name: "sort",
      type: "text",
      value: "KEY",
      choices: SORT_KEYS,
      default: "name",
      description: "sort by this key, greatest first",
    },
    {
      name: "reverse",
      type: "flag",
      description: "reverse the order",
    },
    ...FILTER_OPTIONS,
    NAMES_OPTION,
    {
      name: "numeric",
      alias: "n",
      type: "flag",
      description: "show numbers instead of names, which is the default",
    },
    {
      name: "no-header",
      type: "flag",
      description: "print only the rows: no titles, no totals (table and csv)",
    },
  ],
  terms: [
    {
      title: "States of real servers",
      terms: [
        [
          "ok",
          "accepts new connections by weight and thresholds; health is not checked",
        ],
        [
          "draining",
          "weight 0: accepts no new connections, except from clients that persistence binds to it",
        ],
        [
          "overloaded",
          "its active and inactive connections reached the upper threshold: accepts no new connections until they fall below the lower threshold (three quarters of the upper one, if no lower one is set)",
        ],
        [
          "overloaded?",
          "between the thresholds: accepts no new connections if it was overloaded before, which the kernel does not report (--state maybe-overloaded)",
        ],
      ],
    },
    {
      title: "States of services",
      terms: [
        ["ok", "at least one real server accepts new connections"],
        ["no servers", "the service has no real servers"],
        ["all drained", "all real servers have weight 0"],
        [
          "all overloaded",
          "no real server accepts new connections: each is overloaded or draining",
        ],
      ],
    },
    {
      title: "Sort keys",
      terms: [
        ["name", "the order of ipvsadm -L"],
        ["state", "most severe first"],
        ["connections", "active and inactive connections"],
        ["rate", "new connections per second"],
        ["traffic", "bytes per second, in and out"],
        ["total", "all connections so far"],
        ["bytes", "all bytes so far, in and out"],
      ],
    },
  ],
  examples: [
    { command: "ipvsadm list", shows: "the whole table" },
    {
      command: "ipvsadm list --state draining,overloaded",
      shows: "the real servers that accept no new connections",
    },
    {
      command: "ipvsadm list --sort rate --reverse",
      shows: "the services with the fewest new connections first",
    },
    {
      command: "ipvsadm list tcp/192.0.2.1 --columns name,active,total",
      shows: "three columns for all TCP services of one address",
    },
    {
      command: "ipvsadm list -o json",
      shows: "the table for a program, with exact counters",
    },
  ],
};
