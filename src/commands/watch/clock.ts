import { setTimeout as wait } from "node:timers/promises";

/** Time and waiting. Tests replace it. */
export interface Clock {
  /** The seconds of a monotonic clock */
  now(): number;
  /** The time of day */
  date(): Date;
  /** Waits, or returns early if the signal is aborted. */
  sleep(seconds: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now() / 1000,
  date: () => new Date(),
  async sleep(seconds, signal) {
    try {
      await wait(seconds * 1000, undefined, { signal });
    } catch {
      // The signal was aborted.
    }
  },
};
