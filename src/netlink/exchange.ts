import { Channel, type Reply, type Request } from "./channel.js";
import { EINTR } from "./errno.js";
import { SocketFault } from "./errors.js";
import type { Link } from "./link.js";

export type { Reply, Request } from "./channel.js";

/**
 * One reply per request, in the order asked. Calls may overlap; they are served one after the other.
 * Changes are carried out in the order given, and one that is refused does not keep the following ones from
 * being carried out.
 *
 * @throws {SocketFault} when the socket fails; EINTR when a read was lost or disturbed again and again
 * @throws {MalformedReply} when an answer is not what its headers describe; the link is of no further use then
 */
export type Exchange = <T>(
  requests: readonly Request<T>[],
) => Promise<Reply<T>[]>;

/**
 * What an answer takes of the receive buffer at most, in bytes with the kernel's own overhead: a
 * refusal repeats the request; an answer is allocated at NLMSG_DEFAULT_SIZE. A dump goes alone: a socket
 * runs one at a time, and it is written only as fast as it is read.
 *
 * A refusal has been seen to take 769 bytes. Twice that keeps overruns from happening at all, of which
 * the socket package does not survive a second one.
 */
const ANSWER_BYTES = { silence: 1536, ack: 1536, one: 10_240, dump: 0 };
/**
 * A datagram must fit the send buffer, too, or it is refused as a whole (EMSGSIZE): net.core.wmem_default is
 * 212,992 bytes, and a change of IPVS takes less than 200. The receive buffer may have room for far more answers.
 */
const MOST_REQUESTS = 1024;
/** How often a read is repeated when its answer was lost, or a dump was disturbed. */
const ATTEMPTS = 8;

/**
 * Works the protocol over a link: batches and repeats. A link has one exchange in its life.
 *
 * Dumps are made one after the other: over several sockets at once they take as long, since the kernel
 * makes each within the system calls that ask for it and read it.
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
      while (channel.waits) {
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

  // Whoever asks while others wait for their answers comes after them.
  let last: Promise<unknown> = Promise.resolve();
  return <T>(requests: readonly Request<T>[]) => {
    const replies = last.then(() => carryOut(requests, ATTEMPTS));
    last = replies.catch(() => undefined);
    return replies as Promise<Reply<T>[]>; // each entry was made by its request
  };
}

/**
 * Behind which request a datagram ends that begins with `from`: the requests are to fit the send buffer, and their
 * answers the receive buffer together. A dump goes alone.
 */
function batchEnd(
  requests: readonly Request[],
  from: number,
  bufferBytes: number,
): number {
  let used = ANSWER_BYTES.ack; // for the barrier
  let at = from;
  for (; at < requests.length && at < from + MOST_REQUESTS; at++) {
    const answer = requests[at]?.answer ?? "dump";
    if (answer === "dump") return at === from ? at + 1 : at;
    used += ANSWER_BYTES[answer];
    if (used > bufferBytes && at > from) break;
  }
  return at;
}
