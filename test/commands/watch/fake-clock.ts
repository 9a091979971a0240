import type { Clock } from "../../../src/commands/watch/clock.js";

/** A clock that stands still until a test advances it. */
export class FakeClock implements Clock {
  #seconds = 1000;
  #sleeper: { until: number; wake: () => void } | undefined;

  now(): number {
    return this.#seconds;
  }

  date(): Date {
    return new Date(2024, 0, 2, 3, 4, 5);
  }

  /** Whether somebody waits for the time to pass. */
  get isWaitedFor(): boolean {
    return this.#sleeper !== undefined;
  }

  sleep(seconds: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      this.#sleeper = { until: this.#seconds + seconds, wake: resolve };
      signal.addEventListener("abort", () => {
        resolve();
      });
    });
  }

  /** Lets the time pass until whoever sleeps wakes up. */
  pass(): void {
    const sleeper = this.#sleeper;
    if (!sleeper) throw new Error("nobody sleeps");
    this.#sleeper = undefined;
    this.#seconds = sleeper.until;
    sleeper.wake();
  }
}
