import type { Clock } from "../../src/system/clock.js";

/** A clock whose time passes only while the program waits. Waiting takes no real time. */
export class VirtualClock implements Clock {
  #now = 1_000_000;
  readonly #timers = new Set<{
    readonly period: number;
    next: number;
    readonly act: () => void;
  }>();
  /** Is called with each wait, before the time passes */
  onSleep: () => void = () => undefined;

  readonly now = (): number => this.#now;

  every(milliseconds: number, act: () => void): () => void {
    const timer = { period: milliseconds, next: this.#now + milliseconds, act };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  async sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
    this.onSleep();
    // Streams and servers of this process get a turn.
    await new Promise((resolve) => setImmediate(resolve));
    if (!signal.aborted) this.pass(milliseconds);
  }

  /** Lets time pass. */
  pass(milliseconds: number): void {
    const end = this.#now + milliseconds;
    for (;;) {
      const [first] = [...this.#timers].sort((a, b) => a.next - b.next);
      if (!first || first.next > end) break;
      this.#now = Math.max(this.#now, first.next);
      first.next += Math.max(1, first.period);
      first.act();
    }
    this.#now = end;
  }
}
