import type { Io } from "../runtime/io.js";
import { OutputFailed } from "../system/atomic-file.js";
import { Output } from "./output.js";

/**
 * Prints on stderr that stdout could not be written completely.
 *
 * @param code the reason, such as ENOSPC
 * @param status the exit status that the command would have otherwise
 * @returns the exit status
 */
export function explainUnwritten(
  io: Io,
  code: string,
  status: number | undefined,
): number {
  const fault = new OutputFailed("standard output", code);
  const failed = new Output(io, "auto").explain(fault);
  return status === undefined || status === 0 ? failed : status;
}
