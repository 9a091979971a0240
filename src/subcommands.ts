import { CALLBACK } from "./commands/completion/shells.js";
import { finish } from "./runtime/finish.js";
import type { Io } from "./runtime/io.js";
import { tolerateDeletedDirectory } from "./system/working-directory.js";

/**
 * Runs ipvsadm with a command line that begins with a word.
 *
 * @param argv the arguments, one character per byte
 * @returns the exit status. Undefined if the word is not similar to any command: then the classic parser answers
 */
export function mainSubcommands(
  argv: readonly string[],
  io: Io,
): Promise<number | undefined> {
  tolerateDeletedDirectory();
  const run = async () => {
    const [name, ...rest] = argv;
    if (name === CALLBACK) {
      // The user pressed the tab key: do not load the parser of the subcommands, it takes too long.
      const { answer } = await import("./commands/completion/answer.js");
      const status = await answer(rest, io);
      if (status !== undefined) return status;
    }
    const { REGISTRY } = await import("./commands/registry.js");
    const { runSubcommand } = await import("./cli/run-subcommand.js");
    return runSubcommand(REGISTRY, argv, io);
  };
  return finish(io, run, async (code, status) => {
    const { explainUnwritten } = await import("./cli/unwritten-output.js");
    return explainUnwritten(io, code, status);
  });
}
