import { makeTable } from "../apply/make-table.js";
import { WHOLE } from "../changes/scope.js";
import type { VerbRun } from "../row.js";

export const run: VerbRun = (call) =>
  makeTable(call, {
    verb: "restore",
    scope: { ...WHOLE, selected: [] },
    drain: undefined,
  });
