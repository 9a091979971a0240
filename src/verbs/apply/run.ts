import { readScope } from "../changes/scope.js";
import { UsedWrong } from "../faults.js";
import type { VerbRun } from "../row.js";
import { makeTable } from "./make-table.js";

export const run: VerbRun = async (call) => {
  const { given, io } = call;
  const timeoutSeconds = given.duration("timeout");
  if (timeoutSeconds !== undefined && !given.flag("drain"))
    throw new UsedWrong("--timeout goes with --drain", "apply");
  return makeTable(call, {
    verb: "apply",
    scope: await readScope(given, io.names),
    drain: given.flag("drain") ? { timeoutSeconds } : undefined,
  });
};
