import type { SocketFault } from "../../src/netlink/errors.js";
import { spanOf, type Link, type Span } from "../../src/netlink/link.js";

const HEADER_BYTES = 16;
const REQUEST = 0x001;
export const NOOP = 1;
export const ERROR = 2;
export const DONE = 3;
export const MULTI = 0x002;
export const DUMP_INTR = 0x010;
export const CAPPED = 0x100;
export const ACK_TLVS = 0x200;

/** A request as the kernel sees it. */
export interface Sent {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Buffer;
  /** The whole message, which an error repeats */
  readonly bytes: Buffer;
}

/** One message as the kernel encodes it, padded to 4 bytes. */
export function message(
  type: number,
  flags: number,
  sequence: number,
  payload: Uint8Array,
): Buffer {
  const length = HEADER_BYTES + payload.length;
  const bytes = Buffer.alloc((length + 3) & ~3);
  bytes.writeUInt32LE(length, 0);
  bytes.writeUInt16LE(type, 4);
  bytes.writeUInt16LE(flags, 6);
  bytes.writeUInt32LE(sequence, 8);
  bytes.set(payload, HEADER_BYTES);
  return bytes;
}

export function int32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return bytes;
}

/** An acknowledgement; with an errno, a refusal. */
export function ack({ sequence, bytes }: Sent, errno = 0): Buffer {
  const request = errno === 0 ? bytes.subarray(0, HEADER_BYTES) : bytes;
  const flags = errno === 0 ? CAPPED : 0;
  return message(
    ERROR,
    flags,
    sequence,
    Buffer.concat([int32(-errno), request]),
  );
}

/** A message of a reply. Its payload is a text, padded to 4 bytes. */
export function part(to: Sent, text: string, flags = 0): Buffer {
  const length = (text.length + 3) & ~3;
  const payload = Buffer.from(text.padEnd(length), "latin1");
  return message(to.type, flags, to.sequence, payload);
}

/** The end of a dump, with its status. */
export function done({ sequence }: Sent, errno = 0, flags = 0): Buffer {
  return message(DONE, MULTI | flags, sequence, int32(-errno));
}

/** The reaction to a datagram: datagrams and socket faults. */
export type Reaction = Iterable<Uint8Array | SocketFault>;

/**
 * A link to a kernel that the test scripts. receive() fails the test if there is nothing left to
 * read. The kernel acknowledges NLMSG_NOOP messages after all other replies.
 */
export class ScriptedLink implements Link {
  /** The requests of each datagram */
  readonly sent: Sent[][] = [];
  /** Messages that are not requests */
  readonly others: Sent[] = [];
  closed = 0;
  readonly #inbox: (Uint8Array | SocketFault)[] = [];
  readonly #react: (requests: readonly Sent[], datagram: number) => Reaction;

  /** @param react gets the requests of a datagram and the number of earlier datagrams */
  constructor(
    react: (requests: readonly Sent[], datagram: number) => Reaction,
    readonly receiveBufferBytes = 4 * 1024 * 1024,
  ) {
    this.#react = react;
  }

  send(datagram: Uint8Array): void {
    const all = [...split(datagram)];
    const requests = all.filter(({ flags }) => flags & REQUEST);
    const others = all.filter(({ flags }) => !(flags & REQUEST));
    this.sent.push(requests);
    this.others.push(...others);
    this.#inbox.push(...this.#react(requests, this.sent.length - 1));
    this.#inbox.push(...others.map((sent) => ack(sent)));
  }

  receive(): Span {
    const item = this.#inbox.shift();
    if (item === undefined) throw new Error("nothing left to receive");
    if (item instanceof Uint8Array) return spanOf(item);
    throw item;
  }

  close(): void {
    this.closed++;
  }
}

function* split(datagram: Uint8Array): Generator<Sent> {
  const copy = Buffer.from(datagram); // the sender reuses its buffer
  for (let at = 0; at < copy.length;) {
    const length = copy.readUInt32LE(at);
    const bytes = copy.subarray(at, at + length);
    yield {
      type: bytes.readUInt16LE(4),
      flags: bytes.readUInt16LE(6),
      sequence: bytes.readUInt32LE(8),
      payload: bytes.subarray(HEADER_BYTES),
      bytes,
    };
    at += (length + 3) & ~3;
  }
}
