import type { SubcommandSpec } from "../../cli/spec.js";

export const saveSpec: SubcommandSpec = {
  name: "save",
  summary: "the whole table as a file that 'restore' reads",
  description: [
    "Writes all that can be set: services, real servers with thresholds and tunnels, timeouts and sync daemons. Hosts and ports are numbers; real servers stand in the order in which they were added, which schedulers such as sh go by. To FILE it writes whole or not at all: a temporary file beside it takes its name when it is on the disk.",
    "rules are the command lines of -S, and --set and --start-daemon, which 'ipvsadm -R' reads, too. They cannot say everything: a persistence timeout above 31 days, say, or that no sync daemon runs. What cannot be said is told on stderr; if it has an effect, the exit status is 1, and FILE is left as it was. json and yaml say it all, in the form ipvsadm/table/1, described by schema/table-1.json in the package.",
  ],
  positionals: [
    {
      name: "FILE",
      required: false,
      description: "where to; without it, and with -, to standard output",
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
        "how to write it; without it, as FILE ends in .json, .yaml or .yml, and rules otherwise",
    },
  ],
  examples: [
    {
      command: "ipvsadm save /etc/ipvsadm.rules",
      shows: "keeps the table for the next start of the machine",
    },
    {
      command: "ipvsadm save -o yaml",
      shows: "the table as a document to be edited, and given to 'apply'",
    },
    {
      command: "ipvsadm save /var/backups/ipvs.json",
      shows: "a backup without any loss",
    },
  ],
};
