import { bunIo } from "../src/runtime/bun-io.js";
import { main, mainRestore, mainSave } from "../src/main.js";
import { calledAs, commandWords } from "../src/system/process.js";

/*
 * The executable that needs no Node.js. It contains all programs and acts as the one by whose name
 * it is called. bin/build-full builds it with the runtime Bun.
 */

/** The subcommands are a separate part: even unused functions take time to define. */
const runSubcommands = async (words: readonly string[]) =>
  (await import("./full-subcommands.js")).runSubcommands(words);

async function run(words: readonly string[]): Promise<number> {
  const io = bunIo();
  if (calledAs().endsWith("ipvsadm-save")) return mainSave(words, io);
  if (calledAs().endsWith("ipvsadm-restore")) return mainRestore(io);
  return main(words, io, runSubcommands);
}

void run(commandWords()).then((status) => process.exit(status));
