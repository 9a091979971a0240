import type { TextBuilder } from "./text-builder.js";

/** Decimal texts of the numbers 0 to 255 */
const BYTES = Array.from({ length: 256 }, (_, byte) => String(byte));

/**
 * A text builder that concatenates strings, for runtimes that interpret code. In these, one
 * operation on a string takes as long as a few steps of a loop over bytes.
 */
export class StringBuilder implements TextBuilder {
  /**
   * The finished lines. Appending short lines to a few long strings is faster than appending every
   * piece to one.
   */
  #lines = "";
  #line = "";
  #column = 0;

  get length(): number {
    return this.#lines.length + this.#line.length;
  }

  take(): string {
    const text = this.#lines + this.#line;
    this.#lines = this.#line = "";
    this.#column = 0;
    return text;
  }

  takeBytes(): Buffer {
    return Buffer.from(this.take(), "latin1");
  }

  text(text: string): this {
    if (text === "\n") {
      this.#lines += `${this.#line}\n`;
      this.#line = "";
    } else {
      this.#line += text;
    }
    return this;
  }

  dotted(address: Uint8Array): this {
    return this.#dotted(
      address[0] ?? 0,
      address[1] ?? 0,
      address[2] ?? 0,
      address[3] ?? 0,
    );
  }

  dottedNumber(address: number): this {
    const [a, b, c, d] = [24, 16, 8, 0].map((bits) => (address >>> bits) & 255);
    return this.#dotted(a ?? 0, b ?? 0, c ?? 0, d ?? 0);
  }

  #dotted(a: number, b: number, c: number, d: number): this {
    this.#line += `${BYTES[a] ?? ""}.${BYTES[b] ?? ""}.${BYTES[c] ?? ""}.${BYTES[d] ?? ""}`;
    return this;
  }

  bytes(source: Uint8Array, at: number, end: number): this {
    this.#line += Buffer.from(source.subarray(at, end)).toString("latin1");
    return this;
  }

  decimal(value: number, least = 1): this {
    const digits = String(value);
    this.#line += least > 1 ? digits.padStart(least, "0") : digits;
    return this;
  }

  integer(value: number): this {
    this.#line += String(value);
    return this;
  }

  cut(length: number): this {
    this.#line = this.#line.slice(0, length - this.#lines.length);
    return this;
  }

  column(): this {
    this.#column = this.#line.length;
    return this;
  }

  pad(width: number): this {
    this.#line = `${this.#line.padEnd(this.#column + width)} `;
    return this.column();
  }

  fill(width: number): this {
    this.#line = this.#line.padEnd(this.#column + width);
    return this;
  }
}
