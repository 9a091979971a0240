import { finish } from "./finish.js";
import type { Io } from "./io.js";
import { CALL_BACK } from "./verbs/completion/shells.js";

/**
 * Runs ipvsadm with a command line that begins with a word.
 *
 * @param words the command line without the program's name, one character a byte
 * @returns the exit status; undefined if the word is neither a verb nor near to one: the classic language
 *   has its own answer to that
 */
export function mainWords(
  words: readonly string[],
  io: Io,
): Promise<number | undefined> {
  const run = async () => {
    const [name, ...rest] = words;
    if (name === CALL_BACK) {
      // A key was pressed: the parser of the verbs would take too long to load.
      const { answer } = await import("./verbs/completion/answer.js");
      const status = await answer(rest, io);
      if (status !== undefined) return status;
    }
    const { runVerb } = await import("./verbs/run.js");
    return runVerb(words, io);
  };
  return finish(io, run, async (code, status) => {
    const { unwritten } = await import("./verbs/unwritten.js");
    return unwritten(io, code, status);
  });
}
