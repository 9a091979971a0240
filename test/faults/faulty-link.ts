import { EINTR, ENOBUFS, ETIMEDOUT } from "../../src/netlink/errno.js";
import { SocketFault } from "../../src/netlink/errors.js";
import { spanOf, type Link, type Span } from "../../src/netlink/link.js";
import type { Random } from "../compat/random.js";
import type { ScriptedLink } from "../netlink/scripted-link.js";

/** What a real socket and a real kernel can do. The program must then give the right result, or an error. */
export const REAL_FAULTS = [
  "overrun", // replies lost, with ENOBUFS
  "late", // arrives in time, but not at once
  "interrupted", // EINTR
  "joined", // two datagrams in one
  "foreign", // a message with another sequence number
  "noop", // NLMSG_NOOP
  "unanswered", // the request was carried out, but no reply arrives
  "unsent", // sendmsg fails; the kernel has not seen the request
] as const;

/**
 * What a netlink socket never does by itself. An altered entry can look like any other entry, so the output may differ.
 * The table must not be wrong all the same.
 */
export const UNREAL_FAULTS = [
  "dropped",
  "repeated",
  "swapped",
  "cut",
  "altered",
  "sent twice",
] as const;

export type LinkFaultKind =
  (typeof REAL_FAULTS)[number] | (typeof UNREAL_FAULTS)[number];

/** A fault of one datagram. */
export interface LinkFault {
  readonly kind: LinkFaultKind;
  /** Number of the datagram: of those sent for `unsent`, `unanswered` and `sent twice`; else of those received */
  readonly at: number;
}

/** How many datagrams went which way, on all sockets of a run. */
export interface Traffic {
  sent: number;
  received: number;
}

const ON_SENDING = new Set<LinkFaultKind>([
  "unsent",
  "unanswered",
  "sent twice",
]);

/** Whether a fault concerns a datagram to the kernel. */
export function isOnSending(kind: LinkFaultKind): boolean {
  return ON_SENDING.has(kind);
}

type Item = Buffer | SocketFault | "late";

/** A link that disturbs the datagrams of another one. Time is virtual: a reply that never comes is an ETIMEDOUT at once. */
export class FaultyLink implements Link {
  readonly receiveBufferBytes: number;
  readonly #inner: ScriptedLink;
  readonly #faults: readonly LinkFault[];
  readonly #traffic: Traffic;
  readonly #random: Random;
  #inbox: Item[] = [];
  #kept: Buffer | undefined;
  /** Is called before a datagram is sent, and after the kernel has handled it */
  readonly #step: (what: string) => void;

  constructor(
    inner: ScriptedLink,
    faults: readonly LinkFault[],
    traffic: Traffic,
    random: Random,
    step: (what: string) => void = () => undefined,
  ) {
    this.#inner = inner;
    this.receiveBufferBytes = inner.receiveBufferBytes;
    this.#faults = faults;
    this.#traffic = traffic;
    this.#random = random;
    this.#step = step;
  }

  send(datagram: Uint8Array): void {
    const at = this.#traffic.sent++;
    const kind = this.#faults.find(
      (one) => isOnSending(one.kind) && one.at === at,
    )?.kind;
    this.#step("send");
    if (kind === "unsent")
      throw new SocketFault(this.#random.pick([ENOBUFS, 1, 11, 90]), "sendmsg");
    this.#inner.send(datagram);
    if (kind === "sent twice") this.#inner.send(datagram);
    this.#step("sent");
    const replies = this.#replies();
    if (kind !== "unanswered") this.#deliver(replies);
  }

  #replies(): Buffer[] {
    const replies: Buffer[] = [];
    for (;;) {
      try {
        const { bytes, start, end } = this.#inner.receive();
        replies.push(
          Buffer.from(
            Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start),
          ),
        );
      } catch {
        return replies; // nothing left
      }
    }
  }

  #deliver(replies: readonly Buffer[]): void {
    let lost = false;
    for (const reply of replies) {
      const at = this.#traffic.received++;
      const fault = this.#faults.find(
        (one) => !isOnSending(one.kind) && one.at === at,
      );
      if (lost) continue;
      if (fault?.kind === "overrun") lost = true;
      else this.#inbox.push(...this.#disturbed(fault?.kind, reply));
    }
    if (this.#kept) this.#inbox.push(this.#kept);
    this.#kept = undefined;
    if (lost) this.#inbox.push(new SocketFault(ENOBUFS, "recvmsg"));
  }

  #disturbed(kind: LinkFaultKind | undefined, reply: Buffer): Item[] {
    const kept = this.#kept;
    this.#kept = undefined;
    switch (kind) {
      case "dropped":
        return kept ? [kept] : [];
      case "repeated":
        return [...(kept ? [kept] : []), reply, Buffer.from(reply)];
      case "swapped":
        this.#kept = reply;
        return kept ? [kept] : [];
      case "cut":
        return [reply.subarray(0, this.#random.below(reply.length))];
      case "altered":
        return [altered(reply, this.#random)];
      case "late":
        return ["late", reply];
      case "interrupted":
        return [new SocketFault(EINTR, "recvmsg"), reply];
      case "joined":
        return [Buffer.concat([reply, noop()])];
      case "foreign":
        return [foreign(reply), reply];
      case "noop":
        return [noop(), reply];
      default:
        return kept ? [reply, kept] : [reply];
    }
  }

  receive(): Span | Promise<Span> {
    const item = this.#inbox.shift();
    if (item === undefined) throw new SocketFault(ETIMEDOUT, "recvmsg");
    if (item instanceof SocketFault) throw item;
    if (item !== "late") return spanOf(item);
    return new Promise((resolve) => setImmediate(resolve)).then(() =>
      this.receive(),
    );
  }

  close(): void {
    this.#inner.close();
  }
}

function altered(reply: Buffer, random: Random): Buffer {
  const changed = Buffer.from(reply);
  for (let left = 1 + random.below(3); left > 0; left--) {
    const at = random.below(changed.length);
    changed[at] = random.pick([
      random.below(256),
      0,
      255,
      (changed[at] ?? 0) ^ (1 << random.below(8)),
    ]);
  }
  return changed;
}

function noop(): Buffer {
  const message = Buffer.alloc(16);
  message.writeUInt32LE(16, 0);
  message.writeUInt16LE(1, 4);
  return message;
}

/** The same reply to an earlier request. */
function foreign(reply: Buffer): Buffer {
  const other = Buffer.from(reply);
  other.writeUInt32LE(0, 8);
  return other;
}
