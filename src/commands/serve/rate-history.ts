import { SLOT_SECONDS, SLOTS } from "../../page/events.js";

/** The rates whose history is kept. */
export const HISTORY_KINDS = ["connections", "inBytes", "outBytes"] as const;
export type HistoryValues = readonly [number, number, number];

/** The slot of a moment. */
export function slotAt(milliseconds: number): number {
  return Math.floor(milliseconds / (SLOT_SECONDS * 1000));
}

/**
 * The rates of the last quarter of an hour, in slots of 5 seconds: the mean of all readings in a slot. If readings are further
 * apart, each fills the slots since the reading before.
 *
 * Every service and server has a history. There may be more than ten thousand of them, most of them idle, so memory for the rates
 * is allocated when the first rate is not zero.
 */
export class RateHistory {
  #ring: Float32Array | undefined;
  /** The first and the last slot with a known rate */
  #first: number | undefined;
  #last = -Infinity;
  /** The readings in the last slot */
  #count = 0;

  /** @param values the rates in the order of HISTORY_KINDS. Undefined: unknown */
  record(slot: number, values: HistoryValues | undefined): void {
    if (!values) return;
    if (slot < this.#last) this.#forget();
    if (!this.#ring && values.some((value) => value !== 0)) this.#allocate();
    const again = slot === this.#last;
    const from = again ? slot : Math.max(this.#last + 1, slot - SLOTS + 1);
    this.#count = again ? this.#count + 1 : 1;
    const known = this.#first !== undefined;
    this.#first ??= slot;
    this.#last = slot;
    if (!this.#ring) return;
    for (let at = known ? from : slot; at <= slot; at++)
      values.forEach((value, kind) => {
        this.#put(kind, at, again ? this.#mean(kind, at, value) : value);
      });
  }

  /** The values of one kind, oldest first. NaN: unknown. @param slot the last slot */
  values(kind: number, slot: number): number[] {
    return Array.from({ length: SLOTS }, (_, i) => {
      const at = slot - SLOTS + 1 + i;
      if (at < (this.#first ?? Infinity) || at > this.#last) return NaN;
      if (at <= this.#last - SLOTS) return NaN;
      return this.#ring ? (this.#ring[indexOf(kind, at)] ?? NaN) : 0;
    });
  }

  /** Somebody has set the clock back, so the slots are of another time. */
  #forget(): void {
    this.#ring = undefined;
    this.#first = undefined;
    this.#last = -Infinity;
  }

  /** All rates were zero until now. */
  #allocate(): void {
    this.#ring = new Float32Array(SLOTS * HISTORY_KINDS.length);
  }

  #put(kind: number, slot: number, value: number): void {
    if (this.#ring) this.#ring[indexOf(kind, slot)] = value;
  }

  #mean(kind: number, slot: number, value: number): number {
    const before = this.#ring?.[indexOf(kind, slot)] ?? 0;
    return before + (value - before) / this.#count;
  }
}

function indexOf(kind: number, slot: number): number {
  return kind * SLOTS + (slot % SLOTS);
}
