/** Where the times between attempts come from. Tests implement their own. */
export interface Pauses {
  /** Waits. Returns early if the signal is triggered. */
  sleep(milliseconds: number, signal: AbortSignal): Promise<void>;
  /** A number from 0 up to, but not including, 1. */
  random(): number;
}

/** Times between attempts that grow, with jitter, so that many clients do not come at the same time. */
export class Backoff {
  #attempts = 0;
  readonly #pauses: Pauses;
  readonly #firstMilliseconds: number;
  readonly #longestMilliseconds: number;

  constructor(
    pauses: Pauses,
    { firstMilliseconds = 100, longestMilliseconds = 10_000 } = {},
  ) {
    this.#pauses = pauses;
    this.#firstMilliseconds = firstMilliseconds;
    this.#longestMilliseconds = longestMilliseconds;
  }

  /** Starts with the shortest time again, after a success. */
  reset(): void {
    this.#attempts = 0;
  }

  /** The next time to wait: between half and all of a span that doubles with each attempt. */
  next(): number {
    const span = Math.min(
      this.#longestMilliseconds,
      this.#firstMilliseconds * 2 ** this.#attempts,
    );
    this.#attempts++;
    return (span * (1 + this.#pauses.random())) / 2;
  }

  /** Waits for the next time. */
  async wait(signal: AbortSignal): Promise<void> {
    await this.#pauses.sleep(this.next(), signal);
  }
}
