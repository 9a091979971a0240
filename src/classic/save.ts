import type { ClassicIo } from "../runtime/io.js";
import { inSession } from "./run.js";

const SAVE_HELP = `ipvsadm-save: Script to save the IPVS table to stdout.
   With the -n option, prints out the table in numeric format.
`;
const HELP_SHOWN = 1;
const FAILED = 1;

/**
 * ipvsadm-save: writes the table as rules.
 *
 * @param words `-n` for numbers instead of names; another option gets the help, other words nothing
 * Unlike `ipvsadm -S`, whose status says nothing of its output, this fails if the rules cannot be written: they
 * are there to be read again.
 *
 * @returns the exit status
 */
export async function runSave(
  words: readonly string[],
  io: ClassicIo,
): Promise<number> {
  if (words.some((word) => word.startsWith("-") && word !== "-n")) {
    io.stderr(SAVE_HELP);
    return HELP_SHOWN;
  }
  const status = await inSession(io, async (session) => {
    await session.carryOut({
      command: "save",
      numeric: words.includes("-n"),
    });
  });
  const fault = io.flush();
  if (fault === undefined) return status;
  io.stderr(`ipvsadm-save: cannot write the rules: ${fault}\n`);
  return FAILED;
}
