import type { Clock } from "../system/clock.js";

/**
 * Shares one answer among all callers: those who ask while it is being made, and those who ask soon afterwards. An error is
 * shared only by those who waited for it; the next caller tries again.
 */
export class SharedAnswer<T> {
  readonly #make: () => Promise<T>;
  readonly #freshMilliseconds: number;
  readonly #clock: Pick<Clock, "now">;
  #answer: Promise<T> | undefined;
  /** When the answer was made. Undefined while it is being made */
  #madeAt: number | undefined;

  constructor(
    make: () => Promise<T>,
    freshMilliseconds: number,
    clock: Pick<Clock, "now">,
  ) {
    this.#make = make;
    this.#freshMilliseconds = freshMilliseconds;
    this.#clock = clock;
  }

  get(): Promise<T> {
    const stale =
      this.#madeAt !== undefined &&
      this.#clock.now() - this.#madeAt >= this.#freshMilliseconds;
    if (!this.#answer || stale) this.#answer = this.#begin();
    return this.#answer;
  }

  async #begin(): Promise<T> {
    this.#madeAt = undefined;
    try {
      const answer = await this.#make();
      this.#madeAt = this.#clock.now();
      return answer;
    } catch (error) {
      this.#answer = undefined;
      throw error;
    }
  }
}
