import { finish } from "./runtime/finish.js";
import type { ClassicIo } from "./runtime/io.js";

/**
 * Whether a command line begins with a subcommand: a word without a dash. Everything else is a
 * classic command, which loads no code of the subcommands.
 */
export function isSubcommandLine([first = ""]: readonly string[]): boolean {
  return /^[A-Za-z][A-Za-z-]*$/.test(first);
}

/**
 * Runs a subcommand.
 *
 * @returns the exit status; undefined if the word is not a subcommand, so that the classic parser
 *   reports the error
 */
export type RunSubcommands = (
  words: readonly string[],
) => Promise<number | undefined>;

/**
 * Runs ipvsadm.
 *
 * @param words the command line arguments, one character per byte
 * @param runSubcommands loads the subcommands, which are a separate bundle on Node.js
 * @returns the exit status
 */
export async function main(
  words: readonly string[],
  io: ClassicIo,
  runSubcommands: RunSubcommands,
): Promise<number> {
  if (isSubcommandLine(words)) {
    const status = await runSubcommands(words);
    if (status !== undefined) return status;
  }
  return finish(io, async () => {
    const { runClassic } = await import("./classic/run.js");
    return runClassic(words, io);
  });
}

/** Runs ipvsadm-save. @returns the exit status */
export function mainSave(
  words: readonly string[],
  io: ClassicIo,
): Promise<number> {
  return finish(io, async () => {
    const { runSave } = await import("./classic/save-restore.js");
    return runSave(words, io);
  });
}

/** Runs ipvsadm-restore. @returns the exit status */
export function mainRestore(io: ClassicIo): Promise<number> {
  return finish(io, async () => {
    const { runRestore } = await import("./classic/save-restore.js");
    return runRestore(io);
  });
}
