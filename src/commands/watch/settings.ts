import { join } from "node:path";
import type { Io } from "../../runtime/io.js";
import { textOf } from "../../system/files.js";
import { UsageError } from "../../cli/errors.js";
import type { Arguments } from "../../cli/parser.js";
import { readServices, type Named } from "../../cli/selectors.js";
import { escapeControls } from "../../cli/escape.js";
import type { Clock } from "./clock.js";
import type { WatchColumnKey } from "./column-keys.js";
import type { ServiceSelector } from "../../grammar/selector.js";
import { SORT_KEYS, type Arrangement } from "./rows.js";

/** What the command line asks for. */
export interface Settings {
  readonly intervalSeconds: number;
  /** How many frames to show. Undefined: until the user quits */
  readonly count: number | undefined;
  readonly selected: readonly Named<ServiceSelector>[];
  readonly arrangement: Arrangement;
  /** Empty: the columns that fit */
  readonly columns: readonly WatchColumnKey[];
  readonly clock: Clock;
  /** Why the numbers are wrong now, if they are */
  notice(): string | undefined;
}

/** Reads the command line. @throws {SelectorFault} @throws {UsageError} */
export async function settingsOf(
  given: Arguments,
  io: Io,
  clock: Clock,
): Promise<Settings> {
  if (given.list("columns").length > 0 && given.text("output") !== "table")
    throw new UsageError(
      `--columns works with the format table, not with ${given.text("output") ?? ""}`,
      "watch",
    );
  const sort = SORT_KEYS.find((key) => key === given.text("sort"));
  return {
    intervalSeconds: given.number("interval") ?? 2,
    count: given.number("count"),
    selected: await readServices(given.positionals, io.names),
    arrangement: {
      sort: sort ?? "connections",
      reversed: given.flag("reverse"),
      filter: escapeControls(given.text("filter") ?? ""),
      servers: !given.flag("services-only"),
    },
    columns: given.list("columns") as readonly WatchColumnKey[], // The parser has checked them.
    clock,
    notice: () => noticeOf(io.procFolder),
  };
}

/** Since Linux 6.2, a sysctl can stop the kernel from updating its counters. */
function noticeOf(procFolder: string): string | undefined {
  const file = join(procFolder, "sys/net/ipv4/vs/run_estimation");
  return textOf(file)?.trim() === "0"
    ? "the kernel does not update its counters: net.ipv4.vs.run_estimation is 0"
    : undefined;
}
