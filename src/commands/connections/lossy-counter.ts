/** How many different keys are kept. */
const CAPACITY = 262_144;
const INITIAL_ROOM = 1024;

/** How often a key was added. */
export interface Count {
  readonly key: number | string;
  /** The least number of times */
  readonly count: number;
  /** The greatest number of times: the key may have been dropped while it was rare */
  readonly atMost: number;
}

/**
 * Counts how often each key is added, in bounded memory. Up to `capacity` different keys, the counts are exact. With more
 * keys, the rarest are dropped, and each count has an upper bound for what was lost. Frequent keys are always found.
 *
 * @see Manku and Motwani, Approximate Frequency Counts over Data Streams (2002): lossy counting
 */
export class LossyCounter {
  readonly #capacity: number;
  /** The index of each key in the arrays below */
  #places = new Map<number | string, number>();
  /** How often each key was added since it is kept */
  #counts = new Float64Array(INITIAL_ROOM);
  /** How often each key may have been added before */
  #missed = new Float64Array(INITIAL_ROOM);
  /** How often a key that is not kept may have been added */
  #dropped = 0;
  #total = 0;

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity;
  }

  add(key: number | string): void {
    const place = this.#places.get(key) ?? this.#keep(key);
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    this.#total++;
  }

  /** How many keys were added. */
  get total(): number {
    return this.#total;
  }

  /** How many different keys were added. Undefined if keys were dropped. */
  get different(): number | undefined {
    return this.#dropped === 0 ? this.#places.size : undefined;
  }

  /** The most frequent keys, most frequent first. Equally frequent keys are in the order in which they were added. */
  largest(limit: number): Count[] {
    return Array.from(this.#places, ([key, place]) => this.#count(key, place))
      .sort((a, b) => b.count - a.count)
      .slice(0, limit);
  }

  #count(key: number | string, place: number): Count {
    const count = this.#counts[place] ?? 0;
    return { key, count, atMost: count + (this.#missed[place] ?? 0) };
  }

  /** Makes room for a new key. @returns its index */
  #keep(key: number | string): number {
    if (this.#places.size >= this.#capacity) this.#dropRare();
    const place = this.#places.size;
    if (place === this.#counts.length) {
      this.#counts = doubled(this.#counts);
      this.#missed = doubled(this.#missed);
    }
    this.#places.set(key, place);
    this.#counts[place] = 0;
    this.#missed[place] = this.#dropped;
    return place;
  }

  /** Drops the rarer half of the keys. */
  #dropRare(): void {
    const counts = Array.from(this.#places, ([key, place]) =>
      this.#count(key, place),
    );
    const sorted = Float64Array.from(counts, ({ atMost }) => atMost).sort();
    const limit = sorted[sorted.length >> 1] ?? 0;
    this.#places = new Map();
    for (const { key, count, atMost } of counts) {
      if (atMost <= limit) continue;
      const place = this.#places.size;
      this.#places.set(key, place);
      this.#counts[place] = count;
      this.#missed[place] = atMost - count;
    }
    this.#dropped = limit;
  }
}

function doubled(
  numbers: Float64Array<ArrayBuffer>,
): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * numbers.length);
  larger.set(numbers);
  return larger;
}
