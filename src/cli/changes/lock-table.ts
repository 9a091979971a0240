import { LockHeld, takeLock, type Lock } from "../../system/lock.js";
import { CommandError } from "../errors.js";
import type { Invocation } from "../invocation.js";

/** How often to try the lock again. */
const RETRY_MILLISECONDS = 200;

export interface LockOptions {
  /** How long to wait for the lock */
  readonly waitSeconds: number;
  /** Ends the wait */
  readonly signal?: AbortSignal;
}

/**
 * Takes the lock of the table, which prevents two processes from changing it at the same time.
 *
 * @param subcommand the holder's name, for the message of others
 * @throws {LockHeld} if another process holds the lock
 * @throws {LockFailed} if the lock file cannot be created or read
 * @throws {CommandError} if the signal was given
 */
export async function lockTable(
  { io, progress }: Pick<Invocation, "io" | "progress">,
  subcommand: string,
  { waitSeconds, signal = new AbortController().signal }: LockOptions,
): Promise<Lock> {
  const { clock } = io;
  const start = clock.now();
  for (;;) {
    try {
      const lock = takeLock(io, subcommand);
      progress.end();
      return lock;
    } catch (error) {
      const timedOut = clock.now() - start >= waitSeconds * 1000;
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
