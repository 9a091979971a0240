import { CALL_BACK } from "./commands/completion/shells.js";
import { finish } from "./runtime/finish.js";
import type { Io } from "./runtime/io.js";

/**
 * Runs a subcommand.
 *
 * @param words the command line arguments, one character per byte
 * @returns the exit status; undefined if the word is neither a subcommand nor similar to one. The
 *   classic parser then reports the error
 */
export function mainSubcommands(
  words: readonly string[],
  io: Io,
): Promise<number | undefined> {
  const run = async () => {
    const [name, ...rest] = words;
    if (name === CALL_BACK) {
      // Completion: the user pressed Tab. Loading the parser of the subcommands would take too
      // long.
      const { answer } = await import("./commands/completion/answer.js");
      const status = await answer(rest, io);
      if (status !== undefined) return status;
    }
    const { REGISTRY } = await import("./commands/registry.js");
    const { runSubcommand } = await import("./cli/run-subcommand.js");
    return runSubcommand(REGISTRY, words, io);
  };
  return finish(io, run, async (code, status) => {
    const { explainUnwritten } = await import("./cli/unwritten-output.js");
    return explainUnwritten(io, code, status);
  });
}
