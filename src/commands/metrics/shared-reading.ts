import type { Clock } from "../../system/clock.js";

/**
 * Shares one answer among all who ask: those who come while it is being made get it as well, and so do those who come
 * soon after. A failure is shared by those who waited for it, and then tried anew.
 */
export class Shared<T> {
  readonly #make: () => Promise<T>;
  readonly #freshMilliseconds: number;
  readonly #clock: Pick<Clock, "now">;
  #answer: Promise<T> | undefined;
  /** Undefined while the answer is being made */
  #made: number | undefined;

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
      this.#made !== undefined &&
      this.#clock.now() - this.#made >= this.#freshMilliseconds;
    if (!this.#answer || stale) this.#answer = this.#begin();
    return this.#answer;
  }

  async #begin(): Promise<T> {
    this.#made = undefined;
    try {
      const answer = await this.#make();
      this.#made = this.#clock.now();
      return answer;
    } catch (error) {
      this.#answer = undefined;
      throw error;
    }
  }
}
