import { ConnectionReader } from "../../ipvs/connection-reader.js";
import { isTemplate } from "../../ipvs/connection-states.js";
import type { Io } from "../../runtime/io.js";
import { EACCES, ENOENT, EPERM, errnoText } from "../../netlink/errno.js";
import { blocksOf, InputFailed } from "../../system/files.js";
import { CommandError } from "../../cli/errors.js";
import { EXIT } from "../../cli/exit-status.js";
import { testFor } from "./filter.js";
import type { Query } from "./query.js";

/** How many entries match the filters, whether or not templates are shown. */
export interface Totals {
  connections: number;
  templates: number;
}

/** What to do with the matching entries. */
export interface Visitor {
  /** Called for each entry, which is the current one of the reader. */
  visit(line: ConnectionReader): void;
  /** Called between chunks. @returns whether to stop */
  pause?(): Promise<boolean> | boolean;
}

/**
 * Reads the kernel's connection table once.
 *
 * @throws {CommandError} the file cannot be read
 */
export async function scan(
  { filters, templates }: Query,
  { connectionsFile }: Io,
  visitor: Visitor,
): Promise<Totals> {
  const test = testFor(filters);
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

/** Turns an error of reading the file into a CommandError. Other errors are returned unchanged. */
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
