import { bunIo } from "../src/runtime/bun-io.js";
import { main, mainRestore, mainSave } from "../src/main.js";
import { calledAs, commandWords } from "../src/system/process.js";

/*
 * The executable that needs no Node.js: all programs in one, which goes by the name that it is called by.
 * bin/build-full makes it; its runtime is Bun.
 */

/** The subcommands are a part of their own: even functions that nobody calls take time, when they are defined. */
const runSubcommands = async (words: readonly string[]) =>
  (await import("./full-subcommands.js")).runSubcommands(words);

async function run(words: readonly string[]): Promise<number> {
  const io = bunIo();
  if (calledAs().endsWith("ipvsadm-save")) return mainSave(words, io);
  if (calledAs().endsWith("ipvsadm-restore")) return mainRestore(io);
  return main(words, io, runSubcommands);
}

void run(commandWords()).then((status) => process.exit(status));
