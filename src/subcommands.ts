import { CALL_BACK } from "./commands/completion/shells.js";
import { finish } from "./runtime/finish.js";
import type { Io } from "./runtime/io.js";

/**
 * Runs ipvsadm with a command line that begins with a word.
 *
 * @param words the command line without the program's name, one character a byte
 * @returns the exit status. undefined if the word is no subcommand and not similar to one: the classic language answers
 */
export function mainSubcommands(
  words: readonly string[],
  io: Io,
): Promise<number | undefined> {
  const run = async () => {
    const [name, ...rest] = words;
    if (name === CALL_BACK) {
      // The user pressed a key: loading the parser of the subcommands would take too long.
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
