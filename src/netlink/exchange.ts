import { Channel, type Reply, type Request } from "./channel.js";
import { EINTR } from "./errno.js";
import { SocketFault } from "./errors.js";
import type { Link } from "./link.js";

export type { Reply, Request } from "./channel.js";

/**
 * Sends requests to the kernel and returns one reply per request, in the same order. Calls may
 * overlap; they are served one after the other. The kernel handles requests in order. A refused
 * request does not stop the following ones.
 *
 * @throws {SocketFault} if the socket fails; EINTR if a read was lost or interrupted 8 times
 * @throws {MalformedReply} if a reply does not match its headers. Do not use the link after that
 * @since 0.1.0
 */
export type Exchange = <T>(
  requests: readonly Request<T>[],
) => Promise<Reply<T>[]>;

/**
 * The most space that the reply to one request takes in the receive buffer, in bytes with the
 * kernel's overhead. A refusal repeats the request. A reply to `one` is allocated at
 * NLMSG_DEFAULT_SIZE. A dump has its own datagram: a socket runs one dump at a time, and the kernel
 * writes it only as fast as it is read.
 *
 * The largest refusal measured took 769 bytes. The value is twice that, so that overruns do not
 * happen: the socket package does not survive a second one.
 */
const REPLY_BYTES = { errors: 1536, ack: 1536, one: 10_240, dump: 0 };
/**
 * Requests per datagram. A datagram must fit the send buffer, or the kernel refuses it (EMSGSIZE).
 * net.core.wmem_default is 212,992 bytes, and an IPVS change takes less than 200. The receive
 * buffer may have room for far more replies.
 */
const MOST_REQUESTS = 1024;
/**
 * How often a read is sent before it counts as failed: its reply may be lost, or a dump
 * interrupted.
 */
const ATTEMPTS = 8;

/**
 * Runs the netlink protocol over a link: sequence numbers, batches, repeated reads. Use one
 * exchange per link.
 *
 * Dumps run one after the other. Several sockets would not be faster: the kernel builds a dump
 * inside the system calls that read it.
 *
 * @param link a socket, such as {@link openNodeLink} opens
 * @since 0.1.0
 */
export function exchangeOver(link: Link): Exchange {
  const channel = new Channel(link);

  async function carryOut(
    requests: readonly Request[],
    attempts: number,
  ): Promise<Reply[]> {
    const replies: (Reply | undefined)[] = [];
    while (replies.length < requests.length) {
      const from = replies.length;
      const to = batchEnd(requests, from, link.receiveBufferBytes);
      channel.send(requests.slice(from, to));
      while (channel.waiting) {
        const arrival = channel.receive();
        if (arrival) await arrival;
      }
      channel.report(replies);
    }
    if (!replies.includes(undefined)) return replies as Reply[];
    const open = requests.filter((_, place) => !replies[place]);
    if (attempts === 1) throw new SocketFault(EINTR, "recvmsg");
    const again = await carryOut(open, attempts - 1);
    for (const [place, reply] of replies.entries())
      if (!reply) replies[place] = again.shift();
    return replies as Reply[];
  }

  // Calls are served in the order in which they were made.
  let last: Promise<unknown> = Promise.resolve();
  return <T>(requests: readonly Request<T>[]) => {
    const replies = last.then(() => carryOut(requests, ATTEMPTS));
    last = replies.catch(() => undefined);
    return replies as Promise<Reply<T>[]>; // each entry was made by its request
  };
}

/**
 * The end of the datagram that begins with request `from`: the requests must fit the send buffer,
 * and their replies the receive buffer. A dump gets its own datagram.
 */
function batchEnd(
  requests: readonly Request[],
  from: number,
  bufferBytes: number,
): number {
  let used = REPLY_BYTES.ack; // for the barrier
  let at = from;
  for (; at < requests.length && at < from + MOST_REQUESTS; at++) {
    const expects = requests[at]?.expects ?? "dump";
    if (expects === "dump") return at === from ? at + 1 : at;
    used += REPLY_BYTES[expects];
    if (used > bufferBytes && at > from) break;
  }
  return at;
}
