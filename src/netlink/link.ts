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
   * The next datagram, whole.
   *
   * @throws {SocketFault} ENOBUFS when the kernel had to drop replies, EMSGSIZE when a datagram was cut short
   */
  receive(): Uint8Array | Promise<Uint8Array>;
  close(): void;
}
