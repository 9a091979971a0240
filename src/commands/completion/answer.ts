import type { Io } from "../../runtime/io.js";
import { escapeControls, fromBytes, toBytes } from "../../cli/escape.js";
import { forBash, readBashLine, type BashLine } from "./bash-line.js";
import type { Candidates } from "./candidates.js";
import { commands, completeClassic } from "./complete-classic.js";
import { Live } from "./live-table.js";
import type { Line } from "./cursor.js";
import { isShell, type Shell } from "./shells.js";
import { completeWord, subcommands } from "./complete-subcommand.js";

/** The answer by which the shell is to look for files. */
const FILES = ":files\n";

/** Values of these characters alone are offered: no shell takes them, or what it makes of brackets, for anything else. */
const HARMLESS = /^[\w.:@%+,/=[\]-]+$/;

/**
 * Answers a script of completion: prints what may stand at the cursor, a line each, for zsh and fish with a tab and
 * the description behind it. Says nothing of what goes wrong: nobody would understand it in the middle of a line.
 *
 * @param words the shell; then from bash the text before the cursor, that after it and COMP_WORDBREAKS; from the
 *   others how many words stand before the one at the cursor, and all words from the program's name on, that at the
 *   cursor cut off there
 * @returns the exit status; undefined if it is no script that asks
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
    return shownToBash(await complete(line, io), line);
  }
  const [, ...all] = words;
  const command = all.findIndex((word) => !/^[A-Za-z_]\w*=/.test(word));
  const index = Number(before) - command - 1;
  const line = { words: all.slice(command + 1), index };
  return shown(index < 0 ? [] : await complete(line, io));
}

/** What may stand at the cursor. */
export async function complete(line: Line, io: Io): Promise<Candidates> {
  const [first = ""] = line.words;
  const live = new Live(io);
  if (line.index === 0 && !first.startsWith("-"))
    return [...subcommands(), ...commands(first).filter(() => first === "")];
  return first.startsWith("-")
    ? completeClassic(line, io, live)
    : completeWord(line, io, live);
}

function shown(candidates: Candidates): string {
  if (candidates === "files") return FILES;
  return candidates
    .filter(({ value }) => HARMLESS.test(value))
    .map(
      ({ value, description }) => `${value}\t${escapeControls(description)}\n`,
    )
    .join("");
}

/** bash does not choose among the candidates, and shows nothing but them. */
function shownToBash(candidates: Candidates, line: BashLine): string {
  if (candidates === "files") return FILES;
  const text = line.words[line.index] ?? "";
  return candidates
    .filter(({ value }) => HARMLESS.test(value) && value.startsWith(text))
    .flatMap(({ value }) => forBash(value, line) ?? [])
    .map((value) => `${value}\n`)
    .join("");
}
