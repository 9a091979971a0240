import { outputOption } from "../../cli/common-options.js";
import type { SubcommandSpec } from "../../cli/spec.js";

export const statusSpec: SubcommandSpec = {
  name: "status",
  summary: "show the state of IPVS in the kernel on one screen",
  description: [
    "Shows the kernel and its IPVS version, the module, the connection table, timeouts, sync daemons, the totals of all services, the privileges of the user, and the net.ipv4.vs sysctls that differ from their defaults. It changes nothing and does not load the module.",
    "Newer kernels also report their hash tables, the limit of the connection table, and the threads that update the counters.",
    "Without IPVS, or without the privilege to use it, it shows what it can and returns exit status 3. Number prefixes are SI (k is 1000). Traffic is in bytes.",
  ],
  positionals: [],
  options: [outputOption(["table", "json"])],
  examples: [
    {
      command: "ipvsadm status",
      shows: "whether this machine is a director, and how busy it is",
    },
    {
      command: "ipvsadm status -o json",
      shows: "the same for a program, with exact counters",
    },
  ],
};
