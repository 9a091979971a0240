import { setTimeout as sleep } from "node:timers/promises";

/**
 * Reads until the result is as expected or the time is over. The kernel updates its counters only
 * every 2 seconds.
 *
 * @returns the last result, as expected or not
 */
export async function eventually<T>(
  read: () => Promise<T>,
  wanted: (value: T) => boolean,
  seconds = 10,
): Promise<T> {
  const end = Date.now() + seconds * 1000;
  for (;;) {
    const value = await read();
    if (wanted(value) || Date.now() >= end) return value;
    await sleep(100);
  }
}
