import { bunIo, compileFromNowOn } from "../src/runtime/bun-io.js";
import { mainSubcommands } from "../src/subcommands.js";

/** Runs a subcommand, like bin/subcommands.ts does on Node.js. */
export function runSubcommands(
  words: readonly string[],
): Promise<number | undefined> {
  compileFromNowOn();
  return mainSubcommands(words, bunIo());
}
