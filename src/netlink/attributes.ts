import { MalformedReply } from "./errors.js";
import { Window, type Span } from "./link.js";
import { aligned, type Writer } from "./writer.js";

/** Set on the type of an attribute that holds attributes. @see NLA_F_NESTED in linux/netlink.h */
const NESTED = 0x8000;
/** The bits of the type field that are the type. @see NLA_TYPE_MASK */
const TYPE_MASK = 0x3fff;
const LENGTH_MASK = 0xffff;
const HEADER_BYTES = 4;

/**
 * How one attribute is written and read.
 *
 * `size` is the payload's length in bytes where that is fixed; `decode` is given a payload of just
 * that length, so no reader runs past an end. An object that it returns may be one that it fills anew each time.
 * `encode` writes all of the attribute: header, payload, and zeros up to a multiple of 4 bytes, where the next begins.
 */
export interface Codec<T> {
  readonly size?: number;
  encode(out: Writer, type: number, value: T): void;
  decode(bytes: DataView, at: number, length: number): T;
}

/** One row an attribute: the field's name, its type number and its codec, in the order of a request. */
export type Layout = Readonly<Record<string, LayoutRow<unknown>>>;

type LayoutRow<T> = readonly [type: number, codec: Codec<T>];

type ValueOf<C> = C extends Codec<infer T> ? T : never;

/** The fields of a layout; in what was read any of them may be missing. */
export type Fields<L extends Layout> = {
  -readonly [Name in keyof L]?: ValueOf<L[Name][1]> | undefined;
};

export const u8: Codec<number> = {
  size: 1,
  encode: (out, type, value) => {
    out.pair(headerOf(type, 1), value & 0xff);
  },
  decode: (bytes, at) => bytes.getUint8(at),
};

export const u16: Codec<number> = {
  size: 2,
  encode: (out, type, value) => {
    out.pair(headerOf(type, 2), value & 0xffff);
  },
  decode: (bytes, at) => bytes.getUint16(at, true),
};

/** Network byte order, as the kernel keeps ports. */
export const u16be: Codec<number> = {
  size: 2,
  encode: (out, type, value) => {
    out.pair(headerOf(type, 2), ((value & 0xff) << 8) | ((value >> 8) & 0xff));
  },
  decode: (bytes, at) => bytes.getUint16(at, false),
};

export const u32: Codec<number> = {
  size: 4,
  encode: (out, type, value) => {
    out.pair(headerOf(type, 4), value);
  },
  decode: (bytes, at) => bytes.getUint32(at, true),
};

/** 64 bits do not fit a JavaScript number, hence bigint. */
export const u64: Codec<bigint> = {
  size: 8,
  encode: (out, type, value) => {
    out.u32(headerOf(type, 8));
    out.u64(value);
  },
  // Most counters of most tables are zero, and that one costs no memory.
  decode: (bytes, at) =>
    bytes.getUint32(at, true) === 0 && bytes.getUint32(at + 4, true) === 0
      ? 0n
      : bytes.getBigUint64(at, true),
};

/** Exactly `size` bytes; what is shorter is filled up with zeros when written. */
export function bytes(size: number): Codec<Uint8Array> {
  const read = new Uint8Array(size);
  const words = new DataView(read.buffer);
  const room = aligned(size);
  return {
    size,
    encode: (out, type, value) => {
      out.u32(headerOf(type, size));
      out.padded(value, room);
    },
    decode: (bytes, at) => {
      let i = 0;
      for (; i + 4 <= size; i += 4) words.setUint32(i, bytes.getUint32(at + i));
      for (; i < size; i++) read[i] = bytes.getUint8(at + i);
      return read;
    },
  };
}

/** Bytes of which there may be 4 or 16 or any number: addresses of all kinds. */
export const octets: Codec<Uint8Array> = {
  encode: (out, type, value) => {
    writeBytes(out, type, value);
  },
  decode: copyOf,
};

/** An attribute's payload where it lies, for what is not always read. */
export function raw(): Codec<Span> {
  const window = new Window();
  return {
    encode: (out, type, { bytes, start, end }) => {
      writeBytes(out, type, copyOf(bytes, start, end - start));
    },
    decode: (bytes, at, length) => window.move(bytes, at, at + length),
  };
}

function copyOf(bytes: DataView, at: number, length: number): Uint8Array {
  const copy = new Uint8Array(length);
  for (let i = 0; i < length; i++) copy[i] = bytes.getUint8(at + i);
  return copy;
}

/** The string that was read last: the names of few schedulers come again and again. */
let lastText = "";

/** A string that ends with a zero byte, one character a byte. */
export const text: Codec<string> = {
  encode: (out, type, value) => {
    const size = value.length + 1;
    out.u32(checkedHeader(type, size));
    out.latin1(value);
    out.zeros(aligned(size) - value.length);
  },
  decode: (bytes, at, length) => {
    let end = at;
    let same = true;
    for (; end < at + length; end++) {
      const code = bytes.getUint8(end);
      if (code === 0) break;
      same &&= code === lastText.charCodeAt(end - at);
    }
    if (!same || end - at !== lastText.length)
      lastText = String.fromCharCode(...copyOf(bytes, at, end - at));
    return lastText;
  },
};

/** Attributes inside an attribute. */
export function nested<L extends Layout>(layout: L): Codec<Fields<L>> {
  return {
    encode: (out, type, value) => {
      const start = beginNested(out, type);
      encode(layout, out, value);
      endNested(out, start);
    },
    decode: (bytes, at, length) =>
      fieldsIn(rowsOf(layout), bytes, at, at + length) as Fields<L>,
  };
}

/** Writes every field that is present, in the order of the layout. */
export function encode<L extends Layout>(
  layout: L,
  out: Writer,
  fields: Fields<L>,
): void {
  const { all } = rowsOf(layout);
  for (const { name, type, codec } of all) {
    const value = fields[name];
    if (value !== undefined) codec.encode(out, type, value);
  }
}

/** Writes one field of a layout, for what is written so often that no object of fields is made for it. */
export function put<T>(out: Writer, row: LayoutRow<T>, value: T): void {
  row[1].encode(out, row[0], value);
}

/** Begins an attribute that holds attributes. @returns what `endNested` is to be given behind them */
export function beginNested(out: Writer, type: number): number {
  const start = out.length;
  out.u32(headerOf(type | NESTED, 0));
  return start;
}

/** Ends an attribute that holds attributes: only now its length is known. */
export function endNested(out: Writer, start: number): void {
  out.patchU16(start, out.length - start);
}

/** The header of an attribute, struct nlattr, as one number. @param size of the payload, in bytes */
export function headerOf(type: number, size: number): number {
  return (type << 16) | (HEADER_BYTES + size);
}

/** The same of a payload of any size. @throws {RangeError} for one that is too long */
function checkedHeader(type: number, size: number): number {
  if (HEADER_BYTES + size > LENGTH_MASK)
    throw new RangeError(`an attribute of ${size} bytes is too long`);
  return headerOf(type, size);
}

function writeBytes(out: Writer, type: number, value: Uint8Array): void {
  out.u32(checkedHeader(type, value.length));
  out.bytes(value);
  out.align();
}

/**
 * Walks the attributes of a payload, checking every length before it is used.
 *
 * @throws {MalformedReply} where an attribute's header or body runs over the end
 */
export function* attributes({
  bytes,
  start,
  end,
}: Span): Generator<
  readonly [type: number, value: Uint8Array, offset: number]
> {
  for (let at = start; at < end;) {
    const header = headerAt(bytes, at, start, end);
    const length = header & LENGTH_MASK;
    const value = copyOf(bytes, at + HEADER_BYTES, length - HEADER_BYTES);
    yield [(header >>> 16) & TYPE_MASK, value, at - start];
    at += aligned(length);
  }
}

/**
 * The header of an attribute: its type, and in the lower half its length with the header.
 *
 * @throws {MalformedReply} if that cannot be
 */
function headerAt(
  bytes: DataView,
  at: number,
  start: number,
  end: number,
): number {
  if (end - at < HEADER_BYTES)
    throw new MalformedReply("an attribute's header is cut short", at - start);
  const header = bytes.getUint32(at, true);
  const length = header & LENGTH_MASK;
  if (length < HEADER_BYTES || at + length > end) {
    const fault =
      length < HEADER_BYTES ? `has length ${length}` : "runs over the end";
    throw new MalformedReply(
      `attribute ${(header >>> 16) & TYPE_MASK} ${fault}`,
      at - start,
    );
  }
  return header;
}

interface Row {
  readonly name: string;
  readonly type: number;
  readonly codec: Codec<unknown>;
}

/** A layout made ready: its rows in their order and by type number, and the object that fields are read into. */
interface Rows {
  readonly all: readonly Row[];
  readonly byType: readonly (Row | undefined)[];
  readonly fields: Record<string, unknown>;
  /** The same object before anything is read */
  readonly none: Readonly<Record<string, unknown>>;
}
const known = new WeakMap<Layout, Rows>();

function rowsOf(layout: Layout): Rows {
  let rows = known.get(layout);
  if (!rows) {
    const all = Object.entries(layout).map(([name, [type, codec]]) => ({
      name,
      type,
      codec,
    }));
    const byType: Row[] = [];
    for (const row of all) byType[row.type] = row;
    const none = Object.fromEntries(all.map(({ name }) => [name, undefined]));
    rows = { all, byType, fields: { ...none }, none };
    known.set(layout, rows);
  }
  return rows;
}

/**
 * Reads the fields of a layout. Types that the layout does not name are skipped: newer kernels send
 * more, and 64-bit values come with padding between.
 *
 * A listing reads tens of thousands of messages, so there is one object of fields for each layout, which the
 * next reading of that layout fills again, as there is one array for each field of bytes: copy what is to be kept.
 *
 * @throws {MalformedReply} naming the field whose length is wrong, or where the bytes end too soon
 */
export function decode<L extends Layout>(
  layout: L,
  { bytes, start, end }: Span,
): Readonly<Fields<L>> {
  return fieldsIn(rowsOf(layout), bytes, start, end) as Fields<L>;
}

function fieldsIn(
  { byType, fields, none }: Rows,
  bytes: DataView,
  start: number,
  end: number,
): Record<string, unknown> {
  Object.assign(fields, none);
  for (let at = start; at < end;) {
    const header = headerAt(bytes, at, start, end);
    const length = header & LENGTH_MASK;
    const row = byType[(header >>> 16) & TYPE_MASK];
    if (row) {
      const { name, codec } = row;
      const size = length - HEADER_BYTES;
      if (codec.size !== undefined && size !== codec.size)
        throw new MalformedReply(
          `${name} has ${size} bytes where ${codec.size} belong`,
          at - start,
        );
      fields[name] = codec.decode(bytes, at + HEADER_BYTES, size);
    }
    at += aligned(length);
  }
  return fields;
}

/**
 * The same fields, with those named known to be there.
 *
 * @throws {MalformedReply} naming the first that is missing
 */
export function required<F extends object, K extends keyof F>(
  fields: F,
  names: readonly K[],
): F & { [Name in K]-?: NonNullable<F[Name]> } {
  for (const name of names)
    if (fields[name] === undefined)
      throw new MalformedReply(`${String(name)} is missing`, 0);
  return fields as F & { [Name in K]-?: NonNullable<F[Name]> };
}
