import type { ClassicIo } from "./io.js";
import { OutputClosed } from "../system/streams.js";

/** The exit status that a shell reports after SIGPIPE, which ends the original. */
const ENDED_BY_SIGPIPE = 141;

/**
 * Runs a command and writes all buffered output before the process ends.
 *
 * @param unwritten is called if output could not be written, with the error, such as ENOSPC, and
 *   the exit status. Returns the new exit status. Without it, the error is ignored, as in the
 *   original
 */
export async function finish<Status extends number | undefined>(
  io: ClassicIo,
  run: () => Promise<Status>,
  unwritten?: (code: string, status: Status) => Promise<Status>,
): Promise<Status | number> {
  try {
    const status = await run();
    const code = io.flush();
    return code !== undefined && unwritten
      ? await unwritten(code, status)
      : status;
  } catch (error) {
    if (error instanceof OutputClosed) return ENDED_BY_SIGPIPE;
    throw error;
  }
}
