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

  async function carryOut<T>(
    requests: readonly Request<T>[],
  ): Promise<Reply<T>[]> {
    const replies: Reply<T>[] = [];
    for (const batch of batches(requests, link.receiveBufferBytes))
      replies.push(...(await settled(channel, batch)));
    return replies;
  }

  // Whoever asks while others wait for their answers comes after them.
  let last: Promise<unknown> = Promise.resolve();
  return (requests) => {
    const replies = last.then(() => carryOut(requests));
    last = replies.catch(() => undefined);
    return replies;
  };
}

/** Asks, and asks again where an answer was lost or disturbed. @throws {SocketFault} EINTR if that does not help */
async function settled<T>(
  channel: Channel,
  requests: readonly Request<T>[],
): Promise<Reply<T>[]> {
  const replies = await channel.turn(requests);
  for (let attempt = 1; replies.includes(undefined); attempt++) {
    if (attempt === ATTEMPTS) throw new SocketFault(EINTR, "recvmsg");
    const open = requests.flatMap((request, i) =>
      replies[i] ? [] : [[request, i] as const],
    );
    const again = await channel.turn(open.map(([request]) => request));
    for (const [n, [, i]] of open.entries()) replies[i] = again[n];
  }
  return replies as Reply<T>[];
}

/**
 * Cuts the requests into runs that fit the send buffer, and whose answers fit the receive buffer together. A dump
 * goes alone.
 */
function* batches<T>(
  requests: readonly Request<T>[],
  bufferBytes: number,
): Generator<readonly Request<T>[]> {
  let batch: Request<T>[] = [];
  let used = 0;
  for (const request of requests) {
    const cost = ANSWER_BYTES[request.answer];
    const alone = request.answer === "dump" || batch[0]?.answer === "dump";
    const full = batch.length === MOST_REQUESTS || used + cost > bufferBytes;
    if (batch.length > 0 && (alone || full)) {
      yield batch;
      batch = [];
    }
    used = batch.length === 0 ? ANSWER_BYTES.ack + cost : used + cost;
    batch.push(request);
  }
  if (batch.length > 0) yield batch;
}
