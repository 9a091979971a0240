const BLANK = 0x20;
const DIGIT_0 = 0x30;

/**
 * A text that is put together from many small pieces, one character a byte. For a listing of millions of
 * lines this takes a fraction of the time and memory of adding up strings.
 */
export class TextBuilder {
  #bytes: Buffer;
  #length = 0;
  #column = 0;

  /** @param bytes how much to have room for at first */
  constructor(bytes = 64 * 1024) {
    this.#bytes = Buffer.allocUnsafe(bytes);
  }

  /** @returns what has been written since the last time */
  take(): string {
    const text = this.#bytes.toString("latin1", 0, this.#length);
    this.#length = this.#column = 0;
    return text;
  }

  text(text: string): this {
    const { length } = text;
    const bytes = this.#room(length);
    for (let i = 0; i < length; i++)
      bytes[this.#length + i] = text.charCodeAt(i);
    this.#length += length;
    return this;
  }

  /**
   * Writes a number in decimal digits.
   *
   * @param value a whole number that is not negative
   * @param least how many digits to write at the least
   */
  decimal(value: number, least = 1): this {
    let digits = 1;
    for (let limit = 10; value >= limit; limit *= 10) digits++;
    digits = Math.max(digits, least);
    const bytes = this.#room(digits);
    for (let at = this.#length + digits; at > this.#length;) {
      const rest = Math.floor(value / 10);
      bytes[--at] = DIGIT_0 + value - rest * 10;
      value = rest;
    }
    this.#length += digits;
    return this;
  }

  /** Writes a whole number, which may be negative, in decimal digits. */
  integer(value: number): this {
    return value < 0 ? this.text("-").decimal(-value) : this.decimal(value);
  }

  /** Begins a column here. */
  column(): this {
    this.#column = this.#length;
    return this;
  }

  /** Fills up the column with blanks, if it is narrower, and begins the next one behind another blank. */
  pad(width: number): this {
    return this.fill(width).#blanks(1).column();
  }

  /** Fills up the column with blanks, if it is narrower. */
  fill(width: number): this {
    return this.#blanks(this.#column + width - this.#length);
  }

  #blanks(count: number): this {
    if (count <= 0) return this;
    const bytes = this.#room(count);
    bytes.fill(BLANK, this.#length, this.#length + count);
    this.#length += count;
    return this;
  }

  /** The bytes, with room for some more. */
  #room(count: number): Buffer {
    const needed = this.#length + count;
    if (needed > this.#bytes.length) {
      const grown = Buffer.alloc(2 * needed);
      this.#bytes.copy(grown, 0, 0, this.#length);
      this.#bytes = grown;
    }
    return this.#bytes;
  }
}
