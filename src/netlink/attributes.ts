import { MalformedReply } from "./errors.js";
import { MutableSpan, type Span } from "./link.js";
import { aligned, type Writer } from "./writer.js";

/**
 * The flag in the type field of an attribute that contains attributes.
 *
 * @see NLA_F_NESTED in linux/netlink.h
 */
const NESTED = 0x8000;
/** The bits of the type field that hold the type. @see NLA_TYPE_MASK in linux/netlink.h */
const TYPE_MASK = 0x3fff;
const LENGTH_MASK = 0xffff;
const HEADER_BYTES = 4;

/**
 * How one attribute is encoded and decoded.
 *
 * `size` is the payload's length in bytes, if it is fixed. decode() then gets a payload of exactly
 * that length, so it cannot read past the end. decode() may return the same object each time,
 * filled with new values. encode() writes the whole attribute: header, payload, and zeros up to the
 * next multiple of 4 bytes.
 */
export interface Codec<T> {
  readonly size?: number;
  encode(out: Writer, type: number, value: T): void;
  decode(bytes: DataView, at: number, length: number): T;
}

/**
 * One row per attribute: the field's name, its type number and its codec. The rows are in the order
 * of a request.
 */
export type Layout = Readonly<Record<string, LayoutRow<unknown>>>;

type LayoutRow<T> = readonly [type: number, codec: Codec<T>];

type ValueOf<C> = C extends Codec<infer T> ? T : never;

/** The fields of a layout. After decoding, any of them may be missing. */
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

/** In network byte order, like the kernel's ports. */
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

/** A bigint, because a JavaScript number does not hold 64 bits. */
export const u64: Codec<bigint> = {
  size: 8,
  encode: (out, type, value) => {
    out.u32(headerOf(type, 8));
    out.u64(value);
  },
  // Most counters in most tables are zero, and the literal 0n allocates nothing.
  decode: (bytes, at) =>
    bytes.getUint32(at, true) === 0 && bytes.getUint32(at + 4, true) === 0
      ? 0n
      : bytes.getBigUint64(at, true),
};

/** Exactly `size` bytes, a multiple of 4. encode() pads a shorter value with zeros. */
export function bytes(size: number): Codec<Uint8Array> {
  const read = new Uint8Array(size);
  const words = new DataView(read.buffer);
  return {
    size,
    encode: (out, type, value) => {
      out.u32(headerOf(type, size));
      out.padded(value, size);
    },
    decode: (bytes, at) => {
      for (let i = 0; i < size; i += 4)
        words.setUint32(i, bytes.getUint32(at + i));
      return read;
    },
  };
}

/** Any number of bytes, such as an IPv4 or IPv6 address. */
export const octets: Codec<Uint8Array> = {
  encode: (out, type, value) => {
    writeBytes(out, type, value);
  },
  decode: copyOf,
};

/** The payload in place, without decoding it: for attributes that are not always needed. */
export function raw(): Codec<Span> {
  const span = new MutableSpan();
  return {
    encode: (out, type, { bytes, start, end }) => {
      writeBytes(out, type, copyOf(bytes, start, end - start));
    },
    decode: (bytes, at, length) => span.set(bytes, at, at + length),
  };
}

function copyOf(bytes: DataView, at: number, length: number): Uint8Array {
  const copy = new Uint8Array(length);
  for (let i = 0; i < length; i++) copy[i] = bytes.getUint8(at + i);
  return copy;
}

/** The last string that was decoded. The same few scheduler names come again and again. */
let lastText = "";

/** A zero-terminated string, one character per byte (latin1). */
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

/** An attribute that contains attributes. */
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

/** Encodes all fields that are present, in the order of the layout. */
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

/** Encodes one field of a layout. Faster than encode(), because it needs no object of fields. */
export function put<T>(out: Writer, row: LayoutRow<T>, value: T): void {
  row[1].encode(out, row[0], value);
}

/** Begins an attribute that contains attributes. @returns the position, for endNested() */
export function beginNested(out: Writer, type: number): number {
  const start = out.length;
  out.u32(headerOf(type | NESTED, 0));
  return start;
}

/** Ends an attribute that contains attributes, and fills in its length. */
export function endNested(out: Writer, start: number): void {
  out.patchU16(start, out.length - start);
}

/**
 * The header of an attribute (struct nlattr) as one number.
 *
 * @param size of the payload, in bytes
 */
export function headerOf(type: number, size: number): number {
  return (type << 16) | (HEADER_BYTES + size);
}

/**
 * The header of an attribute whose size is not known to fit.
 *
 * @throws {RangeError} if it does not fit into 16 bits
 */
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
 * Iterates over the attributes of a payload. Checks every length before it uses it.
 *
 * @throws {MalformedReply} if an attribute's header or payload extends past the end
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
 * Reads the header of an attribute: its type in the upper 16 bits, its length with the header in
 * the lower 16 bits.
 *
 * @throws {MalformedReply} if the length is less than 4 or extends past the end
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
      length < HEADER_BYTES ? `has length ${length}` : "extends past the end";
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

/**
 * A layout prepared for decoding: its rows in order and by type number, and the object that
 * decode() fills.
 */
interface Rows {
  readonly all: readonly Row[];
  readonly byType: readonly (Row | undefined)[];
  readonly fields: Record<string, unknown>;
  /** That object before decoding: every field is undefined */
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
 * Decodes the fields of a layout. Skips types that the layout does not have: newer kernels send
 * more attributes, and 64-bit values come with padding.
 *
 * A listing decodes tens of thousands of messages, so every layout has one object of fields, and
 * every field of bytes has one array. The next call with the same layout overwrites them: copy what
 * you keep.
 *
 * @throws {MalformedReply} if a field has the wrong length (the error names it), or if the bytes
 *   end too soon
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
  // Written out, because a call costs much where code is interpreted.
  for (let at = start; at < end;) {
    const header = end - at < HEADER_BYTES ? 0 : bytes.getUint32(at, true);
    const length = header & LENGTH_MASK;
    if (length < HEADER_BYTES || at + length > end)
      headerAt(bytes, at, start, end); // throws
    const row = byType[(header >>> 16) & TYPE_MASK];
    if (row) {
      const { name, codec } = row;
      const size = length - HEADER_BYTES;
      if (size !== (codec.size ?? size))
        throw new MalformedReply(
          `${name} has ${size} bytes, expected ${codec.size}`,
          at - start,
        );
      fields[name] = codec.decode(bytes, at + HEADER_BYTES, size);
    }
    at += (length + 3) & ~3;
  }
  return fields;
}

/**
 * Checks that fields are present, and returns the same object with a type that says so.
 *
 * @throws {MalformedReply} if a field is missing; the error names the first one
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
