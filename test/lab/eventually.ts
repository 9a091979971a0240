import { setTimeout as sleep } from "node:timers/promises";

/**
 * Reads until what was read is as wanted, or the time is over: the kernel brings its counters up to
 * date every 2 seconds only.
 *
 * @returns what was read last, wanted or not
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
