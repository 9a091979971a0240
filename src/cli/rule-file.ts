import { readFileSync } from "node:fs";
import type { Io } from "../runtime/io.js";
import { errnoText } from "../netlink/errno.js";
import type { RuleFile } from "../rules/file.js";
import { readRules } from "../rules/read.js";
import type { RuleNames } from "../rules/rule-names.js";
import { InputFailed } from "../system/files.js";
import { CommandError } from "./errors.js";
import type { Output } from "./output.js";
import { findingLines } from "./rule-findings.js";
import { escapeControls } from "./escape.js";

/**
 * Reads a rule file, and collects the faults in it.
 *
 * @param name a path, or `-` for standard input
 * @throws {CommandError} the file cannot be read
 */
export async function readRuleFile(
  name: string,
  io: Io,
  names: RuleNames = io.names,
): Promise<RuleFile> {
  return readRules(name, await contentOf(name, io), names);
}

/**
 * Reads a rule file that must have no faults. Prints all faults on stderr, as `check` does.
 *
 * @throws {CommandError} the file cannot be read, or has faults
 */
export async function readSoundRules(
  name: string,
  io: Io,
  output: Output,
): Promise<RuleFile> {
  const file = await readRuleFile(name, io);
  if (file.faults.length === 0) return file;
  const { errorPaint: paint, width } = output;
  for (const fault of file.faults)
    output.report(findingLines(file, "error", fault, { paint, width }));
  const count = file.faults.length;
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
