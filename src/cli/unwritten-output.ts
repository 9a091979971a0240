import type { Io } from "../runtime/io.js";
import { OutputFailed } from "../system/atomic-file.js";
import { Output } from "./output.js";

/**
 * Says on stderr that not all of stdout could be written.
 *
 * @param code why not, such as ENOSPC
 * @param status what the exit status would be otherwise
 * @returns the exit status
 */
export function explainUnwritten(
  io: Io,
  code: string,
  status: number | undefined,
): number {
  const fault = new OutputFailed("standard output", code);
  const told = new Output(io, "auto").explain(fault);
  return status === undefined || status === 0 ? told : status;
}
