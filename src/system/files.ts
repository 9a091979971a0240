const CHUNK_BYTES = 64 * 1024;
const LINE_FEED = 0x0a;

/** An open file cannot be read. The message is the symbol of the error, such as EISDIR. */
export class InputFailed extends Error {
  override readonly name = "InputFailed";
}

/**
 * Reads the lines of a file in chunks, one character per byte, without line feeds. Only a small
 * part of the file is in memory at a time. A last line without a line feed counts.
 *
 * @param file a path, or the number of an open file, such as 0 for standard input
 * @throws the error of open(2), with its errno
 * @throws {InputFailed} if the file cannot be read
 */
export async function* linesOf(
  file: string | number,
): AsyncGenerator<string[]> {
  for await (const block of blocksOf(file)) {
    const lines = block.toString("latin1").split("\n");
    if (lines.at(-1) === "") lines.pop();
    yield lines;
  }
}

/**
 * Reads the lines of a file in chunks, as bytes with their line feeds. The next chunk overwrites
 * the previous one.
 *
 * @param atLeast bytes to collect per chunk. Files in procfs return only one page per read
 */
export async function* blocksOf(
  file: string | number,
  atLeast = 1,
): AsyncGenerator<Buffer> {
  const { closeSync, openSync } = process.getBuiltinModule("node:fs");
  const descriptor = typeof file === "number" ? file : openSync(file, "r");
  let buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  /** Number of bytes in the buffer: a chunk, or an unfinished line */
  let begun = 0;
  try {
    for (;;) {
      if (begun === buffer.length)
        buffer = Buffer.concat([buffer], 2 * buffer.length);
      const count = await read(descriptor, buffer.subarray(begun));
      if (count === 0) break;
      const end = begun + count;
      const whole =
        end < atLeast ? 0 : buffer.lastIndexOf(LINE_FEED, end - 1) + 1;
      if (whole > 0) {
        yield buffer.subarray(0, whole);
        buffer.copyWithin(0, whole, end);
      }
      begun = end - whole;
    }
    if (begun > 0) yield buffer.subarray(0, begun);
  } finally {
    if (typeof file === "string") closeSync(descriptor);
  }
}

/** The size of an open file in bytes; undefined if it is a pipe or not a regular file. */
export function sizeOf(descriptor: number): number | undefined {
  try {
    const stat = process.getBuiltinModule("node:fs").fstatSync(descriptor);
    return stat.isFile() ? stat.size : undefined;
  } catch {
    return undefined;
  }
}

/** Reads at least one byte. Repeats read(2) if another process made standard input non-blocking. */
async function read(descriptor: number, buffer: Buffer): Promise<number> {
  const { readSync } = process.getBuiltinModule("node:fs");
  for (;;) {
    try {
      return readSync(descriptor, buffer);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") return 0;
      if (code !== "EAGAIN")
        throw new InputFailed(code ?? "unknown", { cause: error });
      await new Promise((resolve) => {
        setTimeout(resolve, 5);
      });
    }
  }
}

/** Reads a small file as text; undefined if it cannot be read. */
export function textOf(path: string): string | undefined {
  return bytesOf(path)?.toString("latin1");
}

/** Reads a whole file; undefined if it cannot be read. */
export function bytesOf(path: string): Buffer | undefined {
  try {
    return process.getBuiltinModule("node:fs").readFileSync(path);
  } catch {
    return undefined;
  }
}

/** Where a symbolic link leads; undefined if it cannot be read. */
export function linkTarget(path: string): string | undefined {
  try {
    return process.getBuiltinModule("node:fs").readlinkSync(path);
  } catch {
    return undefined;
  }
}

/** Whether a file's mode lets its owner write. Root could open it all the same, and the kernel would refuse. */
export function isWritable(path: string): boolean {
  try {
    const { mode } = process.getBuiltinModule("node:fs").statSync(path);
    return (mode & 0o200) !== 0;
  } catch {
    return false;
  }
}
