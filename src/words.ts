import { finish } from "./finish.js";
import type { Io } from "./io.js";
import { runVerb } from "./verbs/run.js";

/**
 * Runs ipvsadm with a command line that begins with a word.
 *
 * @param words the command line without the program's name, one character a byte
 * @returns the exit status; undefined if the word is neither a verb nor near to one: the classic language
 *   has its own answer to that
 */
export function mainWords(
  words: readonly string[],
  io: Io,
): Promise<number | undefined> {
  return finish(io, () => runVerb(words, io));
}
