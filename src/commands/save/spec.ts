import type { SubcommandSpec } from "../../cli/spec.js";

export const saveSpec: SubcommandSpec = {
  name: "save",
  summary: "save the whole table for 'restore'",
  description: [
    "Writes services, real servers with thresholds and tunnels, timeouts and sync daemons. Hosts and ports are numeric. Real servers are written in the order in which they were added, because schedulers such as sh depend on it. FILE is replaced atomically: the table is written to a temporary file in the same directory, which is then renamed.",
    "The format rules consists of classic options: the lines of -S, and --set and --start-daemon. 'ipvsadm -R' reads them, too. Some settings cannot be written as rules, for example a persistence timeout above 31 days, or that no sync daemon runs. They are reported on stderr. If such a setting has an effect, the exit status is 1, and FILE is not changed. json and yaml contain all settings; their schema, ipvsadm/table/1, is schema/table-1.json in the package.",
  ],
  positionals: [
    {
      name: "FILE",
      required: false,
      description: "file to write; without FILE or with -, standard output",
      completes: "file",
    },
  ],
  options: [
    {
      name: "output",
      alias: "o",
      type: "text",
      value: "FORMAT",
      choices: ["rules", "json", "yaml"],
      description:
        "output format (default: by the extension of FILE, .json, .yaml or .yml; otherwise rules)",
    },
  ],
  examples: [
    {
      command: "ipvsadm save /etc/ipvsadm.rules",
      shows: "save the table for the next boot",
    },
    {
      command: "ipvsadm save -o yaml",
      shows: "print the table as YAML, to edit it and use it with 'apply'",
    },
    {
      command: "ipvsadm save /var/backups/ipvs.json",
      shows: "make a complete backup",
    },
  ],
  printsData: true,
};
