import { linesOf } from "./files.js";
import { isTerminalAt } from "./terminal.js";

/** The streams of a run. Text is one character a byte throughout, so that what came in goes out unchanged. */
export interface Streams {
  /** The lines of standard input, without their line feeds, as many at a time as are there to be read. */
  stdin(): AsyncIterable<readonly string[]>;
  stdout(text: string): void;
  /** The same with text that is bytes already. They are the caller's again when it returns. */
  stdoutBytes(bytes: Buffer): void;
  stderr(text: string): void;
  /**
   * Writes out what stdout has kept back.
   *
   * @returns why not all of stdout could be written, such as ENOSPC; undefined if all was
   * @throws {OutputClosed} when nobody reads it any more
   */
  flush(): string | undefined;
}

/** The reader of standard output has gone away: `ipvsadm -Ln | head -1`. */
export class OutputClosed extends Error {
  override readonly name = "OutputClosed";
}

/**
 * write(2), as the runtime has it.
 *
 * @returns how many bytes were written
 * @throws an error with the symbol of the errno as its `code`
 */
export type Write = (descriptor: number, bytes: Uint8Array) => number;

const BUFFERED_CHARACTERS = 64 * 1024;
/** From how many on bytes are written at once: to keep them would be to copy them twice. */
const UNBUFFERED_BYTES = 16 * 1024;

/**
 * Writes to the process's own descriptors. Standard output is gathered like stdio does it, and
 * written before anything goes to stderr if it is a terminal, so that the two stay in order.
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

/** write(2) for Node.js. */
export const writeByNode: Write = (descriptor, bytes) =>
  process.getBuiltinModule("node:fs").writeSync(descriptor, bytes);

/**
 * Writes bytes to a descriptor, however many.
 *
 * @returns the symbol of the error that kept it from being written; undefined if there was none
 * @throws {OutputClosed} when nobody reads it any more
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
      if (code === "EINTR") continue; // a signal came first: Node.js tries again by itself, write(2) does not
      // The original does not look whether its output could be written, and scripts go by its status.
      if (code !== "EAGAIN") return code;
      // Another process made the pipe non-blocking: wait for its reader.
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
  return undefined;
}
