import { nodeIo } from "../src/runtime/node-io.js";
import { mainSubcommands } from "../src/subcommands.js";

/**
 * Runs a command line that begins with a word, on this machine. Its `Io` is made here: an error that a
 * class of the other bundle made is no instance of the class of this one.
 */
export function runSubcommands(
  words: readonly string[],
): Promise<number | undefined> {
  return mainSubcommands(words, nodeIo());
}
