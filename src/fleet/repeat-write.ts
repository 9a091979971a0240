import { StoreError } from "../store/store-error.js";

/** How often a write is tried whose answer is lost each time. */
const MOST_ATTEMPTS = 4;

/**
 * Writes to the store, again if the answer is lost.
 *
 * @param write does no harm if it is made twice
 * @throws {StoreError}
 */
export async function repeatWrite<Answer>(
  write: () => Promise<Answer>,
): Promise<Answer> {
  for (let attempt = 1; ; attempt++)
    try {
      return await write();
    } catch (error) {
      const lost =
        error instanceof StoreError && error.kind === "outcome-unknown";
      if (!lost || attempt === MOST_ATTEMPTS) throw error;
    }
}
