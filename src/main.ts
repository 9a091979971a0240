import { finish } from "./runtime/finish.js";
import type { ClassicIo } from "./runtime/io.js";

/**
 * Whether a command line is for the subcommands, which are a program of their own (words.ts): it begins with
 * a word. All else is classic, and loads nothing of them.
 */
export function isSubcommandLine([first = ""]: readonly string[]): boolean {
  return /^[A-Za-z][A-Za-z-]*$/.test(first);
}

/**
 * Runs a command line that begins with a word.
 *
 * @returns the exit status; undefined if the classic language has its own answer to that word
 */
export type RunSubcommands = (
  words: readonly string[],
) => Promise<number | undefined>;

/**
 * Runs ipvsadm.
 *
 * @param words the command line without the program's name, one character a byte
 * @param runSubcommands loads the subcommands, which are another bundle on Node.js
 * @returns the exit status
 */
export async function main(
  words: readonly string[],
  io: ClassicIo,
  runSubcommands: RunSubcommands,
): Promise<number> {
  if (isSubcommandLine(words)) {
    const status = await runSubcommands(words);
    if (status !== undefined) return status;
  }
  return finish(io, async () => {
    const { runClassic } = await import("./classic/run.js");
    return runClassic(words, io);
  });
}

/** Runs ipvsadm-save. @returns the exit status */
export function mainSave(
  words: readonly string[],
  io: ClassicIo,
): Promise<number> {
  return finish(io, async () => {
    const { runSave } = await import("./classic/save.js");
    return runSave(words, io);
  });
}

/** Runs ipvsadm-restore. @returns the exit status */
export function mainRestore(io: ClassicIo): Promise<number> {
  return finish(io, async () => {
    const { runRestore } = await import("./classic/restore.js");
    return runRestore(io);
  });
}
