import { EINTR, ENOBUFS } from "./errno.js";
import { MalformedReply, SocketFault } from "./errors.js";
import type { Link, Span } from "./link.js";
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
  /** Flags of this type of message, such as NLM_F_CREATE, beside those that `answer` stands for. */
  readonly flags?: number;
  /** Appends the payload: for generic netlink, from its header on. */
  write(out: Writer): void;
  /**
   * Reads a message of the answer as it arrives. The next one is written over it: what is to be kept, copy.
   *
   * @throws {MalformedReply} which ends the exchange: a dump would still be running
   */
  read?(payload: Span): T;
}

/**
 * What became of one request: carried out, with what `read` made of each message; refused; or carried
 * out with the answer lost because the receive buffer ran over (only for `silence` and `ack`).
 */
export type Reply<T = unknown> =
  | { readonly kind: "done"; readonly entries: readonly T[] }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "lost" };

const FLAGS = {
  silence: NLM_F_REQUEST,
  ack: NLM_F_REQUEST | NLM_F_ACK,
  one: NLM_F_REQUEST | NLM_F_ACK,
  dump: NLM_F_REQUEST | NLM_F_ACK | NLM_F_DUMP,
};

const CARRIED_OUT = { kind: "done", entries: [] } as const;
const BROKEN_OFF = { kind: "refused", refusal: { errno: EINTR } } as const;
const LOST = { kind: "lost" } as const;

/** A request that has been sent, and what has come of it so far. */
interface Pending<T> {
  readonly request: Request<T>;
  readonly entries: T[];
  disturbed: boolean;
  answered: boolean;
  reply: Reply<T> | undefined;
}

/**
 * One link with its sequence numbers: a datagram of requests out, and the answers to each of them in.
 *
 * A link has one channel in its life, for what is still queued is told by its sequence number.
 */
export class Channel {
  readonly #link: Link;
  readonly #datagram = new Writer();
  #sequence = 0;

  constructor(link: Link) {
    this.#link = link;
  }

  /**
   * Sends requests as one datagram and reads until each is answered or known to be lost. A dump goes alone.
   *
   * @returns a reply at the place of each request; undefined where a read is to be asked again, for its
   *   answer was lost or disturbed
   * @throws {SocketFault} when the socket fails
   * @throws {MalformedReply} when an answer is not what its headers describe
   */
  async turn<T>(
    requests: readonly Request<T>[],
  ): Promise<(Reply<T> | undefined)[]> {
    const first = this.#sequence + 1;
    const batch = requests.map((request): Pending<T> => ({
      request,
      entries: [],
      disturbed: false,
      answered: false,
      reply: undefined,
    }));
    let waiting = batch.length;
    let barrier = this.#send(requests);
    while (waiting > 0 || barrier !== undefined) {
      const received = await this.#receive();
      if (received === "overrun") {
        settle(LOST, LOST);
        break;
      }
      for (const message of messages(received)) accept(message);
    }
    return batch.map(({ reply }) => reply);

    /** Ends the waiting for changes: reads that were not answered will be asked again. */
    function settle(silence: Reply<never>, ack: Reply<never>): void {
      for (const pending of batch) {
        if (pending.answered) continue;
        if (pending.request.answer === "silence") pending.reply = silence;
        if (pending.request.answer === "ack") pending.reply = ack;
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
      if (refusal) pending.reply = { kind: "refused", refusal };
      else if (!pending.disturbed)
        pending.reply = { kind: "done", entries: pending.entries };
    }
  }

  /**
   * The kernel does not acknowledge what it broke off with EINTR (stopping a sync daemon that has only just been
   * started does that), nor what asked for silence. Answers come in order, so one to a message behind them all,
   * the barrier, shows that they are complete.
   *
   * @returns the sequence number of the barrier; undefined behind a dump, which would still be running
   */
  #send(requests: readonly Request[]): number | undefined {
    const out = this.#datagram;
    out.clear();
    for (const request of requests) {
      const { type, answer } = request;
      const flags = FLAGS[answer] | (request.flags ?? 0);
      const sequence = ++this.#sequence;
      writeMessage(out, { type, flags, sequence }, request);
    }
    let barrier: number | undefined;
    if (requests[0]?.answer !== "dump") {
      barrier = ++this.#sequence;
      const flags = NLM_F_ACK;
      writeMessage(out, { type: NLMSG_NOOP, flags, sequence: barrier });
    }
    this.#link.send(out.written);
    return barrier;
  }

  async #receive(): Promise<Span | "overrun"> {
    for (;;) {
      try {
        return await this.#link.receive();
      } catch (error) {
        if (!(error instanceof SocketFault)) throw error;
        if (error.errno === ENOBUFS) return "overrun";
        if (error.errno !== EINTR) throw error;
      }
    }
  }
}
