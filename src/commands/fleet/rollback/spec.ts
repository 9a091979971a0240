import type { SubcommandSpec } from "../../../cli/spec.js";
import { summaryOf } from "../actions.js";
import { PUBLISH_OPTIONS } from "../publish/spec.js";
import { TABLE_NAME } from "../table-arguments.js";

export const rollbackSpec: SubcommandSpec = {
  name: "fleet rollback",
  summary: summaryOf("rollback"),
  description: [
    "Publishes the table of an older revision as a new revision. The history keeps all revisions.",
  ],
  positionals: [
    TABLE_NAME,
    {
      name: "REVISION",
      required: true,
      description: "the revision to publish again",
    },
  ],
  options: [
    {
      name: "message",
      alias: "m",
      type: "text",
      value: "TEXT",
      description: "why (default: roll back to REVISION)",
    },
    ...PUBLISH_OPTIONS,
  ],
  examples: [
    {
      command: "ipvsadm fleet rollback web 6",
      shows: "publish the table of revision 6 again",
    },
  ],
};
