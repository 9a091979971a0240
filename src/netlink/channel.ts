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
  /** The message type: the number of a generic netlink family, or a type of the netlink family. */
  readonly type: number;
  /**
   * The replies that the request causes: `errors` only; `ack`, an acknowledgement or an error;
   * `one` message before that; or a `dump` of any number of messages. `errors` is by far the
   * cheapest, but a request that the kernel interrupted (EINTR) then looks like one that succeeded.
   * Requests with `one` or `dump` are repeated if their reply is lost, so they must not change
   * anything.
   */
  readonly expects: "errors" | "ack" | "one" | "dump";
  /** Flags of this message type, such as NLM_F_CREATE. The flags for `expects` are added. */
  readonly flags?: number;
  /** Appends the payload. For generic netlink, it begins with struct genlmsghdr. */
  write(out: Writer): void;
  /**
   * Decodes one message of the reply when it arrives. The next message overwrites the payload: copy
   * what you keep.
   *
   * @throws {MalformedReply} ends the exchange, because a dump may still be running
   */
  read?(payload: Span): T;
}

/**
 * The outcome of one request. `done`: carried out, with the decoded messages. `refused`: the kernel
 * reported an error. `lost`: sent, but the receive buffer overflowed, so the outcome is unknown;
 * only for `errors` and `ack`.
 */
export type Reply<T = unknown> =
  | { readonly kind: "done"; readonly entries: readonly T[] }
  | { readonly kind: "refused"; readonly refusal: Refusal }
  | { readonly kind: "lost" };

const FLAGS = {
  errors: NLM_F_REQUEST,
  ack: NLM_F_REQUEST | NLM_F_ACK,
  one: NLM_F_REQUEST | NLM_F_ACK,
  dump: NLM_F_REQUEST | NLM_F_ACK | NLM_F_DUMP,
};

const DONE = { kind: "done", entries: [] } as const;
const INTERRUPTED = { kind: "refused", refusal: { errno: EINTR } } as const;
const LOST = { kind: "lost" } as const;

/**
 * What has been received for one request so far. A successful request that expects only errors has
 * none.
 */
class PendingReply {
  entries: unknown[] | undefined;
  interrupted = false;
  complete = false;
  reply: Reply | undefined;
}

/**
 * Sends datagrams of requests over a link, and matches the replies to them by sequence number.
 *
 * A link has one channel for its whole life: datagrams of earlier requests may still be queued, and
 * only the channel knows their sequence numbers.
 */
export class Channel {
  readonly #link: Link;
  readonly #datagram = new Writer();
  readonly #message = new MessageReader();
  #sequence = 0;
  /**
   * The requests of the last datagram, the sequence number of the first, and their replies in the
   * same order
   */
  #batch: readonly Request[] = [];
  #first = 0;
  #pending: (PendingReply | undefined)[] = [];
  /** The outcome of requests without a reply, once it is known: for `errors`, and for `ack` */
  #unrefused: Reply<never> | undefined;
  #unacknowledged: Reply<never> | undefined;
  #incomplete = 0;
  #barrier: number | undefined;

  constructor(link: Link) {
    this.#link = link;
  }

  /**
   * Sends requests as one datagram. A dump must be the only request in its datagram.
   *
   * @throws {SocketFault} if the socket fails
   */
  send(requests: readonly Request[]): void {
    const out = this.#datagram;
    out.clear();
    this.#first = this.#sequence + 1;
    for (const request of requests) {
      const flags = FLAGS[request.expects] | (request.flags ?? 0);
      writeMessage(out, request.type, flags, ++this.#sequence, request);
    }
    this.#batch = requests;
    this.#pending = [];
    this.#incomplete = requests.length;
    this.#barrier =
      requests[0]?.expects === "dump" ? undefined : this.#writeBarrier();
    this.#link.send(out.written);
  }

  /**
   * Appends a message that only asks for an acknowledgement, the barrier. Replies come in order, so
   * its acknowledgement shows that all earlier replies have arrived. It is needed because requests
   * that expect only errors get no acknowledgement, and because the kernel does not acknowledge a
   * request that it interrupted with EINTR. (Stopping a sync daemon that was just started does
   * that.) A dump gets no barrier: the dump would still be running.
   */
  #writeBarrier(): number {
    const sequence = ++this.#sequence;
    writeMessage(this.#datagram, NLMSG_NOOP, NLM_F_ACK, sequence);
    return sequence;
  }

  /** Whether replies are still to come. If not, the outcome of every request is known. */
  get waiting(): boolean {
    return this.#incomplete > 0 || this.#barrier !== undefined;
  }

  /**
   * Appends the outcome of each request, in order. undefined: a read whose reply was lost or
   * interrupted; repeat it.
   */
  report(replies: (Reply | undefined)[]): void {
    this.#batch.forEach(({ expects }, place) => {
      const pending = this.#pending[place];
      replies.push(
        pending?.complete ? pending.reply : this.#replyWithout(expects),
      );
    });
  }

  /** The outcome of a request that has no complete reply. */
  #replyWithout(expects: Request["expects"]): Reply<never> | undefined {
    if (expects === "errors") return this.#unrefused;
    return expects === "ack" ? this.#unacknowledged : undefined;
  }

  /**
   * Receives one datagram and processes it.
   *
   * @returns a promise if the datagram has not arrived yet. Most links have it at once: one promise
   *   per dump would cost more than decoding ten thousand of them
   * @throws {SocketFault} if the socket fails
   * @throws {MalformedReply} if a reply does not match its headers
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

  /**
   * Ends the waiting and sets the outcome of changes without a reply. Reads without a reply will be
   * repeated.
   */
  #settle(unrefused: Reply<never>, unacknowledged: Reply<never>): void {
    this.#unrefused = unrefused;
    this.#unacknowledged = unacknowledged;
    this.#incomplete = 0;
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
      this.#settle(DONE, INTERRUPTED);
      return;
    }
    if (sequence < this.#first) return; // a late reply to an earlier datagram
    const place = sequence - this.#first;
    const request = this.#batch[place];
    if (!request || this.#pending[place]?.complete)
      throw new MalformedReply(`unexpected reply to request ${sequence}`, 8);
    const pending = (this.#pending[place] ??= new PendingReply());
    if (flags & NLM_F_DUMP_INTR) pending.interrupted = true;
    if (type !== NLMSG_ERROR && type !== NLMSG_DONE) {
      if (request.read)
        (pending.entries ??= []).push(request.read(message.payload));
      return;
    }
    const refusal = refusalOf(message);
    // An acknowledgement does not end a dump: entries may follow. NLMSG_DONE or an error does.
    if (type === NLMSG_ERROR && !refusal && request.expects === "dump") return;
    pending.complete = true;
    this.#incomplete--;
    if (refusal) pending.reply = { kind: "refused", refusal };
    else if (!pending.interrupted)
      pending.reply = pending.entries
        ? { kind: "done", entries: pending.entries }
        : DONE;
  }
}
