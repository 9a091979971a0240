import { EINTR, ENOBUFS } from "./errno.js";
import { MalformedReply, SocketFault } from "./errors.js";
import type { Link } from "./link.js";
import {
  messages,
  NLM_F_ACK,
  NLM_F_DUMP,
  NLM_F_DUMP_INTR,
  NLM_F_REQUEST,
  NLMSG_DONE,
  NLMSG_ERROR,
  NLMSG_NOOP,
  NLMSG_OVERRUN,
  refusalOf,
  writeMessage,
  type Message,
  type Refusal,
} from "./messages.js";
import { Writer } from "./writer.js";

/** One request to the kernel. */
export interface Request {
  /** The message type: a generic netlink family's number, or a control type. */
  readonly type: number;
  /**
   * What comes back: `ack` yes or no, `one` message and then yes or no, or a `dump` of any number.
   * What asks for `one` or a `dump` must change nothing, for it is asked again when its answer is lost.
   */
  readonly answer: "ack" | "one" | "dump";
  /** Appends the payload, from the generic netlink header on. */
  write(out: Writer): void;
}

/**
 * What became of one request: carried out, refused, or carried out with the answer lost because the
 * receive buffer ran over (only for `ack`).
 */
export type Reply =
  | { readonly kind: "done"; readonly payloads: readonly Uint8Array[] }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "lost" };

/**
 * One reply per request, in the order asked. Calls may overlap; they are served one after the other. The requests are carried out in that order, and one
 * that is refused does not keep the following ones from being carried out.
 *
 * @throws {SocketFault} when the socket fails; EINTR when a read was lost or disturbed again and again
 * @throws {MalformedReply} when an answer is not what its headers describe
 */
export type Exchange = (requests: readonly Request[]) => Promise<Reply[]>;

/**
 * What an answer takes of the receive buffer, in bytes with the kernel's own overhead: an
 * acknowledgement may repeat the request; an answer is allocated at NLMSG_DEFAULT_SIZE.
 */
const ANSWER_BYTES = { ack: 1536, one: 10_240, dump: 0 };
/** How often a read is repeated when its answer was lost, or a dump was disturbed. */
const ATTEMPTS = 8;

interface Pending {
  readonly index: number;
  readonly request: Request;
  readonly payloads: Uint8Array[];
  disturbed: boolean;
}

/**
 * Works the protocol over a link: sequence numbers, acknowledgements, multipart replies, batches. A link
 * has one exchange in its life, for what is still queued is told by its sequence number.
 */
export function exchangeOver(link: Link): Exchange {
  const datagram = new Writer();
  let sequence = 0;

  /** Sends some requests as one datagram and reads until each is answered or known to be lost. */
  async function turn(
    batch: readonly Pending[],
    replies: (Reply | undefined)[],
  ): Promise<void> {
    const waiting = new Map<number, Pending>();
    datagram.clear();
    const first = sequence + 1;
    for (const pending of batch) {
      const { type, answer } = pending.request;
      const flags =
        NLM_F_REQUEST | NLM_F_ACK | (answer === "dump" ? NLM_F_DUMP : 0);
      waiting.set(++sequence, pending);
      writeMessage(datagram, { type, flags, sequence }, (out) => {
        pending.request.write(out);
      });
    }
    // The kernel does not acknowledge what it broke off with EINTR (stopping a sync daemon that has only
    // just been started does that). Answers come in order, so one to a message behind them all shows it.
    let barrier: number | undefined;
    if (batch[0]?.request.answer !== "dump") {
      barrier = ++sequence;
      const header = { type: NLMSG_NOOP, flags: NLM_F_ACK, sequence };
      writeMessage(datagram, header, () => undefined);
    }
    link.send(datagram.written);
    while (waiting.size > 0 || barrier !== undefined) {
      const received = await nextDatagram();
      if (received === "overrun") {
        // Everything was carried out, and what is still waiting lost its answer.
        settle({ kind: "lost" });
        return;
      }
      for (const message of messages(received)) accept(message);
    }

    /** Gives up waiting: reads will be asked again, for the others this is the reply. */
    function settle(reply: Reply): void {
      for (const { index, request } of waiting.values())
        if (request.answer === "ack") replies[index] = reply;
      waiting.clear();
    }

    function accept(message: Message): void {
      if (message.type === NLMSG_NOOP) return;
      if (message.type === NLMSG_OVERRUN)
        throw new SocketFault(ENOBUFS, "recvmsg");
      if (message.sequence === barrier) {
        barrier = undefined;
        settle({ kind: "refused", refusal: { errno: EINTR } });
        return;
      }
      const pending = waiting.get(message.sequence);
      if (!pending) {
        if (message.sequence < first) return; // an answer to what was given up earlier
        throw new MalformedReply(
          `an answer to request ${message.sequence}, which is not open`,
          8,
        );
      }
      if (message.flags & NLM_F_DUMP_INTR) pending.disturbed = true;
      if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) {
        pending.payloads.push(message.payload);
        return;
      }
      waiting.delete(message.sequence);
      const refusal = refusalOf(message);
      if (refusal) replies[pending.index] = { kind: "refused", refusal };
      else if (!pending.disturbed)
        replies[pending.index] = { kind: "done", payloads: pending.payloads };
    }
  }

  async function nextDatagram(): Promise<Uint8Array | "overrun"> {
    for (;;) {
      try {
        return await link.receive();
      } catch (error) {
        if (!(error instanceof SocketFault)) throw error;
        if (error.errno === ENOBUFS) return "overrun";
        if (error.errno !== EINTR) throw error;
      }
    }
  }

  async function carryOut(requests: readonly Request[]): Promise<Reply[]> {
    const replies = new Array<Reply | undefined>(requests.length);
    for (const [start, end] of batches(requests, link.receiveBufferBytes)) {
      for (let attempt = 0; ; attempt++) {
        const open: Pending[] = [];
        for (let index = start; index < end; index++) {
          const request = requests[index];
          if (request && !replies[index])
            open.push({ index, request, payloads: [], disturbed: false });
        }
        if (open.length === 0) break;
        if (attempt === ATTEMPTS) throw new SocketFault(EINTR, "recvmsg");
        await turn(open, replies);
      }
    }
    return replies as Reply[];
  }

  // Whoever asks while others wait for their answers comes after them.
  let last: Promise<unknown> = Promise.resolve();
  return (requests) => {
    const replies = last.then(() => carryOut(requests));
    last = replies.catch(() => undefined);
    return replies;
  };
}

/**
 * Cuts the requests into runs whose answers fit the receive buffer together. A dump goes alone: a
 * socket runs one at a time, and its answer is written only as fast as it is read.
 */
function* batches(
  requests: readonly Request[],
  bufferBytes: number,
): Generator<readonly [start: number, end: number]> {
  const barrier = ANSWER_BYTES.ack;
  let start = 0;
  let used = barrier;
  for (const [index, { answer }] of requests.entries()) {
    const cost = ANSWER_BYTES[answer];
    const full = used + cost > bufferBytes;
    if (index > start && (answer === "dump" || full)) {
      yield [start, index];
      start = index;
      used = barrier;
    }
    used += cost;
    if (answer === "dump") {
      yield [start, index + 1];
      start = index + 1;
      used = barrier;
    }
  }
  if (start < requests.length) yield [start, requests.length];
}
