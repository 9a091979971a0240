import { setTimeout as sleep } from "node:timers/promises";

/** Timeout. The kernel updates its counters only every 2 seconds, and a machine may be slow and busy. */
const PATIENCE_SECONDS = 90;

/**
 * Reads until the result is as expected or the time is over.
 *
 * @returns the last result, as expected or not
 */
export async function eventually<T>(
  read: () => Promise<T>,
  wanted: (value: T) => boolean,
  seconds = PATIENCE_SECONDS,
): Promise<T> {
  const end = performance.now() + seconds * 1000;
  for (;;) {
    const value = await read();
    if (wanted(value) || performance.now() >= end) return value;
    await sleep(100);
  }
}
