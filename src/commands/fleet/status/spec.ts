import type { SubcommandSpec } from "../../../cli/spec.js";
import { WIDE_OPTION } from "../../../cli/common-options.js";
import { TEXT_OR_JSON } from "../../../cli/text-or-json.js";
import { summaryOf } from "../actions.js";
import { CONNECTION_OPTIONS } from "../connection-options.js";

export const fleetStatusSpec: SubcommandSpec = {
  name: "fleet status",
  summary: summaryOf("status"),
  description: [
    "Shows for each director the revision that it is to apply, the revision that its kernel had at the last reading, and its load. Sums are over directors that are not silent.",
    "The exit status is 0 if every director is ok, 1 if one is silent or failed or there is none, and 4 if one is behind, drifting, paused or waiting.",
    "--watch prints a line whenever something changes, until ctrl-C; with -o json, a document per line.",
  ],
  positionals: [],
  options: [
    {
      name: "table",
      type: "list",
      value: "NAME",
      description: "only directors of these tables",
    },
    {
      name: "label",
      alias: "l",
      type: "list",
      value: "KEY=VALUE",
      description: "only directors with one of these labels",
    },
    {
      name: "watch",
      type: "flag",
      description: "print changes until ctrl-C",
    },
    WIDE_OPTION,
    TEXT_OR_JSON,
    ...CONNECTION_OPTIONS,
  ],
  terms: [
    {
      title: "States",
      terms: [
        ["ok", "the kernel has the wanted revision"],
        ["behind", "the wanted revision is not applied yet"],
        ["drifting", "somebody else changed the table of the director"],
        ["paused", "'fleet override' paused the director"],
        ["waiting", "the table has no released revision"],
        ["failed", "the wanted revision cannot be applied"],
        ["silent", "the director has not reported for a while"],
      ],
    },
  ],
  examples: [
    { command: "ipvsadm fleet status", shows: "show all directors" },
    {
      command: "ipvsadm fleet status --label site=fra -o json",
      shows: "show the directors of one site as JSON",
    },
  ],
};
