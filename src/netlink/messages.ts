import { attributes } from "./attributes.js";
import { MalformedReply } from "./errors.js";
import { MutableSpan, type Span } from "./link.js";
import { aligned, type Writer } from "./writer.js";

/** Message types and flags. @see include/uapi/linux/netlink.h */
export const NLMSG_NOOP = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLMSG_OVERRUN = 4;
export const NLM_F_REQUEST = 0x001;
export const NLM_F_ACK = 0x004;
/** A change interrupted the dump, so entries may be missing. */
export const NLM_F_DUMP_INTR = 0x010;
export const NLM_F_DUMP = 0x300;
/** The error message contains only the header of the request. */
const NLM_F_CAPPED = 0x100;
/** The error message ends with attributes, such as an explanation. */
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;

const HEADER_BYTES = 16;

/** The header of a message, without its length and port. */
export interface Header {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
}

/** One netlink message: header and payload. */
export interface Message extends Header {
  readonly payload: Span;
}

/**
 * An error that the kernel reported: a positive errno, and the kernel's explanation if it sent one
 * (NLMSGERR_ATTR_MSG).
 */
export interface Refusal {
  readonly errno: number;
  readonly explanation?: string;
}

/**
 * Appends a message to a datagram and fills in its length.
 *
 * @param body writes the payload, if the message has one
 */
export function writeMessage(
  out: Writer,
  type: number,
  flags: number,
  sequence: number,
  body?: { write(out: Writer): void },
): void {
  out.align();
  const start = out.length;
  out.pair(0, (flags << 16) | type);
  out.pair(sequence, 0); // port 0: the kernel knows the sender from the socket
  body?.write(out);
  out.patchU32(start, out.length - start);
}

/**
 * Iterates over the messages of a datagram. The reader is itself the current message, so no object
 * is created per message.
 */
export class MessageReader implements Message {
  type = 0;
  flags = 0;
  sequence = 0;
  readonly payload = new MutableSpan();
  #bytes = this.payload.bytes;
  #start = 0;
  #next = 0;
  #end = 0;

  /** Starts with a new datagram. */
  load({ bytes, start, end }: Span): void {
    this.#bytes = bytes;
    this.#start = this.#next = start;
    this.#end = end;
  }

  /**
   * Moves to the next message.
   *
   * @returns false after the last message
   * @throws {MalformedReply} if a header or a message extends past the end
   */
  next(): boolean {
    const at = this.#next;
    const left = this.#end - at;
    if (left <= 0) return false;
    if (left < HEADER_BYTES) this.#fault("a message's header is cut short");
    const bytes = this.#bytes;
    const length = bytes.getUint32(at, true);
    if (length < HEADER_BYTES) this.#fault(`a message has length ${length}`);
    if (length > left) this.#fault("a message extends past the end");
    this.type = bytes.getUint16(at + 4, true);
    this.flags = bytes.getUint16(at + 6, true);
    this.sequence = bytes.getUint32(at + 8, true);
    this.payload.set(bytes, at + HEADER_BYTES, at + length);
    this.#next = at + aligned(length);
    return true;
  }

  #fault(what: string): never {
    throw new MalformedReply(what, this.#next - this.#start);
  }
}

/**
 * Reads an acknowledgement (NLMSG_ERROR) or the end of a dump (NLMSG_DONE). Without
 * setsockopt(NETLINK_EXT_ACK) the kernel sends only the errno.
 *
 * @returns undefined if the request succeeded
 * @throws {MalformedReply} if the message is cut short
 */
export function refusalOf(message: Message): Refusal | undefined {
  const { payload, type, flags } = message;
  const { bytes, start, end } = payload;
  if (end - start < 4) {
    // Some families send no status at the end of a dump.
    if (type === NLMSG_DONE && end === start) return undefined;
    throw new MalformedReply("an error number is cut short", 0);
  }
  const errno = -bytes.getInt32(start, true);
  if (errno <= 0) return undefined;
  const explanation =
    flags & NLM_F_ACK_TLVS ? explanationIn(payload, type, flags) : undefined;
  return explanation === undefined ? { errno } : { errno, explanation };
}

/**
 * The explanation. It follows the errno and the request (only the request's header if NLM_F_CAPPED
 * is set).
 */
function explanationIn(
  { bytes, start, end }: Span,
  type: number,
  flags: number,
): string | undefined {
  let at = start + 4;
  if (type === NLMSG_ERROR) {
    const rest = end - at;
    const length =
      flags & NLM_F_CAPPED || rest < HEADER_BYTES
        ? HEADER_BYTES
        : bytes.getUint32(at, true);
    if (length > rest)
      throw new MalformedReply(
        "the request in an error is cut short",
        at - start,
      );
    at += aligned(length);
  }
  for (const [type, value] of attributes({ bytes, start: at, end }))
    if (type === NLMSGERR_ATTR_MSG)
      return Buffer.from(value).toString("latin1").replace(/\0.*$/s, "");
  return undefined;
}
