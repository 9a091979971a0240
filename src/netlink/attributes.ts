import { MalformedReply } from "./errors.js";
import { aligned, type Writer } from "./writer.js";

/** Set on the type of an attribute that holds attributes. @see NLA_F_NESTED in linux/netlink.h */
const NESTED = 0x8000;
/** The bits of the type field that are the type. @see NLA_TYPE_MASK */
const TYPE_MASK = 0x3fff;
const HEADER_BYTES = 4;

/**
 * How one attribute's payload is written and read.
 *
 * `size` is the payload's length in bytes where that is fixed; `decode` is given a payload of just
 * that length, so no reader runs past an end.
 */
export interface Codec<T> {
  readonly size?: number;
  readonly nested?: boolean;
  encode(out: Writer, value: T): void;
  decode(payload: Uint8Array): T;
}

/** One row an attribute: the field's name, its type number and its codec, in the order of a request. */
export type Layout = Readonly<
  Record<string, readonly [type: number, codec: Codec<unknown>]>
>;

type ValueOf<C> = C extends Codec<infer T> ? T : never;

/** The fields of a layout; in what was read any of them may be missing. */
export type Fields<L extends Layout> = {
  -readonly [Name in keyof L]?: ValueOf<L[Name][1]> | undefined;
};

function view(payload: Uint8Array): DataView {
  return new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
}

export const u8: Codec<number> = {
  size: 1,
  encode: (out, value) => {
    out.u8(value);
  },
  decode: (payload) => view(payload).getUint8(0),
};

export const u16: Codec<number> = {
  size: 2,
  encode: (out, value) => {
    out.u16(value);
  },
  decode: (payload) => view(payload).getUint16(0, true),
};

/** Network byte order, as the kernel keeps ports. */
export const u16be: Codec<number> = {
  size: 2,
  encode: (out, value) => {
    out.u16be(value);
  },
  decode: (payload) => view(payload).getUint16(0, false),
};

export const u32: Codec<number> = {
  size: 4,
  encode: (out, value) => {
    out.u32(value);
  },
  decode: (payload) => view(payload).getUint32(0, true),
};

/** 64 bits do not fit a JavaScript number, hence bigint. */
export const u64: Codec<bigint> = {
  size: 8,
  encode: (out, value) => {
    out.u64(value);
  },
  decode: (payload) => view(payload).getBigUint64(0, true),
};

/** Exactly `size` bytes; what is shorter is filled up with zeros when written. */
export function bytes(size: number): Codec<Uint8Array> {
  return {
    size,
    encode: (out, value) => {
      out.bytes(value);
      out.zeros(size - value.length);
    },
    decode: (payload) => payload,
  };
}

/** A string that ends with a zero byte, one character a byte. */
export const text: Codec<string> = {
  encode: (out, value) => {
    for (let i = 0; i < value.length; i++) out.u8(value.charCodeAt(i));
    out.u8(0);
  },
  decode: (payload) => {
    const end = payload.indexOf(0);
    return Buffer.from(end < 0 ? payload : payload.subarray(0, end)).toString(
      "latin1",
    );
  },
};

/** Attributes inside an attribute. */
export function nested<L extends Layout>(layout: L): Codec<Fields<L>> {
  return {
    nested: true,
    encode: (out, value) => {
      encode(layout, out, value);
    },
    decode: (payload) => decode(layout, payload),
  };
}

/** Writes every field that is present, in the order of the layout. */
export function encode<L extends Layout>(
  layout: L,
  out: Writer,
  fields: Fields<L>,
): void {
  for (const name in layout) {
    const value = fields[name];
    if (value === undefined) continue;
    const [type, codec] = layout[name] as readonly [number, Codec<unknown>];
    const start = out.length;
    out.u16(0);
    out.u16(codec.nested ? type | NESTED : type);
    codec.encode(out, value);
    out.patchU16(start, out.length - start);
    out.align();
  }
}

/**
 * Walks the attributes of a payload, checking every length before it is used.
 *
 * @throws {MalformedReply} where an attribute's header or body runs over the end
 */
export function* attributes(
  payload: Uint8Array,
): Generator<readonly [type: number, value: Uint8Array, offset: number]> {
  const header = view(payload);
  let at = 0;
  while (at < payload.length) {
    if (payload.length - at < HEADER_BYTES)
      throw new MalformedReply("an attribute's header is cut short", at);
    const length = header.getUint16(at, true);
    const type = header.getUint16(at + 2, true) & TYPE_MASK;
    if (length < HEADER_BYTES)
      throw new MalformedReply(`attribute ${type} has length ${length}`, at);
    if (at + length > payload.length)
      throw new MalformedReply(`attribute ${type} runs over the end`, at);
    yield [type, payload.subarray(at + HEADER_BYTES, at + length), at];
    at += aligned(length);
  }
}

/** A layout turned round, from type number to field; made once for each layout. */
const fieldsByType = new WeakMap<
  Layout,
  Map<number, readonly [string, Codec<unknown>]>
>();

function byType(
  layout: Layout,
): Map<number, readonly [string, Codec<unknown>]> {
  let fields = fieldsByType.get(layout);
  if (!fields) {
    fields = new Map(
      Object.entries(layout).map(([name, [type, codec]]) => [
        type,
        [name, codec],
      ]),
    );
    fieldsByType.set(layout, fields);
  }
  return fields;
}

/**
 * Reads the fields of a layout. Types that the layout does not name are skipped: newer kernels send
 * more, and 64-bit values come with padding between.
 *
 * @throws {MalformedReply} naming the field whose length is wrong, or where the bytes end too soon
 */
export function decode<L extends Layout>(
  layout: L,
  payload: Uint8Array,
): Fields<L> {
  const known = byType(layout);
  const fields: Record<string, unknown> = {};
  for (const [type, value, at] of attributes(payload)) {
    const field = known.get(type);
    if (!field) continue;
    const [name, codec] = field;
    if (codec.size !== undefined && value.length !== codec.size)
      throw new MalformedReply(
        `${name} has ${value.length} bytes where ${codec.size} belong`,
        at,
      );
    fields[name] = codec.decode(value);
  }
  return fields as Fields<L>;
}

/**
 * The same fields, with those named known to be there.
 *
 * @throws {MalformedReply} naming the first that is missing
 */
export function required<F extends object, K extends keyof F>(
  fields: F,
  ...names: readonly K[]
): F & { [Name in K]-?: NonNullable<F[Name]> } {
  for (const name of names)
    if (fields[name] === undefined)
      throw new MalformedReply(`${String(name)} is missing`, 0);
  return fields as F & { [Name in K]-?: NonNullable<F[Name]> };
}
