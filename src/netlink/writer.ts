/** Netlink aligns messages and attributes to 4 bytes. @see NLMSG_ALIGN, NLA_ALIGN */
export function aligned(length: number): number {
  return (length + 3) & ~3;
}

/**
 * A buffer that grows and is used again: requests are encoded straight into the datagram.
 *
 * Netlink speaks the byte order of the machine, and every machine that Node.js runs on under Linux
 * and that this program supports is little-endian.
 */
export class Writer {
  #buffer = new Uint8Array(4096);
  #view = new DataView(this.#buffer.buffer);
  #words = new Uint32Array(this.#buffer.buffer);
  /** The length of the buffer, to ask which takes longer than to write a number */
  #capacity = this.#buffer.length;
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** What has been written, without a copy: valid until the next write or `clear`. */
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
   * Two numbers of 4 bytes, at a multiple of 4: most attributes are that, with their headers.
   *
   * @throws {RangeError} anywhere else
   */
  pair(first: number, second: number): void {
    const at = this.#length;
    if (at & 3) throw new RangeError(`a pair at byte ${at}`);
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

  /** Bytes, and zeros behind them up to a size. */
  padded(value: Uint8Array, size: number): void {
    const at = this.#claim(size);
    this.#buffer.fill(0, at, at + size);
    this.#buffer.set(value, at);
  }

  /** A string, one character a byte. */
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

  /** Overwrites 2 bytes that were written before: a length that is known only now. */
  patchU16(at: number, value: number): void {
    this.#view.setUint16(at, value, true);
  }

  /** Overwrites 4 bytes that were written before. */
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
