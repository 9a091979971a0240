/** How many different keys are counted at the same time. */
const CAPACITY = 262_144;
const FIRST_ROOM = 1024;

/** How often a key came. */
export interface Count {
  readonly key: number | string;
  /** How often at the least */
  readonly count: number;
  /** How often at the most: it may have been forgotten when it was rare */
  readonly atMost: number;
}

/**
 * Counts how often each key comes, in memory that does not grow with the number of keys. Up to `capacity`
 * keys it is exact. When there are more, those that came least are forgotten, and each count says how many
 * it may have lost by that; what came often is always found.
 *
 * @see Manku and Motwani, Approximate Frequency Counts over Data Streams (2002): lossy counting
 */
export class Tally {
  readonly #capacity: number;
  /** Where the counts of a key are */
  #places = new Map<number | string, number>();
  /** How often the keys came since they were taken up */
  #counts = new Float64Array(FIRST_ROOM);
  /** How often they may have come before */
  #before = new Float64Array(FIRST_ROOM);
  /** How often a key may have come that is not there */
  #forgotten = 0;
  #total = 0;

  constructor(capacity = CAPACITY) {
    this.#capacity = capacity;
  }

  add(key: number | string): void {
    const place = this.#places.get(key) ?? this.#takeUp(key);
    this.#counts[place] = (this.#counts[place] ?? 0) + 1;
    this.#total++;
  }

  /** How often any key came. */
  get total(): number {
    return this.#total;
  }

  /** How many keys there are; undefined where some were forgotten. */
  get different(): number | undefined {
    return this.#forgotten === 0 ? this.#places.size : undefined;
  }

  /** The keys that came most, the most frequent first; those that came as often in the order of their coming. */
  largest(limit: number): Count[] {
    return Array.from(this.#places, ([key, place]) => this.#count(key, place))
      .sort((a, b) => b.count - a.count)
      .slice(0, limit);
  }

  #count(key: number | string, place: number): Count {
    const count = this.#counts[place] ?? 0;
    return { key, count, atMost: count + (this.#before[place] ?? 0) };
  }

  /** @returns the place of a key that is new */
  #takeUp(key: number | string): number {
    if (this.#places.size >= this.#capacity) this.#forgetRare();
    const place = this.#places.size;
    if (place === this.#counts.length) {
      this.#counts = doubled(this.#counts);
      this.#before = doubled(this.#before);
    }
    this.#places.set(key, place);
    this.#counts[place] = 0;
    this.#before[place] = this.#forgotten;
    return place;
  }

  /** Forgets the rarer half of the keys. */
  #forgetRare(): void {
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
      this.#before[place] = atMost - count;
    }
    this.#forgotten = limit;
  }
}

function doubled(
  numbers: Float64Array<ArrayBuffer>,
): Float64Array<ArrayBuffer> {
  const larger = new Float64Array(2 * numbers.length);
  larger.set(numbers);
  return larger;
}
