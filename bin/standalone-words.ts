import { bunIo, compileFromNowOn } from "../src/bun-io.js";
import { mainWords } from "../src/words.js";

/** Runs a command line that begins with a word, as bin/verbs.ts does for Node.js. */
export function runWords(
  words: readonly string[],
): Promise<number | undefined> {
  compileFromNowOn();
  return mainWords(words, bunIo());
}
