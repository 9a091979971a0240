import { SPARKED, type Sparked } from "./rates.js";

/** What a history covers, and in which steps: the kernel brings its counters up to date every 2 s. */
export const HISTORY_SECONDS = 60;
const SLOT_SECONDS = 2;
export const SLOTS = HISTORY_SECONDS / SLOT_SECONDS;

/**
 * The rates of the last minute, in slots of 2 seconds. A slot in which there were several readings has the last;
 * a reading that comes after a long time fills all slots since the one before.
 *
 * There is one for each service and server, of which there may be ten thousand and more, most of them idle: room
 * for the rates is made when there is something else than zero to be kept.
 */
export class History {
  #ring: Float32Array | undefined;
  /** The first slot of a history of zeros, and the last slot of any */
  #first: number | undefined;
  #last: number | undefined;

  /**
   * @param at when the rates were measured, in seconds of any clock
   * @param values the rates, in the order of SPARKED; NaN for one that is not known
   */
  record(at: number, values: readonly number[]): void {
    const slot = Math.floor(at / SLOT_SECONDS);
    const first =
      this.#last === undefined ? slot : Math.min(this.#last + 1, slot);
    if (this.#ring || !this.#isIdle(values)) this.#fill(first, slot, values);
    else if (values[0] === 0) this.#first ??= first;
    this.#last = slot;
  }

  /** Whether it still takes no room: all that is known is zeros. */
  #isIdle(values: readonly number[]): boolean {
    return values.every(
      (value) =>
        value === 0 || (Number.isNaN(value) && this.#first === undefined),
    );
  }

  #fill(first: number, last: number, values: readonly number[]): void {
    if (!this.#ring) {
      this.#ring = new Float32Array(SLOTS * SPARKED.length).fill(NaN);
      if (this.#first !== undefined && this.#last !== undefined)
        this.#fill(this.#first, this.#last, [0, 0, 0]);
    }
    for (let slot = Math.max(first, last - SLOTS + 1); slot <= last; slot++)
      for (const [kind, value] of values.entries())
        this.#ring[placeOf(kind, slot)] = value;
  }

  /** One rate, the oldest first; NaN where nothing is known. @param now in seconds of the same clock */
  values(kind: Sparked, now: number): number[] {
    const slot = Math.floor(now / SLOT_SECONDS);
    const last = this.#last ?? -Infinity;
    const order = SPARKED.indexOf(kind);
    return Array.from({ length: SLOTS }, (_, i) => {
      const at = slot - SLOTS + 1 + i;
      if (at > last || at <= last - SLOTS) return NaN;
      if (this.#ring) return this.#ring[placeOf(order, at)] ?? NaN;
      return at >= (this.#first ?? Infinity) ? 0 : NaN;
    });
  }
}

function placeOf(kind: number, slot: number): number {
  return kind * SLOTS + (((slot % SLOTS) + SLOTS) % SLOTS);
}

const BARS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/**
 * A line of bars, as high as each value is in comparison with the greatest. What is not known is blank; what is
 * not zero is never as low as zero is.
 *
 * @param columns how wide: neighboring values share a bar, which is their mean
 */
export function sparkline(values: readonly number[], columns: number): string {
  const share = values.length / columns;
  const means = Array.from({ length: columns }, (_, i) => {
    const some = values
      .slice(Math.floor(i * share), Math.max(Math.floor((i + 1) * share), 1))
      .filter((value) => !Number.isNaN(value));
    return some.length === 0
      ? NaN
      : some.reduce((sum, value) => sum + value, 0) / some.length;
  });
  const greatest = Math.max(0, ...means.filter((mean) => !Number.isNaN(mean)));
  return means
    .map((mean) => {
      if (Number.isNaN(mean)) return " ";
      if (mean <= 0) return BARS[0];
      return BARS[Math.max(1, Math.round((mean / greatest) * 7))];
    })
    .join("");
}
