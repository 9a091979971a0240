import type { Io } from "../../runtime/io.js";
import { escapeControls, fromBytes, toBytes } from "../../cli/escape.js";
import { forBash, readBashLine, type BashLine } from "./bash-line.js";
import type { Candidates } from "./candidates.js";
import { commands, completeClassic } from "./complete-classic.js";
import { LiveValues } from "./live-values.js";
import type { Line } from "./cursor.js";
import { isShell, type Shell } from "./shells.js";
import { completeSubcommand, subcommands } from "./complete-subcommand.js";

/** The answer that makes the shell complete file names. */
const FILES = ":files\n";

/** Only values of these characters are offered: no shell interprets them. The scripts handle the brackets. */
const SAFE = /^[\w.:@%+,/=[\]-]+$/;

/**
 * Answers a completion script: prints one candidate per line; for zsh and fish with a tab and a description. Errors are not
 * printed, because they would appear in the middle of the command line.
 *
 * @param words the shell, and then
 *   - from bash: the text before the cursor, the text after it, and COMP_WORDBREAKS
 *   - from zsh and fish: the number of words before the word at the cursor, and all words from the program's name on. The
 *     word at the cursor ends at the cursor
 * @returns the exit status. Undefined if the caller is not a completion script
 */
export async function answer(
  words: readonly string[],
  io: Io,
): Promise<number | undefined> {
  const [shell, ...rest] = words.map(fromBytes);
  if (!isShell(shell) || rest.length < 2) return undefined;
  try {
    io.stdout(toBytes(await answerTo(shell, rest, io)));
  } catch {
    return 1;
  }
  return 0;
}

async function answerTo(
  shell: Shell,
  words: readonly string[],
  io: Io,
): Promise<string> {
  const [before = "", after = "", breaks = ""] = words;
  if (shell === "bash") {
    const line = readBashLine(before, after, breaks);
    if (line.redirected) return FILES;
    return textForBash(await complete(line, io), line);
  }
  const [, ...all] = words;
  const command = all.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word));
  const index = Number(before) - command - 1;
  const line = { words: all.slice(command + 1), index };
  return textForOthers(index < 0 ? [] : await complete(line, io));
}

/** Returns the candidates at the cursor. */
export async function complete(line: Line, io: Io): Promise<Candidates> {
  const [first = ""] = line.words;
  const live = new LiveValues(io);
  if (line.index === 0 && !first.startsWith("-"))
    return [...subcommands(), ...commands(first).filter(() => first === "")];
  return first.startsWith("-")
    ? completeClassic(line, io, live)
    : completeSubcommand(line, io, live);
}

function textForOthers(candidates: Candidates): string {
  if (candidates === "files") return FILES;
  return candidates
    .filter(({ value }) => SAFE.test(value))
    .map(
      ({ value, description }) => `${value}\t${escapeControls(description)}\n`,
    )
    .join("");
}

/** bash shows no descriptions, and does not filter the candidates itself. */
function textForBash(candidates: Candidates, line: BashLine): string {
  if (candidates === "files") return FILES;
  const text = line.words[line.index] ?? "";
  return candidates
    .filter(({ value }) => SAFE.test(value) && value.startsWith(text))
    .flatMap(({ value }) => forBash(value, line) ?? [])
    .map((value) => `${value}\n`)
    .join("");
}
