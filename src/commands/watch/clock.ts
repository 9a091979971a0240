import { setTimeout as wait } from "node:timers/promises";

/** The time, as far as watching needs it. */
export interface Clock {
  /** Seconds of a clock that only goes forward */
  now(): number;
  /** What the clock on the wall shows */
  date(): Date;
  /** Waits; comes back early when the signal is given. */
  sleep(seconds: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => performance.now() / 1000,
  date: () => new Date(),
  async sleep(seconds, signal) {
    try {
      await wait(seconds * 1000, undefined, { signal });
    } catch {
      // It was woken.
    }
  },
};
