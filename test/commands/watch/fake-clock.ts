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

  /** Whether a sleep is pending. */
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

  /** Advances the time to the end of the pending sleep. */
  pass(): void {
    const sleeper = this.#sleeper;
    if (!sleeper) throw new Error("no sleep is pending");
    this.#sleeper = undefined;
    this.#seconds = sleeper.until;
    sleeper.wake();
  }
}
