import type { SubcommandSpec } from "../../../cli/spec.js";
import { TEXT_OR_JSON } from "../../../cli/text-or-json.js";
import { summaryOf } from "../actions.js";
import { CONNECTION_OPTIONS } from "../connection-options.js";
import { TABLE_NAME } from "../table-arguments.js";

export const historySpec: SubcommandSpec = {
  name: "fleet history",
  summary: summaryOf("history"),
  description: [
    "Lists the revisions of a table, newest first. * is the released revision: directors without an order of their own apply it.",
  ],
  positionals: [TABLE_NAME],
  options: [TEXT_OR_JSON, ...CONNECTION_OPTIONS],
  examples: [
    { command: "ipvsadm fleet history web", shows: "list all revisions" },
  ],
};
