import { METHODS } from "../../doctor/real-server/methods.js";
import type { SubcommandSpec } from "../../cli/spec.js";

export const doctorSpec: SubcommandSpec = {
  name: "doctor",
  summary: "what is wrong with this director, or real server",
  description: [
    "Holds the machine against its table: modules, forwarding, addresses, routes, neighbors, sysctls, and what the connections look like. Each finding has an id, what was seen, why it matters, and the commands that fix it. An error is traffic that fails now; a warning is traffic that may fail, or will; a note is worth to be known.",
    "On a real server, which has no table, --real-server names the services that it is for, as the director lists them: whether it has the virtual address and keeps quiet about it, whether somebody listens, whether requests come in and answers get out. The more of --method, --director and --client is known, the more can be looked at.",
    "It changes no setting and loads no module. What it could not look at it says. It exits with status 1 if there is an error. The page ipvsadm-doctor(8) tells of each finding.",
  ],
  positionals: [
    {
      name: "SERVICE",
      required: false,
      many: true,
      description: "examine only these services, besides the machine",
      completes: "service",
    },
  ],
  options: [
    {
      name: "real-server",
      type: "list",
      value: "SERVICE",
      description:
        "examine this machine as a real server of these services, or of these virtual addresses",
      completes: "service",
    },
    {
      name: "method",
      type: "text",
      value: "METHOD",
      choices: METHODS,
      description:
        "how the director sends requests to this real server; without it direct routing, or whatever tunnel is up",
    },
    {
      name: "director",
      type: "text",
      value: "ADDRESS",
      description: "the director's address that this real server sees",
    },
    {
      name: "server",
      type: "text",
      value: "ADDRESS:PORT",
      description:
        "this real server's address and port, as the director lists it; for masquerading",
    },
    {
      name: "probe",
      type: "flag",
      description:
        "connect from the director to each real server with a weight (TCP)",
    },
    {
      name: "client",
      type: "text",
      value: "ADDRESS",
      description:
        "with --real-server: a client, to check its requests and the answers to it; without: follow this client through the director",
    },
    {
      name: "for",
      type: "duration",
      value: "DURATION",
      description: "how long to follow --client (10s)",
    },
    {
      name: "output",
      alias: "o",
      type: "text",
      value: "FORMAT",
      choices: ["table", "json"],
      default: "table",
      description: "how to print it",
    },
    {
      name: "only",
      type: "list",
      value: "ID",
      description: "look for these findings alone",
    },
    {
      name: "skip",
      type: "list",
      value: "ID",
      description: "do not look for these findings",
    },
    {
      name: "explain",
      type: "text",
      value: "ID",
      description: "tell all about a finding, and look at nothing",
    },
    {
      name: "list",
      type: "flag",
      description: "list the findings that there are, and look at nothing",
    },
  ],
  examples: [
    { command: "ipvsadm doctor", shows: "what is wrong, most severe first" },
    {
      command: "ipvsadm doctor tcp/192.0.2.1:80 --skip all-drained",
      shows: "the machine and one service, without a finding that is known",
    },
    {
      command: "ipvsadm doctor --explain forwarding-off",
      shows: "why that matters, what was looked at, and how it is fixed",
    },
    {
      command: "ipvsadm doctor --real-server tcp/192.0.2.1:80",
      shows: "what is wrong with this real server of that service",
    },
    {
      command: "ipvsadm doctor --real-server 192.0.2.1 --method tunnel",
      shows: "the same behind a tunnel, whatever the ports are",
    },
  ],
};
