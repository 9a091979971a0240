import { nodeIo } from "../src/runtime/node-io.js";
import { mainSubcommands } from "../src/subcommands.js";

/**
 * Runs a subcommand. Creates its own Io, because an error class of one bundle is not an instance of
 * the same class in another.
 */
export function runSubcommands(
  words: readonly string[],
): Promise<number | undefined> {
  return mainSubcommands(words, nodeIo());
}
