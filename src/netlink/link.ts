/**
 * A range of bytes in a larger buffer. Avoids a copy or a new view for each of thousands of
 * messages.
 *
 * @since 0.1.0
 */
export interface Span {
  /** The buffer */
  readonly bytes: DataView;
  /** The offset of the first byte */
  readonly start: number;
  /** The offset after the last byte */
  readonly end: number;
}

/** The family for interfaces, addresses, routes and neighbors. @see linux/netlink.h */
export const NETLINK_ROUTE = 0;
/** The family for generic netlink, which IPVS uses. @see linux/netlink.h */
export const NETLINK_GENERIC = 16;
const NO_BYTES = new DataView(new ArrayBuffer(0));

/** A span that can be moved: one object is reused for thousands of messages. */
export class MutableSpan implements Span {
  bytes: DataView = NO_BYTES;
  start = 0;
  end = 0;

  set(bytes: DataView, start: number, end: number): this {
    this.bytes = bytes;
    this.start = start;
    this.end = end;
    return this;
  }
}

/**
 * A netlink socket, reduced to the parts that differ between implementations: it sends and receives
 * whole datagrams. Sequence numbers, acknowledgements, dumps and batches are handled above it, by
 * {@link exchangeOver}. Implement this interface to use another kind of socket.
 *
 * @since 0.1.0
 */
export interface Link {
  /**
   * The size of the receive buffer in bytes (SO_RCVBUF). The kernel drops replies that do not fit.
   */
  readonly receiveBufferBytes: number;
  /**
   * Sends one datagram. The kernel handles all its messages before the call returns.
   *
   * @throws {SocketFault} the errno of sendmsg(2). A link that sends asynchronously throws it from
   *   the next receive()
   */
  send(datagram: Uint8Array): void;
  /**
   * Receives one whole datagram. It is valid until the next call.
   *
   * @throws {SocketFault} ENOBUFS: the kernel dropped replies. EMSGSIZE: the datagram did not fit
   *   the buffer
   */
  receive(): Span | Promise<Span>;
  /** Closes the socket. Pending and later calls fail with EBADF. */
  close(): void;
}

/** The span of a whole array. */
export function spanOf(bytes: Uint8Array): Span {
  const { buffer, byteOffset, byteLength } = bytes;
  return {
    bytes: new DataView(buffer, byteOffset, byteLength),
    start: 0,
    end: byteLength,
  };
}
