import { linesOf } from "./files.js";
import { isTerminalAt } from "./terminal.js";

/**
 * The standard streams. Text has one character per byte (latin1), so that all input is written
 * unchanged.
 */
export interface Streams {
  /** The lines of standard input without line feeds, as many at a time as are available. */
  stdin(): AsyncIterable<readonly string[]>;
  stdout(text: string): void;
  /** Writes bytes to stdout. The caller may reuse the array afterwards. */
  stdoutBytes(bytes: Buffer): void;
  stderr(text: string): void;
  /**
   * Writes buffered output.
   *
   * @returns the error that prevented writing, such as ENOSPC; undefined if everything was written
   * @throws {OutputClosed} if stdout is a pipe without a reader
   */
  flush(): string | undefined;
}

/** The reader of standard output is gone, as in `ipvsadm -Ln | head -1`. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

/**
 * write(2) of the runtime.
 *
 * @returns the number of bytes written
 * @throws an error whose `code` is the symbol of the errno
 */
export type Write = (descriptor: number, bytes: Uint8Array) => number;

const BUFFERED_CHARACTERS = 64 * 1024;
/** Bytes of this size or more are written directly: buffering them would copy them twice. */
const UNBUFFERED_BYTES = 16 * 1024;

/**
 * Writes to the process's own descriptors. Buffers standard output like stdio. If stdout is a
 * terminal, flushes it before writing to stderr, so that the order is kept.
 */
export function processStreams(write: Write): Streams {
  let kept = "";
  let terminal: boolean | undefined;
  let fault: string | undefined;
  const flush = () => {
    const text = kept;
    kept = "";
    fault ??= writeAll(write, 1, Buffer.from(text, "latin1"));
    return fault;
  };
  const stdout = (text: string) => {
    kept += text;
    if (kept.length >= BUFFERED_CHARACTERS) flush();
  };
  return {
    stdin: () => linesOf(0),
    stdout,
    stdoutBytes(bytes) {
      if (bytes.length < UNBUFFERED_BYTES) {
        stdout(bytes.toString("latin1"));
        return;
      }
      flush();
      fault ??= writeAll(write, 1, bytes);
    },
    stderr(text) {
      if (kept !== "" && (terminal ??= isTerminalAt(1))) flush();
      writeAll(write, 2, Buffer.from(text, "latin1"));
    },
    flush,
  };
}

/** write(2) of Node.js. */
export const writeByNode: Write = (descriptor, bytes) =>
  process.getBuiltinModule("node:fs").writeSync(descriptor, bytes);

/**
 * Writes all bytes to a descriptor.
 *
 * @returns the symbol of the error that prevented it; undefined if there was none
 * @throws {OutputClosed} if the descriptor is a pipe without a reader
 */
export function writeAll(
  write: Write,
  descriptor: number,
  bytes: Uint8Array,
): string | undefined {
  let at = 0;
  while (at < bytes.length) {
    try {
      at += write(descriptor, bytes.subarray(at));
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") throw new OutputClosed();
      if (code === "EINTR") continue; // a signal interrupted write(2); Node.js repeats by itself
      // The original ignores failed writes, and scripts rely on its exit status.
      if (code !== "EAGAIN") return code;
      // Another process made the pipe non-blocking: wait for the reader.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
  return undefined;
}
