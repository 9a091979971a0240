import { UsageError } from "../../cli/errors.js";
import type { Invocation, RunSubcommand } from "../../cli/invocation.js";
import { readFilters } from "../list/filter.js";
import { systemClock, type Clock } from "../watch/clock.js";
import { printChanges } from "./print-changes.js";

export const run: RunSubcommand = (call) => monitor(call, systemClock);

/** Runs `monitor` with a clock. */
export async function monitor(call: Invocation, clock: Clock): Promise<number> {
  const { given, io } = call;
  if (given.flag("names") && given.text("output") === "ndjson")
    throw new UsageError(
      "--names works with the format text, not with ndjson",
      "monitor",
    );
  return printChanges(call, clock, {
    filters: await readFilters(given, io.names, "monitor"),
    intervalSeconds: given.number("interval") ?? 1,
    count: given.number("count"),
    names: given.flag("names"),
  });
}
