import { finish } from "./runtime/finish.js";
import type { ClassicIo } from "./runtime/io.js";

/** Whether a command line is for a subcommand: its first argument is a word. All other command lines are classic. */
export function isSubcommandLine([first = ""]: readonly string[]): boolean {
  return /^[A-Za-z][A-Za-z-]*$/.test(first);
}

/**
 * Runs a command line that begins with a word.
 *
 * @returns the exit status. Undefined if the word is not similar to any command: then the classic parser answers
 */
export type RunSubcommands = (
  argv: readonly string[],
) => Promise<number | undefined>;

/**
 * Runs ipvsadm.
 *
 * @param argv the arguments, one character per byte
 * @param runSubcommands loads and runs the subcommands. On Node.js they are a bundle of their own, so that a classic command
 *   does not load them
 * @returns the exit status
 */
export async function main(
  argv: readonly string[],
  io: ClassicIo,
  runSubcommands: RunSubcommands,
): Promise<number> {
  if (isSubcommandLine(argv)) {
    const status = await runSubcommands(argv);
    if (status !== undefined) return status;
  }
  return finish(io, async () => {
    const { runClassic } = await import("./classic/run.js");
    return runClassic(argv, io);
  });
}

/** Runs ipvsadm-save. @returns the exit status */
export function mainSave(
  argv: readonly string[],
  io: ClassicIo,
): Promise<number> {
  return finish(io, async () => {
    const { runSave } = await import("./classic/save.js");
    return runSave(argv, io);
  });
}

/** Runs ipvsadm-restore. @returns the exit status */
export function mainRestore(io: ClassicIo): Promise<number> {
  return finish(io, async () => {
    const { runRestore } = await import("./classic/restore.js");
    return runRestore(io);
  });
}
