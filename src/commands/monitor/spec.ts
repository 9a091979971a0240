import { NAMES_OPTION, outputOption } from "../../cli/common-options.js";
import type { SubcommandSpec } from "../../cli/spec.js";
import { FILTER_OPTIONS } from "../list/filter-options.js";

export const monitorSpec: SubcommandSpec = {
  name: "monitor",
  summary: "print a line for each change of the table",
  description: [
    "Prints a line with the time for each change: services, real servers, sync daemons and timeouts that are added, changed or removed. It runs until a signal ends it. Counters and numbers of connections are not changes.",
    "The kernel does not announce changes, so the table is read at every interval and compared with the reading before. A change that is undone within an interval is not seen. The time is when the change was seen.",
    "Filters work as in 'ipvsadm list', on the table before or after the change. With --state draining, for example, a line is printed when a server is drained and when it is undrained. A service or server need not exist yet. With any filter, changes of sync daemons and timeouts are not printed.",
    "'ipvsadm watch --events' prints the same lines.",
  ],
  positionals: [
    {
      name: "SERVICE",
      required: false,
      many: true,
      description:
        "show only changes of these services: 192.0.2.1:80, tcp/192.0.2.1, udp/[2001:db8::1]:53, fwm/7, fwm6/7. Without protocol or port: any",
      completes: "service",
    },
  ],
  options: [
    {
      name: "interval",
      alias: "i",
      type: "number",
      value: "SECONDS",
      minimum: 0.1,
      maximum: 3600,
      default: "1",
      description: "read the table at this interval",
    },
    {
      name: "count",
      alias: "n",
      type: "integer",
      value: "N",
      minimum: 1,
      maximum: 1_000_000_000,
      description: "end after N changes",
    },
    ...FILTER_OPTIONS,
    NAMES_OPTION,
    outputOption(
      ["text", "ndjson"],
      "ndjson prints one JSON object per change",
    ),
  ],
  examples: [
    {
      command: "ipvsadm monitor",
      shows: "what other programs change, such as a health checker",
    },
    {
      command: "ipvsadm monitor tcp/192.0.2.1:80 --state draining",
      shows: "when servers of one service are drained or undrained",
    },
    {
      command: "ipvsadm monitor -o ndjson >>changes.ndjson",
      shows: "records all changes",
    },
  ],
};
