import { LIBRARY, LockHeld, takeLock, type LockPlace } from "../system/lock.js";
import { systemClock } from "../system/clock.js";
import { SECONDS, STOP_SIGNAL } from "./shapes.js";
import { object, optional, text, type Shape } from "./shape.js";
import { abortSignal } from "./abort-signal.js";
import type { StopSignal } from "./stop-signal.js";

/**
 * How a function of the library changes the table at the same time as other programs.
 *
 * @since 0.2.0
 */
export interface LockOptions {
  /**
   * How long to wait, in seconds, if `ipvsadm apply`, `drain` or another program that uses the
   * library holds the lock of the table; by default 10. Infinity waits without limit
   */
  readonly lockSeconds?: number | undefined;
  /** The folder of the lock and of saved weights; by default /run, as for the program */
  readonly runFolder?: string | undefined;
  /** Stops the work, and rolls back what was changed */
  readonly signal?: StopSignal | undefined;
}

export const LOCK_FIELDS: Readonly<Record<string, Shape>> = {
  lockSeconds: optional(SECONDS),
  runFolder: optional(text),
  signal: optional(STOP_SIGNAL),
};

/** The shape of options that have only these fields. */
export const LOCK_OPTIONS: Shape = optional(object("options", LOCK_FIELDS));

const USUAL_SECONDS = 10;
const RETRY_MILLISECONDS = 200;

/** The folders of the lock and of saved weights. */
export function placeOf({ runFolder = "/run" }: LockOptions): LockPlace {
  return { runFolder, procFolder: "/proc" };
}

/**
 * Runs something while no other program that takes the lock changes the table.
 *
 * @throws {LockHeld} if another process holds the lock for longer than `lockSeconds`
 * @throws {LockFailed} if the lock cannot be created
 * @throws the reason of the signal
 */
export async function locked<T>(
  options: LockOptions,
  act: () => Promise<T>,
): Promise<T> {
  const { lockSeconds = USUAL_SECONDS } = options;
  const signal = abortSignal(options.signal);
  const began = systemClock.now();
  for (;;) {
    try {
      using lock = takeLock(placeOf(options), LIBRARY);
      const result = await act();
      lock.release();
      return result;
    } catch (error) {
      const late = systemClock.now() - began >= lockSeconds * 1000;
      if (!(error instanceof LockHeld) || late) throw error;
    }
    await systemClock.sleep(RETRY_MILLISECONDS, signal);
    // A StopSignal need not have more members than its type.
    if (signal.aborted) throw signal.reason;
  }
}
