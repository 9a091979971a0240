import { applyFile } from "../apply/apply-file.js";
import { WHOLE_TABLE } from "../../cli/changes/scope.js";
import type { RunSubcommand } from "../../cli/invocation.js";

export const run: RunSubcommand = (call) =>
  applyFile(call, {
    subcommand: "restore",
    scope: { ...WHOLE_TABLE, selected: [] },
    drain: undefined,
  });
