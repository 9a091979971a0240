import { PROTOCOL_FILTER } from "../../cli/common-options.js";
import type { OptionSpec } from "../../cli/spec.js";
import { FORWARDING } from "../../document/enum-names.js";
import { SERVER_STATES, SERVICE_STATES } from "../../ipvs/state.js";

/** The options that select services and real servers. */
export const FILTER_OPTIONS: readonly OptionSpec[] = [
  PROTOCOL_FILTER,
  {
    name: "server",
    type: "list",
    value: "SERVER",
    description:
      "show only these real servers and their services: 10.0.0.7:80, an address, or a network such as 10.0.0.0/8",
    completes: "server",
  },
  {
    name: "scheduler",
    type: "list",
    value: "NAME",
    description: "show only services with these schedulers",
    completes: "scheduler",
  },
  {
    name: "forwarding",
    type: "list",
    value: "METHOD",
    choices: FORWARDING.all,
    description: "show only real servers with these forwarding methods",
  },
  {
    name: "state",
    type: "list",
    value: "STATE",
    choices: [...new Set<string>([...SERVER_STATES, ...SERVICE_STATES])],
    description: "show only services and real servers in these states",
  },
];
