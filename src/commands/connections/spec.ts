import {
  NAMES_OPTION,
  outputOption,
  WIDE_OPTION,
} from "../../cli/common-options.js";
import type { SubcommandSpec } from "../../cli/spec.js";

export const connectionsSpec: SubcommandSpec = {
  name: "connections",
  summary: "list or count the current connections",
  description: [
    "Shows the connections that IPVS forwards now, in the kernel's order. It works for millions of connections. Values of one filter are ORed; different filters are ANDed.",
    "A persistence template binds a client to a real server. It is not a connection: templates are shown and counted only with --templates or --templates-only.",
    "Colors of states: green is open, yellow is opening, dim is closing, red is failed. If the terminal is too narrow, columns are dropped in this order: Expires, State, Server.",
  ],
  positionals: [
    {
      name: "SERVICE",
      required: false,
      many: true,
      description:
        "show only connections of these services: 192.0.2.1:80, tcp/192.0.2.1:80, fwm/7. Without a port, or with port 0: all ports",
      completes: "service",
    },
  ],
  options: [
    {
      name: "client",
      type: "list",
      value: "ADDRESS",
      description:
        "show only these clients: an address, or a network such as 10.0.0.0/8",
      completes: "address",
    },
    {
      name: "service",
      type: "list",
      value: "SERVICE",
      description: "the same as the argument SERVICE",
      completes: "service",
    },
    {
      name: "server",
      type: "list",
      value: "SERVER",
      description:
        "show only these real servers: 10.0.0.7:80, an address, or a network",
      completes: "server",
    },
    {
      name: "protocol",
      type: "list",
      value: "PROTOCOL",
      choices: ["tcp", "udp", "sctp"],
      description: "show only these protocols",
    },
    {
      name: "state",
      type: "list",
      value: "STATE",
      description: "show only these states, such as established or syn_recv",
    },
    {
      name: "expires-within",
      type: "duration",
      value: "DURATION",
      description:
        "show only connections that expire within 30s, 5m or 1h30m if no packet arrives",
    },
    {
      name: "templates",
      type: "flag",
      description: "include persistence templates",
    },
    {
      name: "templates-only",
      type: "flag",
      description: "show only persistence templates",
    },
    {
      name: "top",
      type: "text",
      value: "GROUP",
      choices: ["client", "service", "server", "state"],
      description:
        "count connections by this, and show the largest groups. Their number may follow: --top client 5",
    },
    {
      name: "count",
      type: "flag",
      description: "print only the number of connections",
    },
    {
      name: "limit",
      type: "integer",
      minimum: 1,
      value: "NUMBER",
      description: "show at most this many lines. Default with --top: 10",
    },
    NAMES_OPTION,
    outputOption(["table", "json", "ndjson", "csv", "yaml"]),
    WIDE_OPTION,
  ],
  examples: [
    {
      command: "ipvsadm connections tcp/192.0.2.1:80 --state established",
      shows: "the open connections of one service",
    },
    {
      command: "ipvsadm connections --top client 5",
      shows: "the five clients with the most connections",
    },
    {
      command: "ipvsadm connections --client 198.51.100.0/24 --count",
      shows: "how many connections come from one network",
    },
    {
      command: "ipvsadm connections --server 10.0.0.7 --expires-within 30s",
      shows: "the connections that a drained server will lose soon",
    },
    {
      command: "ipvsadm connections --templates-only -o ndjson",
      shows: "which client is bound to which real server, for a program",
    },
  ],
};
