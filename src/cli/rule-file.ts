import { readFileSync } from "node:fs";
import type { Io } from "../runtime/io.js";
import { errnoText } from "../netlink/errno.js";
import type { RuleFile } from "../rules/rule-file.js";
import { readRules } from "../rules/read-rules.js";
import type { NameLookups } from "../rules/name-lookups.js";
import { InputFailed } from "../system/files.js";
import { CommandError } from "./errors.js";
import type { Output } from "./output.js";
import { findingLines } from "./rule-findings.js";
import { escapeControls } from "./escape.js";
import { findIncluded } from "./included-files.js";

/**
 * Reads a rule file, and collects the faults in it.
 *
 * @param name a path, or `-` for standard input
 * @throws {CommandError} the file cannot be read
 */
export async function readRuleFile(
  name: string,
  io: Io,
  names: NameLookups = io.names,
): Promise<RuleFile> {
  const find = name === "-" ? undefined : findIncluded;
  return readRules(name, await contentOf(name, io), names, find);
}

/**
 * Reads a rule file that must have no faults. Prints all faults on stderr, as `check` does.
 *
 * @param refuse throws for files that the subcommand does not accept, before errors are shown
 * @throws {CommandError} the file cannot be read, or has faults
 */
export async function readValidRules(
  name: string,
  io: Io,
  output: Output,
  refuse?: (file: RuleFile) => void,
): Promise<RuleFile> {
  const file = await readRuleFile(name, io);
  refuse?.(file);
  if (file.errors.length === 0) return file;
  const { errorPaint: paint, width } = output;
  for (const error of file.errors)
    output.report(findingLines(file, "error", error, { paint, width }));
  const count = file.errors.length;
  throw new CommandError(
    `${escapeControls(name)} has ${count === 1 ? "an error" : `${count} errors`}`,
    "nothing was changed",
  );
}

/** The content of a file, one character per byte. */
async function contentOf(name: string, io: Io): Promise<string> {
  try {
    if (name !== "-") return readFileSync(name, "latin1");
    const lines: string[] = [];
    for await (const more of io.stdin())
      for (const line of more) lines.push(line);
    return lines.join("\n");
  } catch (error) {
    throw new CommandError(`cannot read ${named(name)}: ${reasonOf(error)}`);
  }
}

/** The name of a file in messages. */
export function named(name: string): string {
  return name === "-" ? "standard input" : escapeControls(name);
}

function reasonOf(error: unknown): string {
  const cause = error instanceof InputFailed ? error.cause : error;
  const { errno, code } = cause as NodeJS.ErrnoException;
  if (errno !== undefined) return errnoText(Math.abs(errno));
  return code ?? String(cause);
}
