import type { Io } from "./io.js";
import { OutputClosed } from "./system/streams.js";

/** What a shell reports of a process that SIGPIPE ended, as it ends the original. */
const ENDED_BY_SIGPIPE = 141;

/**
 * Runs the program.
 *
 * @param words the command line without the program's name, one character a byte
 * @returns the exit status
 */
export async function main(words: readonly string[], io: Io): Promise<number> {
  try {
    const { runClassic } = await import("./classic/run.js");
    const status = await runClassic(words, io);
    io.flush();
    return status;
  } catch (error) {
    if (error instanceof OutputClosed) return ENDED_BY_SIGPIPE;
    throw error;
  }
}
