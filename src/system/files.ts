const CHUNK_BYTES = 64 * 1024;

/** A file that is open cannot be read. The message is the symbol of the error, such as EISDIR. */
export class InputFailed extends Error {
  override readonly name = "InputFailed";
}

/**
 * The lines of a file as they can be read, some at a time, one character a byte and without their line
 * feeds: however long the file is, little of it is in memory. An unfinished last line counts.
 *
 * @param file a path, or the number of an open file such as 0 for standard input
 * @throws the error of open(2), with its errno
 * @throws {InputFailed} when it cannot be read
 */
export async function* linesOf(
  file: string | number,
): AsyncGenerator<string[]> {
  const { closeSync, openSync } = process.getBuiltinModule("node:fs");
  const descriptor = typeof file === "number" ? file : openSync(file, "r");
  const buffer = Buffer.allocUnsafe(CHUNK_BYTES);
  /** The pieces of a line that has not ended yet */
  let begun: string[] = [];
  try {
    for (;;) {
      const count = await read(descriptor, buffer);
      if (count === 0) break;
      const lines = buffer.toString("latin1", 0, count).split("\n");
      begun.push(lines.pop() ?? "");
      if (lines.length === 0) continue;
      const next = begun.pop() ?? "";
      lines[0] = begun.join("") + (lines[0] ?? "");
      begun = [next];
      yield lines;
    }
    const rest = begun.join("");
    if (rest !== "") yield [rest];
  } finally {
    if (typeof file === "string") closeSync(descriptor);
  }
}

/** read(2) until there is something: standard input may be a pipe that another process made non-blocking. */
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

/** A small file as text; undefined if it cannot be read. */
export function textOf(path: string): string | undefined {
  try {
    return process.getBuiltinModule("node:fs").readFileSync(path, "latin1");
  } catch {
    return undefined;
  }
}
