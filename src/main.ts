import { finish } from "./finish.js";
import type { Io } from "./io.js";

/**
 * Whether a command line is for the word verbs, which are a program of their own (words.ts): it begins with
 * a word. All else is classic, and loads nothing of them.
 */
export function beginsWithWord([first = ""]: readonly string[]): boolean {
  return /^[A-Za-z][A-Za-z-]*$/.test(first);
}

/**
 * Runs a command line that begins with a word.
 *
 * @returns the exit status; undefined if the classic language has its own answer to that word
 */
export type RunWords = (
  words: readonly string[],
) => Promise<number | undefined>;

/**
 * Runs ipvsadm.
 *
 * @param words the command line without the program's name, one character a byte
 * @param runWords loads the word verbs, which are another bundle on Node.js
 * @returns the exit status
 */
export async function main(
  words: readonly string[],
  io: Io,
  runWords: RunWords,
): Promise<number> {
  if (beginsWithWord(words)) {
    const status = await runWords(words);
    if (status !== undefined) return status;
  }
  return finish(io, async () => {
    const { runClassic } = await import("./classic/run.js");
    return runClassic(words, io);
  });
}

/** Runs ipvsadm-save. @returns the exit status */
export function mainSave(words: readonly string[], io: Io): Promise<number> {
  return finish(io, async () => {
    const { runSave } = await import("./classic/tools.js");
    return runSave(words, io);
  });
}

/** Runs ipvsadm-restore. @returns the exit status */
export function mainRestore(io: Io): Promise<number> {
  return finish(io, async () => {
    const { runRestore } = await import("./classic/tools.js");
    return runRestore(io);
  });
}
