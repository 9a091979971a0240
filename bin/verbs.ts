import { nodeIo } from "../src/node-io.js";
import { mainWords } from "../src/words.js";

/**
 * Runs a command line that begins with a word, on this machine. Its `Io` is made here: an error that a
 * class of the other bundle made is no instance of the class of this one.
 */
export function runWords(
  words: readonly string[],
): Promise<number | undefined> {
  return mainWords(words, nodeIo());
}
