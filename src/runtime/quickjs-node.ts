import { errnoName } from "../netlink/errno.js";
import { after } from "./quickjs-loop.js";

/*
 * The parts of Node.js that the classic options use, for QuickJS, which has only the language:
 * Buffer, files and timers. Import this module first.
 */

/** Bytes with conversions to text. Text has one character per byte. */
class Bytes extends Uint8Array {
  write(text: string, at: number): number {
    return host.putLatin1(this, at, text);
  }

  copy(target: Uint8Array, at = 0, start = 0, end = this.length): number {
    target.set(this.subarray(start, end), at);
    return end - start;
  }

  override subarray(start = 0, end = this.length): Bytes {
    return new Bytes(this.buffer, this.byteOffset + start, end - start);
  }

  override toString(_encoding?: string, start = 0, end = this.length): string {
    return host.latin1(this, start, end);
  }
}

function allocate(size: number): Bytes {
  return new Bytes(host.room(size));
}

const statics = {
  alloc: allocate,
  allocUnsafe: allocate,
  from(source: string | Uint8Array): Bytes {
    const bytes = allocate(source.length);
    if (typeof source === "string") bytes.write(source, 0);
    else bytes.set(source);
    return bytes;
  },
  concat(parts: readonly Uint8Array[], size: number): Bytes {
    const all = allocate(size);
    let at = 0;
    for (const part of parts) {
      all.set(part, at);
      at += part.length;
    }
    return all;
  },
};

/** The result of a call. @throws an error with errno and symbol, like those of Node.js */
function checked(result: number, call: string): number {
  if (result >= 0) return result;
  const code = errnoName(-result);
  throw Object.assign(new Error(`${call}: ${code}`), { code, errno: result });
}

const fileSystem = {
  openSync: (path: string) => checked(host.open(path), "open"),
  closeSync(descriptor: number) {
    checked(host.close(descriptor), "close");
  },
  readSync: (descriptor: number, bytes: Uint8Array) =>
    checked(host.read(descriptor, bytes), "read"),
  writeSync: (descriptor: number, bytes: Uint8Array) =>
    checked(host.write(descriptor, bytes), "write"),
  fstatSync(descriptor: number) {
    const size = host.fileSize(descriptor);
    return { size, isFile: () => size >= 0 };
  },
  readFileSync(path: string): Bytes {
    const descriptor = fileSystem.openSync(path);
    let bytes = allocate(4096);
    try {
      for (let length = 0; ;) {
        const count = fileSystem.readSync(descriptor, bytes.subarray(length));
        if (count === 0) return bytes.subarray(0, length);
        length += count;
        if (length === bytes.length)
          bytes = statics.concat([bytes], 2 * length);
      }
    } finally {
      fileSystem.closeSync(descriptor);
    }
  },
};

const MODULES: Readonly<Record<string, unknown>> = {
  "node:fs": fileSystem,
  "node:tty": {
    isatty: (descriptor: number) => host.isTerminal(descriptor),
  },
};

Object.assign(globalThis, {
  Buffer: Object.assign(Bytes, statics),
  process: { getBuiltinModule: (name: string) => MODULES[name] },
  setTimeout: (act: () => void, milliseconds: number) =>
    after(milliseconds, act),
  setImmediate: (act: () => void) => after(0, act),
  structuredClone: clone,
});

/** A value that consists of objects, arrays, bytes and primitives. */
function clone(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Uint8Array) return value.slice();
  if (Array.isArray(value)) return value.map(clone);
  return Object.fromEntries(
    Object.entries(value).map(([name, part]) => [name, clone(part)]),
  );
}
