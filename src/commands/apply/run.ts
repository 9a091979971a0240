import { readScope } from "../../cli/changes/scope.js";
import { UsageError } from "../../cli/errors.js";
import type { RunSubcommand } from "../../cli/invocation.js";
import { applyFile } from "./apply-file.js";

export const run: RunSubcommand = async (call) => {
  const { given, io } = call;
  const timeoutSeconds = given.duration("timeout");
  if (timeoutSeconds !== undefined && !given.flag("drain"))
    throw new UsageError("--timeout goes with --drain", "apply");
  return applyFile(call, {
    subcommand: "apply",
    scope: await readScope(given, io.names),
    drain: given.flag("drain") ? { timeoutSeconds } : undefined,
  });
};
