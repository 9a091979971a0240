import type { ClassicIo } from "./io.js";
import { OutputClosed } from "../system/streams.js";

/** What a shell reports of a process that SIGPIPE ended, as it ends the original. */
const ENDED_BY_SIGPIPE = 141;

/**
 * Has everything written out before the process ends.
 *
 * @param unwritten is told why not all of stdout could be written, such as ENOSPC, and what the status would be;
 *   makes another of it. The original does not look, so without this nobody is told.
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
