import { EINTR, ENOBUFS } from "./errno.js";
import { MalformedReply, SocketFault } from "./errors.js";
import type { Link, Span } from "./link.js";
import {
  MessageReader,
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

/** What has come of a request so far. There is none of what was done in silence, as nearly all changes are. */
class Answer {
  entries: unknown[] | undefined;
  disturbed = false;
  complete = false;
  reply: Reply | undefined;
}

/**
 * One link with its sequence numbers: a datagram of requests out, and the answers to each of them in.
 *
 * A link has one channel in its life, for what is still queued is told by its sequence number.
 */
export class Channel {
  readonly #link: Link;
  readonly #datagram = new Writer();
  readonly #message = new MessageReader();
  #sequence = 0;
  /** What was sent as one datagram, the sequence number of the first, and what came of each at its place */
  #batch: readonly Request[] = [];
  #first = 0;
  #answers: (Answer | undefined)[] = [];
  /** What became of changes without an answer */
  #silent: Reply<never> | undefined;
  #unacknowledged: Reply<never> | undefined;
  #unanswered = 0;
  #barrier: number | undefined;

  constructor(link: Link) {
    this.#link = link;
  }

  /**
   * Sends requests as one datagram. A dump goes alone.
   *
   * @throws {SocketFault} when the socket fails
   */
  send(requests: readonly Request[]): void {
    const out = this.#datagram;
    out.clear();
    this.#first = this.#sequence + 1;
    for (const request of requests) {
      const flags = FLAGS[request.answer] | (request.flags ?? 0);
      writeMessage(out, request.type, flags, ++this.#sequence, request);
    }
    this.#batch = requests;
    this.#answers = [];
    this.#unanswered = requests.length;
    this.#barrier =
      requests[0]?.answer === "dump" ? undefined : this.#writeBarrier();
    this.#link.send(out.written);
  }

  /**
   * The kernel does not acknowledge what it broke off with EINTR (stopping a sync daemon that has only just been
   * started does that), nor what asked for silence. Answers come in order, so one to a message behind them all,
   * the barrier, shows that they are complete. Behind a dump it would still be running.
   */
  #writeBarrier(): number {
    const sequence = ++this.#sequence;
    writeMessage(this.#datagram, NLMSG_NOOP, NLM_F_ACK, sequence);
    return sequence;
  }

  /** Whether there are answers to come: else each of the requests is answered, or known to be lost. */
  get waits(): boolean {
    return this.#unanswered > 0 || this.#barrier !== undefined;
  }

  /**
   * Appends what became of the requests, each in its place; undefined where a read is to be asked again, for its
   * answer was lost or disturbed.
   */
  report(replies: (Reply | undefined)[]): void {
    this.#batch.forEach(({ answer: wanted }, place) => {
      const answer = this.#answers[place];
      replies.push(
        answer?.complete ? answer.reply : this.#replyWithout(wanted),
      );
    });
  }

  /** What became of a request that has no complete answer. */
  #replyWithout(wanted: Request["answer"]): Reply<never> | undefined {
    if (wanted === "silence") return this.#silent;
    return wanted === "ack" ? this.#unacknowledged : undefined;
  }

  /**
   * Takes in one datagram.
   *
   * @returns what to wait for, if it has not come yet. Most links have it at once, and then there is nothing to
   *   wait for: a promise for each of ten thousand dumps costs more than to read them
   * @throws {SocketFault} when the socket fails
   * @throws {MalformedReply} when an answer is not what its headers describe
   */
  receive(): Promise<void> | undefined {
    let received: Span | Promise<Span>;
    try {
      received = this.#link.receive();
    } catch (error) {
      this.#failed(error);
      return undefined;
    }
    if (received instanceof Promise) return this.#takeLater(received);
    this.#take(received);
    return undefined;
  }

  async #takeLater(arrival: Promise<Span>): Promise<void> {
    let received: Span;
    try {
      received = await arrival;
    } catch (error) {
      this.#failed(error);
      return;
    }
    this.#take(received);
  }

  #failed(error: unknown): void {
    if (!(error instanceof SocketFault)) throw error;
    if (error.errno === EINTR) return;
    if (error.errno !== ENOBUFS) throw error;
    this.#settle(LOST, LOST);
  }

  /** Ends the waiting: changes that were not answered become of this, and reads will be asked again. */
  #settle(silence: Reply<never>, ack: Reply<never>): void {
    this.#silent = silence;
    this.#unacknowledged = ack;
    this.#unanswered = 0;
    this.#barrier = undefined;
  }

  #take(datagram: Span): void {
    const message = this.#message;
    message.load(datagram);
    while (message.next()) this.#accept(message);
  }

  #accept(message: Message): void {
    const { type, flags, sequence } = message;
    if (type === NLMSG_NOOP) return;
    if (type === NLMSG_OVERRUN) throw new SocketFault(ENOBUFS, "recvmsg");
    if (sequence === this.#barrier) {
      this.#settle(CARRIED_OUT, BROKEN_OFF);
      return;
    }
    if (sequence < this.#first) return; // an answer to what was given up earlier
    const place = sequence - this.#first;
    const request = this.#batch[place];
    if (!request || this.#answers[place]?.complete)
      throw new MalformedReply(
        `an answer to request ${sequence}, which is not open`,
        8,
      );
    const answer = (this.#answers[place] ??= new Answer());
    if (flags & NLM_F_DUMP_INTR) answer.disturbed = true;
    if (type !== NLMSG_ERROR && type !== NLMSG_DONE) {
      if (request.read)
        (answer.entries ??= []).push(request.read(message.payload));
      return;
    }
    answer.complete = true;
    this.#unanswered--;
    const refusal = refusalOf(message);
    if (refusal) answer.reply = { kind: "refused", refusal };
    else if (!answer.disturbed)
      answer.reply = answer.entries
        ? { kind: "done", entries: answer.entries }
        : CARRIED_OUT;
  }
}
