import { bunIo, compileFromNowOn } from "../src/runtime/bun-io.js";
import { mainSubcommands } from "../src/subcommands.js";

/** Runs a command line that begins with a word, as bin/subcommands.ts does for Node.js. */
export function runSubcommands(
  words: readonly string[],
): Promise<number | undefined> {
  compileFromNowOn();
  return mainSubcommands(words, bunIo());
}
