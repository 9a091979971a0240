import { allServicesOption } from "../../cli/machine-option.js";
import type { SubcommandSpec } from "../../cli/spec.js";
import { TEXT_OR_JSON } from "../../cli/text-or-json.js";

/** The arguments of drain, undrain and wait. Without --all-services, drain and undrain require both, wait the first. */
export const SERVER_OF_SERVICE: SubcommandSpec["positionals"] = [
  {
    name: "SERVICE",
    required: false,
    description: "192.0.2.1:80, tcp/192.0.2.1, udp/[2001:db8::1]:53, fwm/7",
    completes: "service",
  },
  {
    name: "SERVER",
    required: false,
    description: "real server of SERVICE: 198.51.100.10:8080, 198.51.100.10",
    completes: "server",
  },
];

export const drainSpec: SubcommandSpec = {
  name: "drain",
  summary: "stop new connections to a real server; wait, remove",
  description: [
    "Sets the weight of a real server to 0. It gets no new connections; existing connections continue. Other settings are not changed. 'ipvsadm undrain' restores the weight, which is saved until reboot.",
    "--all-services drains a machine in every service that has it as a real server, at any port: in all of them, or in none. If the kernel refuses a change, the weights that were already changed are set back; weights that cannot be set back are listed. A service that another program adds meanwhile is drained, too. --remove then removes the machine when it is empty in every service.",
    "--wait waits until the server is empty: it has no active connections and no persistence templates. For UDP services and firewall marks, inactive connections are waited for, too, because UDP connections are never active. For TCP and SCTP, inactive connections are either being closed (their entries remain for up to two minutes) or being opened. Because of the latter, a server counts as empty only after two readings without connections, one second apart.",
    "Clients with a persistence template still reach the server at weight 0, unless net.ipv4.vs.expire_quiescent_template is 1. In both cases the template exists for the persistence timeout of the service, and as long as the client has connections.",
    "While the weight is changed, drain and undrain hold the lock of 'ipvsadm apply'. They wait up to 10 seconds for it.",
    "If --timeout expires (exit status 1) or on ctrl-C (130) before the server is empty, its weight stays 0, and the remaining connections are shown.",
  ],
  positionals: SERVER_OF_SERVICE,
  options: [
    allServicesOption("drain"),
    {
      name: "wait",
      type: "flag",
      description: "wait until the server is empty",
    },
    {
      name: "timeout",
      type: "duration",
      value: "TIME",
      description:
        "how long to wait: 90s, 5m, 1h30m; a plain number is in seconds; implies --wait",
    },
    {
      name: "remove",
      type: "flag",
      description: "wait until the server is empty, then remove it",
    },
    {
      name: "dry-run",
      type: "flag",
      description: "print what would be done; change nothing",
    },
    TEXT_OR_JSON,
  ],
  examples: [
    {
      command: "ipvsadm drain tcp/192.0.2.1:80 198.51.100.10",
      shows: "stop new connections to a real server",
    },
    {
      command: "ipvsadm drain fwm/7 198.51.100.10 --remove --timeout 1h",
      shows: "remove the server when its last connection has ended",
    },
    {
      command: "ipvsadm drain --all-services 198.51.100.10 --timeout 10m",
      shows: "take a machine out of all services, and wait until it is empty",
    },
    {
      command: "ipvsadm list --state draining",
      shows: "list drained servers and their remaining connections",
    },
  ],
};
