import { LockHeld, takeLock, type Lock } from "../../system/lock.js";
import { CommandError } from "../../cli/errors.js";
import type { Invocation } from "../../cli/invocation.js";

/** How often the lock is tried. */
const PERIOD_MILLISECONDS = 200;

/**
 * Takes the lock of the table, waiting for it as long as `--wait` says.
 *
 * @throws {LockHeld} when another process has it
 * @throws {LockFailed} when it can be neither made nor read
 */
export async function lockTable(
  { given, io, progress }: Invocation,
  subcommand: string,
  signal: AbortSignal,
): Promise<Lock> {
  const { clock } = io;
  const patience = (given.duration("wait") ?? 0) * 1000;
  const began = clock.now();
  for (;;) {
    try {
      const lock = takeLock(io, subcommand);
      progress.end();
      return lock;
    } catch (error) {
      const over = clock.now() - began >= patience;
      if (!(error instanceof LockHeld) || over) throw error;
      const { holder } = error;
      progress.begin(() =>
        holder ? `waiting for process ${holder.pid}` : "waiting",
      );
    }
    await clock.sleep(PERIOD_MILLISECONDS, signal);
    if (signal.aborted)
      throw new CommandError("interrupted: nothing was changed");
  }
}
