import type { SubcommandSpec } from "../../../cli/spec.js";
import { summaryOf } from "../actions.js";
import { CONNECTION_OPTIONS } from "../connection-options.js";
import { DIRECTOR_NAME } from "../table-arguments.js";

export const forgetSpec: SubcommandSpec = {
  name: "fleet forget",
  summary: summaryOf("forget"),
  description: [
    "Removes the report of a silent director, and the order for it, from etcd. Otherwise a director that is gone stays silent. The table of the director is not changed.",
  ],
  positionals: [DIRECTOR_NAME],
  options: [...CONNECTION_OPTIONS],
  examples: [
    {
      command: "ipvsadm fleet forget lb9",
      shows: "do not expect reports of lb9 any more",
    },
  ],
};
