import { HISTORY_RATES, type HistoryRate } from "./rates.js";

/** A history covers a minute, in slots of 2 seconds: the kernel updates its counters every 2 seconds. */
export const HISTORY_SECONDS = 60;
const SLOT_SECONDS = 2;
export const SLOTS = HISTORY_SECONDS / SLOT_SECONDS;

/**
 * The rates of the last minute, in slots of 2 seconds. Of several readings in a slot, the last one counts. A reading after a
 * long time fills all slots since the reading before.
 *
 * Every service and server has a history. There may be more than ten thousand of them, most of them idle, so memory for
 * the rates is allocated when the first rate is not zero.
 */
export class History {
  #ring: Float32Array | undefined;
  /** The first slot while all rates are zero, and the last slot */
  #first: number | undefined;
  #last: number | undefined;

  /**
   * @param at when the rates were measured, in seconds of any clock
   * @param values the rates in the order of HISTORY_RATES. NaN: unknown
   */
  record(at: number, values: readonly number[]): void {
    const slot = Math.floor(at / SLOT_SECONDS);
    const first =
      this.#last === undefined ? slot : Math.min(this.#last + 1, slot);
    if (this.#ring || !this.#isIdle(values)) this.#fill(first, slot, values);
    else if (values[0] === 0) this.#first ??= first;
    this.#last = slot;
  }

  /** Whether all known rates are zero, so that no memory is needed. */
  #isIdle(values: readonly number[]): boolean {
    return values.every(
      (value) =>
        value === 0 || (Number.isNaN(value) && this.#first === undefined),
    );
  }

  #fill(first: number, last: number, values: readonly number[]): void {
    if (!this.#ring) {
      this.#ring = new Float32Array(SLOTS * HISTORY_RATES.length).fill(NaN);
      if (this.#first !== undefined && this.#last !== undefined)
        this.#fill(this.#first, this.#last, [0, 0, 0]);
    }
    for (let slot = Math.max(first, last - SLOTS + 1); slot <= last; slot++)
      for (const [kind, value] of values.entries())
        this.#ring[indexOf(kind, slot)] = value;
  }

  /** The values of one rate, oldest first. NaN: unknown. @param now in seconds of the same clock */
  values(kind: HistoryRate, now: number): number[] {
    const slot = Math.floor(now / SLOT_SECONDS);
    const last = this.#last ?? -Infinity;
    const order = HISTORY_RATES.indexOf(kind);
    return Array.from({ length: SLOTS }, (_, i) => {
      const at = slot - SLOTS + 1 + i;
      if (at > last || at <= last - SLOTS) return NaN;
      if (this.#ring) return this.#ring[indexOf(order, at)] ?? NaN;
      return at >= (this.#first ?? Infinity) ? 0 : NaN;
    });
  }
}

function indexOf(kind: number, slot: number): number {
  return kind * SLOTS + (((slot % SLOTS) + SLOTS) % SLOTS);
}

const BARS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/**
 * Draws values as bars, in proportion to the greatest value. An unknown value is a space. A small value that is not zero
 * gets a higher bar than zero.
 *
 * @param columns the width. If there are more values than columns, a bar is the mean of neighboring values
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
