import type { VerbRow } from "../row.js";

export const doctorVerb: VerbRow = {
  name: "doctor",
  summary: "what is wrong with this machine as a director",
  description: [
    "Holds the machine against its table: modules, forwarding, addresses, routes, neighbours, sysctls, and what the connections look like. Each finding has an id, what was seen, why it matters, and the commands that mend it. An error is traffic that fails now; a warning is traffic that may fail, or will; a note is worth to be known.",
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
    { command: "ipvsadm doctor", shows: "what is wrong, the gravest first" },
    {
      command: "ipvsadm doctor tcp/192.0.2.1:80 --skip all-drained",
      shows: "the machine and one service, without a finding that is known",
    },
    {
      command: "ipvsadm doctor --explain forwarding-off",
      shows: "why that matters, what was looked at, and how it is mended",
    },
  ],
  load: () => import("./run.js"),
};
