import { ConnectionReader } from "../../ipvs/connection-reader.js";
import { isTemplate } from "../../ipvs/connection-states.js";
import type { Io } from "../../runtime/io.js";
import { EACCES, ENOENT, EPERM, errnoText } from "../../netlink/errno.js";
import { blocksOf, InputFailed } from "../../system/files.js";
import { CommandError } from "../../cli/errors.js";
import { EXIT } from "../../cli/exit-status.js";
import { testFor } from "./filter.js";
import type { Question } from "./query.js";

/** How many entries were wanted. Those that were not asked for are counted, too. */
export interface Totals {
  connections: number;
  templates: number;
}

/** What is done with the entries that are wanted. */
export interface Visitor {
  /** Takes the entry that the reader stands on. */
  visit(line: ConnectionReader): void;
  /** Called now and then. @returns whether no more is wanted */
  pause?(): Promise<boolean> | boolean;
}

/**
 * Goes through the kernel's connections once.
 *
 * @throws {CommandError} when the file cannot be read
 */
export async function scan(
  { wanted, templates }: Question,
  { connectionsFile }: Io,
  visitor: Visitor,
): Promise<Totals> {
  const test = testFor(wanted);
  const reader = new ConnectionReader();
  const totals = { connections: 0, templates: 0 };
  try {
    for await (const lines of blocksOf(connectionsFile)) {
      reader.load(lines);
      while (reader.next()) {
        if (!test(reader)) continue;
        const template = isTemplate(reader);
        if (template) totals.templates++;
        else totals.connections++;
        if (template ? templates !== "without" : templates !== "only")
          visitor.visit(reader);
      }
      if (await visitor.pause?.()) break;
    }
  } catch (error) {
    throw unreadable(error, connectionsFile);
  }
  return totals;
}

const ADVICE: Readonly<Record<number, string>> = {
  [ENOENT]: "load the module as root with 'modprobe ip_vs'",
  [EACCES]: "run it as root",
  [EPERM]: "run it as root",
};

/** Why the file cannot be read, in the words of a subcommand; any other error as it is. */
export function unreadable(error: unknown, file: string): unknown {
  if (error instanceof InputFailed)
    return new CommandError(`cannot read ${file}: ${error.message}`);
  const { errno, syscall } = error as NodeJS.ErrnoException;
  if (!(error instanceof Error) || syscall !== "open" || errno === undefined)
    return error;
  const positive = Math.abs(errno);
  return new CommandError(
    `cannot open ${file}: ${errnoText(positive)}`,
    ADVICE[positive],
    EXIT.unavailable,
  );
}
