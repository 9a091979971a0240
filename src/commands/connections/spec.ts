import type { SubcommandSpec } from "../../cli/spec.js";

export const connectionsSpec: SubcommandSpec = {
  name: "connections",
  summary: "live connections: which, how many, whose",
  description: [
    "Shows the connections that IPVS forwards, as the kernel has them at this moment and in its order; their number does not matter. Of each option that filters, several values mean any of them, and different options must all be met.",
    "The templates by which persistence binds a client to a server are no connections: they are shown, and counted, only where asked for. The states in green are open, in yellow opening, dim closing, in red at fault. Where a line has no room, the columns Expires, State and Server go, in this order.",
  ],
  positionals: [
    {
      name: "SERVICE",
      required: false,
      many: true,
      description:
        "only connections of these services: 192.0.2.1:80, tcp/192.0.2.1:80, fwm/7; without a port, or with port 0, of all ports",
      completes: "service",
    },
  ],
  options: [
    {
      name: "client",
      type: "list",
      value: "ADDRESS",
      description:
        "only of these clients: an address, or a network as 10.0.0.0/8",
      completes: "address",
    },
    {
      name: "service",
      type: "list",
      value: "SERVICE",
      description: "the same as SERVICE",
      completes: "service",
    },
    {
      name: "server",
      type: "list",
      value: "SERVER",
      description:
        "only to these real servers: 10.0.0.7:80, an address, or a network",
      completes: "server",
    },
    {
      name: "protocol",
      type: "list",
      value: "PROTOCOL",
      choices: ["tcp", "udp", "sctp"],
      description: "only of these protocols",
    },
    {
      name: "state",
      type: "list",
      value: "STATE",
      description: "only in these states, as established or syn_recv",
    },
    {
      name: "expires-within",
      type: "text",
      value: "DURATION",
      description:
        "only those that are forgotten soon, if no packet comes: 30s, 5m, 1h30m",
    },
    {
      name: "templates",
      type: "flag",
      description: "the templates of persistence, too",
    },
    {
      name: "templates-only",
      type: "flag",
      description: "the templates of persistence alone",
    },
    {
      name: "top",
      type: "text",
      value: "WHAT",
      choices: ["client", "service", "server", "state"],
      description:
        "count connections by this, and show those that have most; the number of lines may follow: --top client 5",
    },
    {
      name: "count",
      type: "flag",
      description: "show nothing but how many there are",
    },
    {
      name: "limit",
      type: "text",
      value: "NUMBER",
      description: "show no more than so many; with --top it is 10 otherwise",
    },
    {
      name: "names",
      type: "flag",
      description: "show hosts and ports by name",
    },
    {
      name: "output",
      alias: "o",
      type: "text",
      value: "FORMAT",
      choices: ["table", "json", "ndjson", "csv", "yaml"],
      default: "table",
      description: "how to print it",
    },
    {
      name: "wide",
      alias: "w",
      type: "flag",
      description: "let lines be as long as they are",
    },
  ],
  examples: [
    {
      command: "ipvsadm connections tcp/192.0.2.1:80 --state established",
      shows: "who uses a service at this moment",
    },
    {
      command: "ipvsadm connections --top client 5",
      shows: "the five busiest clients",
    },
    {
      command: "ipvsadm connections --client 198.51.100.0/24 --count",
      shows: "how many connections a network has",
    },
    {
      command: "ipvsadm connections --server 10.0.0.7 --expires-within 30s",
      shows: "what a drained server will soon be rid of",
    },
    {
      command: "ipvsadm connections --templates-only -o ndjson",
      shows: "which clients are bound to which server, for a program",
    },
  ],
};
