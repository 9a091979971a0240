import { LockHeld, takeLock, type Lock } from "../../system/lock.js";
import { CommandError } from "../../cli/errors.js";
import type { Invocation } from "../../cli/invocation.js";

/** How often to try the lock again. */
const RETRY_MILLISECONDS = 200;

/**
 * Takes the lock of the table. Waits for it for up to `--wait`.
 *
 * @throws {LockHeld} if another process holds the lock
 * @throws {LockFailed} if the lock file cannot be created or read
 */
export async function lockTable(
  { given, io, progress }: Invocation,
  subcommand: string,
  signal: AbortSignal,
): Promise<Lock> {
  const { clock } = io;
  const waitMilliseconds = (given.duration("wait") ?? 0) * 1000;
  const start = clock.now();
  for (;;) {
    try {
      const lock = takeLock(io, subcommand);
      progress.end();
      return lock;
    } catch (error) {
      const timedOut = clock.now() - start >= waitMilliseconds;
      if (!(error instanceof LockHeld) || timedOut) throw error;
      const { holder } = error;
      progress.begin(() =>
        holder ? `waiting for process ${holder.pid}` : "waiting",
      );
    }
    await clock.sleep(RETRY_MILLISECONDS, signal);
    if (signal.aborted)
      throw new CommandError("interrupted; nothing was changed");
  }
}
