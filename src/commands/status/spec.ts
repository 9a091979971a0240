import type { SubcommandSpec } from "../../cli/spec.js";

export const statusSpec: SubcommandSpec = {
  name: "status",
  summary: "the kernel's IPVS on one screen",
  description: [
    "Shows the kernel and its IPVS, the module, the connection table, the timeouts, the sync daemons, the totals of all services, the net.ipv4.vs sysctls that differ from their defaults, and what the calling user may do. It changes nothing, and loads no module.",
    "Where there is no IPVS, or no permission to ask for it, it shows what can be seen all the same and exits with status 3. Prefixes are SI (k is 1000), traffic is in bytes.",
  ],
  positionals: [],
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
  ],
  examples: [
    {
      command: "ipvsadm status",
      shows: "whether this machine is a director, and how much it does",
    },
    {
      command: "ipvsadm status -o json",
      shows: "the same for a program, with all digits of every counter",
    },
  ],
};
