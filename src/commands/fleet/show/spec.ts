import type { SubcommandSpec } from "../../../cli/spec.js";
import { outputOption } from "../../../cli/common-options.js";
import { summaryOf } from "../actions.js";
import { CONNECTION_OPTIONS } from "../connection-options.js";
import { TABLE_NAME } from "../table-arguments.js";

export const showSpec: SubcommandSpec = {
  name: "fleet show",
  summary: summaryOf("show"),
  description: [
    "Prints a revision in a format that 'ipvsadm apply' reads. Its hash is checked.",
  ],
  positionals: [
    TABLE_NAME,
    {
      name: "REVISION",
      required: false,
      description: "the number of a revision; default: the newest one",
    },
  ],
  options: [outputOption(["rules", "json", "yaml"]), ...CONNECTION_OPTIONS],
  examples: [
    {
      command: "ipvsadm fleet show web 7 -o yaml",
      shows: "print revision 7 as YAML",
    },
  ],
};
