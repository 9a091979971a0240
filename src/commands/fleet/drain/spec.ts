import type { OptionSpec, SubcommandSpec } from "../../../cli/spec.js";
import { TEXT_OR_JSON } from "../../../cli/text-or-json.js";
import { summaryOf } from "../actions.js";
import { CONNECTION_OPTIONS } from "../connection-options.js";

/** The arguments of drain and undrain. With --all-services, SERVER is the only one. */
export const FLEET_SERVER: SubcommandSpec["positionals"] = [
  {
    name: "SERVICE",
    required: false,
    description:
      "192.0.2.1:80, tcp/192.0.2.1, udp/[2001:db8::1]:53, fwm/7; not with --all-services",
    completes: "service",
  },
  {
    name: "SERVER",
    required: false,
    description: "real server: 198.51.100.10:8080, 198.51.100.10 (required)",
    completes: "server",
  },
];

export const ALL_SERVICES: OptionSpec = {
  name: "all-services",
  type: "flag",
  description: "the server in all services; give only SERVER",
};

export const fleetDrainSpec: SubcommandSpec = {
  name: "fleet drain",
  summary: summaryOf("drain"),
  description: [
    "Drains a real server on all directors. Each director sets the weight of the server to 0 in its table, and keeps it there until 'ipvsadm fleet undrain'. New revisions and --heal do not change that. Directors that start later drain it, too.",
    "With --wait, it ends when the server is empty on all directors that report, as 'ipvsadm drain --wait' defines it. Silent directors are named, and the exit status is 1, unless --allow-missing is given.",
  ],
  positionals: FLEET_SERVER,
  options: [
    ALL_SERVICES,
    {
      name: "wait",
      type: "flag",
      description: "wait until the server is empty on all directors",
    },
    {
      name: "timeout",
      type: "duration",
      value: "TIME",
      description: "how long to wait: 90s, 5m, 1h30m; implies --wait",
    },
    {
      name: "allow-missing",
      type: "flag",
      description: "succeed even if directors are silent",
    },
    TEXT_OR_JSON,
    ...CONNECTION_OPTIONS,
  ],
  examples: [
    {
      command: "ipvsadm fleet drain tcp/192.0.2.1:80 198.51.100.10 --wait",
      shows: "drain a server of one service, and wait until it is empty",
    },
    {
      command: "ipvsadm fleet drain --all-services 198.51.100.10 --wait",
      shows: "drain a machine before maintenance",
    },
  ],
};
