import { attributes } from "./attributes.js";
import { MalformedReply } from "./errors.js";
import type { Span } from "./link.js";
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
  header: Header,
  body?: { write(out: Writer): void },
): void {
  out.align();
  const start = out.length;
  out.u32(0);
  out.u16(header.type);
  out.u16(header.flags);
  out.u32(header.sequence);
  out.u32(0); // the kernel knows the sender from the socket
  body?.write(out);
  out.patchU32(start, out.length - start);
}

/**
 * Walks the messages of a datagram.
 *
 * @throws {MalformedReply} where a header or a message runs over the end
 */
export function* messages({ bytes, start, end }: Span): Generator<Message> {
  let at = start;
  while (at < end) {
    if (end - at < HEADER_BYTES)
      throw new MalformedReply("a message's header is cut short", at - start);
    const length = bytes.getUint32(at, true);
    if (length < HEADER_BYTES)
      throw new MalformedReply(`a message has length ${length}`, at - start);
    if (at + length > end)
      throw new MalformedReply("a message runs over the end", at - start);
    yield {
      type: bytes.getUint16(at + 4, true),
      flags: bytes.getUint16(at + 6, true),
      sequence: bytes.getUint32(at + 8, true),
      payload: { bytes, start: at + HEADER_BYTES, end: at + length },
    };
    at += aligned(length);
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
