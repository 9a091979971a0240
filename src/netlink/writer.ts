/**
 * Rounds up to a multiple of 4: netlink aligns messages and attributes.
 *
 * @see NLMSG_ALIGN, NLA_ALIGN
 */
export function aligned(length: number): number {
  return (length + 3) & ~3;
}

/**
 * A growing, reusable buffer. Requests are encoded directly into the datagram.
 *
 * Netlink uses the byte order of the machine. All machines that this program supports are
 * little-endian.
 */
export class Writer {
  #buffer = new Uint8Array(4096);
  #view = new DataView(this.#buffer.buffer);
  #words = new Uint32Array(this.#buffer.buffer);
  /** A copy of #buffer.length, which is faster to read */
  #capacity = this.#buffer.length;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** The bytes written so far, not copied: valid until the next write or clear(). */
  get written(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  clear(): void {
    this.#length = 0;
  }

  u8(value: number): void {
    const at = this.#claim(1);
    this.#buffer[at] = value;
  }

  u16(value: number): void {
    const at = this.#claim(2);
    this.#view.setUint16(at, value, true);
  }

  u32(value: number): void {
    const at = this.#claim(4);
    this.#view.setUint32(at, value, true);
  }

  u64(value: bigint): void {
    const at = this.#claim(8);
    this.#view.setBigUint64(at, value, true);
  }

  /**
   * Writes two 32-bit numbers. Most attributes are just that: header and value.
   *
   * @throws {RangeError} if the position is not a multiple of 4
   */
  pair(first: number, second: number): void {
    const at = this.#length;
    if (at & 3) throw new RangeError(`byte ${at} is not a multiple of 4`);
    if (at + 8 > this.#capacity) this.#grow(at + 8);
    const words = this.#words;
    words[at >> 2] = first;
    words[(at >> 2) + 1] = second;
    this.#length = at + 8;
  }

  bytes(value: Uint8Array): void {
    const at = this.#claim(value.length);
    this.#buffer.set(value, at);
  }

  /** Writes bytes, and zeros after them up to `size` bytes. */
  padded(value: Uint8Array, size: number): void {
    const at = this.#claim(size);
    this.#buffer.fill(0, at, at + size);
    this.#buffer.set(value, at);
  }

  /** Writes a string, one byte per character. */
  latin1(text: string): void {
    const at = this.#claim(text.length);
    for (let i = 0; i < text.length; i++)
      this.#buffer[at + i] = text.charCodeAt(i);
  }

  zeros(count: number): void {
    if (count === 0) return;
    const at = this.#claim(count);
    this.#buffer.fill(0, at, at + count);
  }

  /** Writes zeros up to the next multiple of 4. */
  align(): void {
    this.zeros(aligned(this.#length) - this.#length);
  }

  /** Overwrites 2 bytes, such as a length that is known only at the end. */
  patchU16(at: number, value: number): void {
    this.#view.setUint16(at, value, true);
  }

  /** Overwrites 4 bytes. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value, true);
  }

  #claim(count: number): number {
    const at = this.#length;
    if (at + count > this.#capacity) this.#grow(at + count);
    this.#length = at + count;
    return at;
  }

  #grow(needed: number): void {
    const larger = new Uint8Array(
      aligned(Math.max(needed, this.#capacity * 2)),
    );
    larger.set(this.#buffer);
    this.#buffer = larger;
    this.#view = new DataView(larger.buffer);
    this.#words = new Uint32Array(larger.buffer);
    this.#capacity = larger.length;
  }
}
