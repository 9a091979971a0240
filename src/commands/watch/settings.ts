import { join } from "node:path";
import type { Io } from "../../runtime/io.js";
import { textOf } from "../../system/files.js";
import { UsageError } from "../../cli/errors.js";
import type { Arguments } from "../../cli/parser.js";
import { readService } from "../../cli/selectors.js";
import { escapeControls } from "../../cli/escape.js";
import type { Clock } from "./clock.js";
import type { Wanted } from "./read-table.js";
import { SORT_KEYS, type Arrangement } from "./rows.js";

/** What was asked for on the command line. */
export interface Settings {
  /** In seconds */
  readonly interval: number;
  /** How many frames; undefined: until somebody quits */
  readonly count: number | undefined;
  readonly wanted: readonly Wanted[];
  readonly arrangement: Arrangement;
  readonly clock: Clock;
  /** What keeps the figures from being right, now */
  notice(): string | undefined;
}

/** @throws {UsageError} @throws {SelectorFault} */
export async function settingsOf(
  given: Arguments,
  io: Io,
  clock: Clock,
): Promise<Settings> {
  const count = given.number("count");
  if (count !== undefined && !Number.isInteger(count))
    throw new UsageError("--count takes a whole number", "watch");
  const wanted = await Promise.all(
    given.positionals.map(async (text) => ({
      text: escapeControls(text),
      selector: await readService(text, io.names),
    })),
  );
  const sort = SORT_KEYS.find((key) => key === given.text("sort"));
  return {
    interval: given.number("interval") ?? 2,
    count,
    wanted,
    arrangement: {
      sort: sort ?? "connections",
      reversed: given.flag("reverse"),
      filter: escapeControls(given.text("filter") ?? ""),
      servers: !given.flag("services-only"),
    },
    clock,
    notice: () => noticeOf(io.procFolder),
  };
}

/** Since Linux 6.2, the kernel can be told to let its counters be. */
function noticeOf(procFolder: string): string | undefined {
  const file = join(procFolder, "sys/net/ipv4/vs/run_estimation");
  return textOf(file)?.trim() === "0"
    ? "the kernel does not count: net.ipv4.vs.run_estimation is 0"
    : undefined;
}
