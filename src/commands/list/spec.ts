import type { SubcommandSpec } from "../../cli/spec.js";
import { SERVER_STATES, SERVICE_STATES } from "../../ipvs/state.js";
import { FORWARDING, PROTOCOL_WORDS } from "../../document/enum-names.js";
import { COLUMN_KEYS, FORMATS, SORT_KEYS } from "./column-keys.js";

export const listSpec: SubcommandSpec = {
  name: "list",
  summary: "services with their real servers: states, weights, traffic",
  description: [
    "Lists virtual services with their real servers under them, and the totals at the end. A SERVICE is written as the table writes it; protocol and port may be left out. Prefixes are SI (k is 1000), traffic is in bytes.",
    "States of servers: draining has weight 0; overloaded is at its upper threshold, and gets no new connections until it is below the lower one (or three quarters of the upper); overloaded? is between the two: whether it gets any, the kernel does not tell. Services with no servers, all drained or all overloaded take nobody. Share is a server's part of the weights of all that can take connections; rr, lc and dh only look whether a weight is 0, fo and ovf take the heaviest first.",
    "Where a line has no room, columns are left out in this order: packets-out-rate, packets-in-rate, packets-out, packets-in, out, in, total, persistent, limits, inactive, share, out-rate, in-rate, method, weight; then names are shortened.",
    "What json and yaml print, other subcommands read; its form is ipvsadm/table/1, described by schema/table-1.json in the package. ndjson is a line for each service; csv one for each service and each server, with an apostrophe before what a spreadsheet would take for a formula. Filters and SERVICE leave out what they leave out there as well, and json and yaml then say partial: true, so that 'ipvsadm apply' does not remove what is left out.",
  ],
  positionals: [
    {
      name: "SERVICE",
      required: false,
      many: true,
      description:
        "only these: 192.0.2.1:80, tcp/192.0.2.1, udp/[2001:db8::1]:53, fwm/7, fwm6/7",
      completes: "service",
    },
  ],
  options: [
    {
      name: "output",
      alias: "o",
      type: "text",
      value: "FORMAT",
      choices: FORMATS,
      default: "table",
      description: "how to print it; rules is what ipvsadm -R reads",
    },
    {
      name: "wide",
      alias: "w",
      type: "flag",
      description: "all columns, however long the lines",
    },
    {
      name: "columns",
      type: "list",
      value: "COLUMN",
      choices: COLUMN_KEYS,
      description: "these columns of table or csv, in this order",
      completes: "column",
    },
    {
      name: "sort",
      type: "text",
      value: "KEY",
      choices: SORT_KEYS,
      default: "name",
      description:
        "the greatest first (state: the gravest); name is the order of ipvsadm -L; connections are active and inactive, rate and traffic of connections and bytes a second, total and bytes those so far",
    },
    {
      name: "reverse",
      type: "flag",
      description: "the smallest first",
    },
    {
      name: "protocol",
      type: "list",
      value: "PROTOCOL",
      choices: [...PROTOCOL_WORDS.all, "fwm"],
      description: "only services of these protocols, or with a firewall mark",
    },
    {
      name: "server",
      type: "list",
      value: "ADDRESS[:PORT]",
      description: "only these real servers, and the services that have them",
      completes: "server",
    },
    {
      name: "scheduler",
      type: "list",
      value: "NAME",
      description: "only services with these schedulers",
      completes: "scheduler",
    },
    {
      name: "forwarding",
      type: "list",
      value: "METHOD",
      choices: FORWARDING.all,
      description: "only real servers with these forwarding methods",
    },
    {
      name: "state",
      type: "list",
      value: "STATE",
      choices: [...new Set<string>([...SERVER_STATES, ...SERVICE_STATES])],
      description: "only real servers and services in these states",
    },
    {
      name: "names",
      type: "flag",
      description: "hosts and ports by name, where they have one",
    },
  ],
  examples: [
    { command: "ipvsadm list", shows: "the table" },
    {
      command: "ipvsadm list --state draining,overloaded",
      shows: "the servers that get no new connections",
    },
    {
      command: "ipvsadm list --sort rate --reverse",
      shows: "the services that grow slowest first",
    },
    {
      command: "ipvsadm list tcp/192.0.2.1 --columns name,active,total",
      shows: "three columns of the services of an address",
    },
    {
      command: "ipvsadm list -o json",
      shows: "all of it for a program, with all digits of every counter",
    },
  ],
};
