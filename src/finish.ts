import type { Io } from "./io.js";
import { OutputClosed } from "./system/streams.js";

/** What a shell reports of a process that SIGPIPE ended, as it ends the original. */
const ENDED_BY_SIGPIPE = 141;

/** Has everything written out before the process ends. */
export async function finish<Status extends number | undefined>(
  io: Io,
  run: () => Promise<Status>,
): Promise<Status | number> {
  try {
    const status = await run();
    io.flush();
    return status;
  } catch (error) {
    if (error instanceof OutputClosed) return ENDED_BY_SIGPIPE;
    throw error;
  }
}
