import { promisify } from "node:util";
import { gzip, type ZlibOptions } from "node:zlib";

/** The body of a response, plain and compressed. For thousands of services, it is tens of megabytes. */
export class Body {
  readonly plain: Buffer;
  #zipped: Promise<Buffer> | undefined;

  constructor(text: string) {
    this.plain = Buffer.from(text);
  }

  /** Compressed only once, for any number of clients. */
  get zipped(): Promise<Buffer> {
    return (this.#zipped ??= promisify<Buffer, ZlibOptions, Buffer>(gzip)(
      this.plain,
      { level: 1 }, // Higher levels save almost nothing.
    ));
  }
}

/** A response. */
export interface Answer {
  readonly status: 200 | 400 | 404 | 503;
  readonly contentType: string;
  readonly body: Body;
  /** In addition to those of every response, or instead of them. Lower case */
  readonly headers?: Readonly<Record<string, string>>;
}

export const PLAIN_TEXT = "text/plain; charset=utf-8";

/** A response that is a line of text. */
export function lineAnswer(status: Answer["status"], line: string): Answer {
  return { status, contentType: PLAIN_TEXT, body: new Body(`${line}\n`) };
}
