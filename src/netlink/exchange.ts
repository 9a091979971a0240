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
export interface Request<T = unknown> {
  /** The message type: a generic netlink family's number, or a control type. */
  readonly type: number;
  /**
   * What comes back: a no or `silence`, `ack` yes or no, `one` message and then yes or no, or a `dump` of any
   * number. Silence is by far the cheapest, but cannot tell what the kernel broke off with EINTR from what
   * it did. What asks for `one` or a `dump` must change nothing, for it is asked again when its answer is lost.
   */
  readonly answer: "silence" | "ack" | "one" | "dump";
  /** Appends the payload, from the generic netlink header on. */
  write(out: Writer): void;
  /**
   * Reads a message of the answer as it arrives. The next one is written over it: what is to be kept, copy.
   *
   * @throws {MalformedReply} which ends the exchange
   */
  read?(payload: Uint8Array): T;
}

/**
 * What became of one request: carried out, with what `read` made of each message; refused; or carried
 * out with the answer lost because the receive buffer ran over (only for `silence` and `ack`).
 */
export type Reply<T = unknown> =
  | { readonly kind: "done"; readonly entries: readonly T[] }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "lost" };

/**
 * One reply per request, in the order asked. Calls may overlap; they are served one after the other.
 * Changes are carried out in the order given, and one that is refused does not keep the following ones from
 * being carried out.
 *
 * @throws {SocketFault} when the socket fails; EINTR when a read was lost or disturbed again and again
 * @throws {MalformedReply} when an answer is not what its headers describe
 */
export type Exchange = <T>(
  requests: readonly Request<T>[],
) => Promise<Reply<T>[]>;

const FLAGS = {
  silence: NLM_F_REQUEST,
  ack: NLM_F_REQUEST | NLM_F_ACK,
  one: NLM_F_REQUEST | NLM_F_ACK,
  dump: NLM_F_REQUEST | NLM_F_ACK | NLM_F_DUMP,
};

const CARRIED_OUT = { kind: "done", entries: [] } as const;
const BROKEN_OFF = { kind: "refused", refusal: { errno: EINTR } } as const;
const LOST = { kind: "lost" } as const;

/**
 * What an answer takes of the receive buffer at most, in bytes with the kernel's own overhead: a
 * refusal repeats the request; an answer is allocated at NLMSG_DEFAULT_SIZE.
 */
const ANSWER_BYTES = { silence: 1536, ack: 1536, one: 10_240, dump: 0 };
/** How often a read is repeated when its answer was lost, or a dump was disturbed. */
const ATTEMPTS = 8;

/** A request that has been sent, and what has come of it so far. */
interface Pending<T> {
  readonly request: Request<T>;
  readonly index: number;
  readonly entries: T[];
  disturbed: boolean;
  answered: boolean;
}

/**
 * Works the protocol over a link: sequence numbers, acknowledgements, multipart replies, batches. A link
 * has one exchange in its life, for what is still queued is told by its sequence number.
 */
export function exchangeOver(link: Link): Exchange {
  const datagram = new Writer();
  let sequence = 0;

  /** Sends some requests as one datagram and reads until each is answered or known to be lost. */
  async function turn<T>(
    batch: readonly Pending<T>[],
    replies: (Reply<T> | undefined)[],
  ): Promise<void> {
    const first = sequence + 1;
    let waiting = batch.length;
    datagram.clear();
    for (const { request } of batch) {
      const header = {
        type: request.type,
        flags: FLAGS[request.answer],
        sequence: ++sequence,
      };
      writeMessage(datagram, header, request);
    }
    // The kernel does not acknowledge what it broke off with EINTR (stopping a sync daemon that has only
    // just been started does that), nor what asked for silence. Answers come in order, so one to a message
    // behind them all shows that they are complete.
    let barrier: number | undefined;
    if (batch[0]?.request.answer !== "dump") {
      barrier = ++sequence;
      const header = { type: NLMSG_NOOP, flags: NLM_F_ACK, sequence };
      writeMessage(datagram, header);
    }
    link.send(datagram.written);
    while (waiting > 0 || barrier !== undefined) {
      const received = await nextDatagram();
      if (received === "overrun") {
        settle(LOST, LOST);
        return;
      }
      for (const message of messages(received)) accept(message);
    }

    /** Ends the waiting for changes: reads that were not answered will be asked again. */
    function settle(silence: Reply<never>, ack: Reply<never>): void {
      for (const { request, index, answered } of batch) {
        if (answered) continue;
        if (request.answer === "silence") replies[index] = silence;
        if (request.answer === "ack") replies[index] = ack;
      }
      waiting = 0;
    }

    function accept(message: Message): void {
      if (message.type === NLMSG_NOOP) return;
      if (message.type === NLMSG_OVERRUN)
        throw new SocketFault(ENOBUFS, "recvmsg");
      if (message.sequence === barrier) {
        barrier = undefined;
        settle(CARRIED_OUT, BROKEN_OFF);
        return;
      }
      if (message.sequence < first) return; // an answer to what was given up earlier
      const pending = batch[message.sequence - first];
      if (!pending || pending.answered)
        throw new MalformedReply(
          `an answer to request ${message.sequence}, which is not open`,
          8,
        );
      if (message.flags & NLM_F_DUMP_INTR) pending.disturbed = true;
      if (message.type !== NLMSG_ERROR && message.type !== NLMSG_DONE) {
        const { request, entries } = pending;
        if (request.read) entries.push(request.read(message.payload));
        return;
      }
      pending.answered = true;
      waiting--;
      const refusal = refusalOf(message);
      if (refusal) replies[pending.index] = { kind: "refused", refusal };
      else if (!pending.disturbed)
        replies[pending.index] = { kind: "done", entries: pending.entries };
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

  async function carryOut<T>(
    requests: readonly Request<T>[],
  ): Promise<Reply<T>[]> {
    const replies = new Array<Reply<T> | undefined>(requests.length);
    for (const [start, end] of batches(requests, link.receiveBufferBytes)) {
      for (let attempt = 0; ; attempt++) {
        const open: Pending<T>[] = [];
        for (let index = start; index < end; index++) {
          const request = requests[index];
          if (request && !replies[index])
            open.push({
              request,
              index,
              entries: [],
              disturbed: false,
              answered: false,
            });
        }
        if (open.length === 0) break;
        if (attempt === ATTEMPTS) throw new SocketFault(EINTR, "recvmsg");
        await turn(open, replies);
      }
    }
    return replies as Reply<T>[];
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
