import type { Io } from "./io.js";
import { OutputClosed } from "./system/streams.js";

/** What a shell reports of a process that SIGPIPE ended, as it ends the original. */
const ENDED_BY_SIGPIPE = 141;

/**
 * Runs ipvsadm.
 *
 * @param words the command line without the program's name, one character a byte
 * @returns the exit status
 */
export function main(words: readonly string[], io: Io): Promise<number> {
  return finish(io, async () => {
    const { runClassic } = await import("./classic/run.js");
    return runClassic(words, io);
  });
}

/** Runs ipvsadm-save. @returns the exit status */
export function mainSave(words: readonly string[], io: Io): Promise<number> {
  return finish(io, async () => {
    const { runSave } = await import("./classic/tools.js");
    return runSave(words, io);
  });
}

/** Runs ipvsadm-restore. @returns the exit status */
export function mainRestore(io: Io): Promise<number> {
  return finish(io, async () => {
    const { runRestore } = await import("./classic/tools.js");
    return runRestore(io);
  });
}

/** Has everything written out before the process ends. */
async function finish(io: Io, run: () => Promise<number>): Promise<number> {
  try {
    const status = await run();
    io.flush();
    return status;
  } catch (error) {
    if (error instanceof OutputClosed) return ENDED_BY_SIGPIPE;
    throw error;
  }
}
