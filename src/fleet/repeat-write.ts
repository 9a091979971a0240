import { StoreError } from "../store/store-error.js";
import { ContendedKey } from "./fleet-error.js";

/** How often a write is tried whose answer is lost each time. */
const MOST_ATTEMPTS = 4;

/** How often a change is tried that others prevent each time. Each time, one of the others has made its change. */
export const MOST_CONFLICTS = 20;

/**
 * Writes to the store, again if the answer is lost.
 *
 * @param write does no harm if it is made twice
 * @throws {StoreError} `outcome-unknown` if the answer to any of the attempts was lost
 */
export async function repeatWrite<Answer>(
  write: () => Promise<Answer>,
): Promise<Answer> {
  let lost: StoreError | undefined;
  for (let attempt = 1; ; attempt++)
    try {
      return await write();
    } catch (error) {
      if (!(error instanceof StoreError) || error.kind === "aborted")
        throw error;
      if (error.kind === "outcome-unknown") lost = error;
      // A later attempt that certainly failed says nothing about an earlier one.
      if (lost !== error) throw lost ?? error;
      if (attempt === MOST_ATTEMPTS) throw error;
    }
}

/**
 * Reads a key and changes it under the condition that it is as it was read, until that succeeds.
 *
 * @param attempt returns undefined if the condition was not met
 * @throws {ContendedKey} others changed the key each time
 */
export async function untilCommitted<Result>(
  key: string,
  attempt: () => Promise<Result | undefined>,
): Promise<Result> {
  for (let conflicts = 0; conflicts < MOST_CONFLICTS; conflicts++) {
    const result = await attempt();
    if (result !== undefined) return result;
  }
  throw new ContendedKey(key, MOST_CONFLICTS);
}
