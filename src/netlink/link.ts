/** Bytes within a larger buffer, which is neither copied nor cut: that costs, thousands of times over. */
export interface Span {
  /** The larger buffer */
  readonly bytes: DataView;
  /** The place of the first byte in it */
  readonly start: number;
  /** The place behind the last one */
  readonly end: number;
}

/** Interfaces, addresses, routes and neighbors. @see linux/netlink.h */
export const NETLINK_ROUTE = 0;
/** Generic netlink, which IPVS speaks. @see linux/netlink.h */
export const NETLINK_GENERIC = 16;
const NO_BYTES = new DataView(new ArrayBuffer(0));

/** A span that is moved on from one thing to the next, instead of one object for each of thousands. */
export class Window implements Span {
  bytes: DataView = NO_BYTES;
  start = 0;
  end = 0;

  move(bytes: DataView, start: number, end: number): this {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    return this;
  }
}

/**
 * A netlink socket, reduced to what differs between sockets: whole datagrams out, whole datagrams in.
 *
 * Sequence numbers, acknowledgements, multipart replies, repeats and batches are the affair of
 * `exchange.ts`, which works over any link; a new kind of socket is one more file that makes a Link.
 */
export interface Link {
  /** How many bytes of replies the kernel keeps for this socket before it drops them (SO_RCVBUF). */
  readonly receiveBufferBytes: number;
  /**
   * Hands one datagram to the kernel, which carries out every message in it before this returns.
   *
   * @throws {SocketFault} the errno of sendmsg(2); a link that sends later reports it at the next receive
   */
  send(datagram: Uint8Array): void;
  /**
   * The next datagram, whole. It is valid until the next one is asked for.
   *
   * @throws {SocketFault} ENOBUFS when the kernel had to drop replies, EMSGSIZE when a datagram was cut short
   */
  receive(): Span | Promise<Span>;
  /** Gives the socket back. What is still waited for fails with EBADF, as does all that is asked afterwards. */
  close(): void;
}

/** All the bytes of an array. */
export function spanOf(bytes: Uint8Array): Span {
  const { buffer, byteOffset, byteLength } = bytes;
  return {
    bytes: new DataView(buffer, byteOffset, byteLength),
    start: 0,
    end: byteLength,
  };
}
