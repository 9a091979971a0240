import { lockTable } from "../../cli/changes/lock-table.js";
import type { Invocation } from "../../cli/invocation.js";
import { LockFailed, type Lock } from "../../system/lock.js";

/** Others hold the lock only for a moment, except `apply --drain` while it waits. */
const WAIT_SECONDS = 10;

/**
 * Takes the lock of the table while a weight is saved and changed, so that drain, undrain and apply do not interfere.
 *
 * @returns undefined if the folder of the lock is not writable: then no weight can be saved there, either
 * @throws {LockHeld} if another process holds the lock
 */
export async function lockWeight(
  call: Invocation,
  subcommand: "drain" | "undrain",
): Promise<Lock | undefined> {
  try {
    return await lockTable(call, subcommand, { waitSeconds: WAIT_SECONDS });
  } catch (error) {
    if (error instanceof LockFailed) return undefined;
    throw error;
  }
}
