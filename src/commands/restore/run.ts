import { makeTable } from "../apply/make-table.js";
import { WHOLE } from "../../cli/changes/scope.js";
import type { RunSubcommand } from "../../cli/invocation.js";

export const run: RunSubcommand = (call) =>
  makeTable(call, {
    subcommand: "restore",
    scope: { ...WHOLE, selected: [] },
    drain: undefined,
  });
