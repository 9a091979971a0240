import { lockTable } from "../../cli/changes/lock-table.js";
import { CommandError } from "../../cli/errors.js";
import type { Interrupt } from "../../cli/interrupt.js";
import { statusOf } from "../../system/signals.js";
import type { Invocation } from "../../cli/invocation.js";
import { LockFailed, type Lock } from "../../system/lock.js";

/** Others hold the lock only for a moment, except `apply --drain` while it waits. */
const WAIT_SECONDS = 10;

/**
 * Takes the lock of the table while a weight is saved and changed, so that drain, undrain and apply do not interfere.
 *
 * @param interrupt ends the wait for the lock
 * @returns undefined if the folder of the lock is not writable: then no weight can be saved there, either
 * @throws {LockHeld} if another process holds the lock
 * @throws {CommandError} if a signal ended the wait
 */
export async function lockWeight(
  call: Invocation,
  subcommand: "drain" | "undrain",
  interrupt?: Interrupt,
): Promise<Lock | undefined> {
  try {
    return await lockTable(call, subcommand, {
      waitSeconds: WAIT_SECONDS,
      ...(interrupt && { signal: interrupt.signal }),
    });
  } catch (error) {
    if (error instanceof LockFailed) return undefined;
    if (error instanceof CommandError && interrupt?.caught)
      throw new CommandError(
        error.fault,
        error.advice,
        statusOf(interrupt.caught),
      );
    throw error;
  }
}
