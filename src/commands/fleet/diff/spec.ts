import type { SubcommandSpec } from "../../../cli/spec.js";
import { TEXT_OR_JSON } from "../../../cli/text-or-json.js";
import { summaryOf } from "../actions.js";
import { CONNECTION_OPTIONS } from "../connection-options.js";
import { TABLE_NAME } from "../table-arguments.js";

export const diffRevisionsSpec: SubcommandSpec = {
  name: "fleet diff",
  summary: summaryOf("diff"),
  description: [
    "Prints what a director would change to get from revision A to revision B: + is added, - is removed, ~ is changed.",
    "The exit status is 0 if they are equal, and 4 if they differ.",
  ],
  positionals: [
    TABLE_NAME,
    { name: "A", required: true, description: "the older revision" },
    { name: "B", required: true, description: "the newer revision" },
  ],
  options: [TEXT_OR_JSON, ...CONNECTION_OPTIONS],
  examples: [
    {
      command: "ipvsadm fleet diff web 6 7",
      shows: "show what revision 7 changed",
    },
  ],
};
