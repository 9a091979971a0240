import { attributes } from "./attributes.js";
import { MalformedReply } from "./errors.js";
import { Window, type Span } from "./link.js";
import { aligned, type Writer } from "./writer.js";

/** Message types and flags. @see include/uapi/linux/netlink.h */
export const NLMSG_NOOP = 1;
export const NLMSG_ERROR = 2;
export const NLMSG_DONE = 3;
export const NLMSG_OVERRUN = 4;
export const NLM_F_REQUEST = 0x001;
export const NLM_F_ACK = 0x004;
/** A dump was disturbed by a change and may lack entries. */
export const NLM_F_DUMP_INTR = 0x010;
export const NLM_F_DUMP = 0x300;
/** The error message repeats only the header of the request, not all of it. */
const NLM_F_CAPPED = 0x100;
/** Attributes with an explanation follow the error message. */
const NLM_F_ACK_TLVS = 0x200;
const NLMSGERR_ATTR_MSG = 1;

const HEADER_BYTES = 16;

/** The header of a message, as far as it is of interest. */
export interface Header {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
}

/** One netlink message: its header and what it carries. */
export interface Message extends Header {
  readonly payload: Span;
}

/** The kernel's no: a positive errno, and its own sentence where it sent one (NLMSGERR_ATTR_MSG). */
export interface Refusal {
  readonly errno: number;
  readonly explanation?: string;
}

/**
 * Appends a message to a datagram, filling in its length when the payload has been written.
 *
 * @param body writes the payload, if there is one
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
  out.pair(sequence, 0); // the kernel knows the sender from the socket
  body?.write(out);
  out.patchU32(start, out.length - start);
}

/** Walks the messages of one datagram after the other, and is itself the message that was found last. */
export class MessageReader implements Message {
  type = 0;
  flags = 0;
  sequence = 0;
  readonly payload = new Window();
  #bytes = this.payload.bytes;
  #start = 0;
  #next = 0;
  #end = 0;

  /** Begins with a datagram. */
  load({ bytes, start, end }: Span): void {
    this.#bytes = bytes;
    this.#start = this.#next = start;
    this.#end = end;
  }

  /**
   * Goes to the next message.
   *
   * @returns false behind the last one
   * @throws {MalformedReply} where a header or a message runs over the end
   */
  next(): boolean {
    const at = this.#next;
    const left = this.#end - at;
    if (left <= 0) return false;
    if (left < HEADER_BYTES) this.#fault("a message's header is cut short");
    const bytes = this.#bytes;
    const length = bytes.getUint32(at, true);
    if (length < HEADER_BYTES) this.#fault(`a message has length ${length}`);
    if (length > left) this.#fault("a message runs over the end");
    this.type = bytes.getUint16(at + 4, true);
    this.flags = bytes.getUint16(at + 6, true);
    this.sequence = bytes.getUint32(at + 8, true);
    this.payload.move(bytes, at + HEADER_BYTES, at + length);
    this.#next = at + aligned(length);
    return true;
  }

  #fault(what: string): never {
    throw new MalformedReply(what, this.#next - this.#start);
  }
}

/**
 * Reads an acknowledgement (NLMSG_ERROR) or the end of a dump (NLMSG_DONE): undefined if all went
 * well. Without setsockopt(NETLINK_EXT_ACK) the kernel sends the errno alone.
 *
 * @throws {MalformedReply} if the errno is cut short
 */
export function refusalOf(message: Message): Refusal | undefined {
  const { payload, type, flags } = message;
  const { bytes, start, end } = payload;
  if (end - start < 4) {
    // Some families end a dump without a status.
    if (type === NLMSG_DONE && end === start) return undefined;
    throw new MalformedReply("an error's number is cut short", 0);
  }
  const errno = -bytes.getInt32(start, true);
  if (errno <= 0) return undefined;
  const explanation =
    flags & NLM_F_ACK_TLVS ? explanationIn(payload, type, flags) : undefined;
  return explanation === undefined ? { errno } : { errno, explanation };
}

/** The errno is followed by the request (all of it, or its header if capped), then by attributes. */
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
      throw new MalformedReply("an error's request is cut short", at - start);
    at += aligned(length);
  }
  for (const [type, value] of attributes({ bytes, start: at, end }))
    if (type === NLMSGERR_ATTR_MSG)
      return Buffer.from(value).toString("latin1").replace(/\0.*$/s, "");
  return undefined;
}
