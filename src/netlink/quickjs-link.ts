import { EAGAIN, EMSGSIZE, ENOBUFS, ETIMEDOUT } from "./errno.js";
import { SocketFault } from "./errors.js";
import { NETLINK_GENERIC, MutableSpan, type Link } from "./link.js";

/** Constants of the C library's bits/socket.h and of linux/netlink.h */
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVTIMEO = 20;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const MSG_DONTWAIT = 0x40;
const MSG_WAITFORONE = 0x10000;

/**
 * Requested size. The kernel limits it to net.core.rmem_max, and doubles it for its own overhead.
 */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * Datagrams per system call, and the buffer size for each. 16 KiB is the most that the kernel puts
 * into one datagram of a dump.
 */
const DATAGRAMS = 16;
const DATAGRAM_BYTES = 16 * 1024;

/** How long to wait for a datagram. The kernel answers at once, so then it does not answer at all. */
const TIMEOUT_SECONDS = 30;

/** @throws {SocketFault} if a system call failed */
function checked(result: number, call: string): number {
  if (result >= 0) return result;
  throw new SocketFault(-result, call);
}

/**
 * Opens a link with the system calls of the light program. The receive buffer is reused: a datagram
 * is valid until the next call of receive().
 *
 * @param family the netlink family, by its number in linux/netlink.h
 * @throws {SocketFault} if the socket cannot be opened. receive() fails with ETIMEDOUT if the
 *   kernel does not answer
 */
export function openQuickjsLink(family: number = NETLINK_GENERIC): Link {
  const socket = checked(host.socket(AF_NETLINK, SOCK_RAW, family), "socket");
  try {
    return linkOn(socket);
  } catch (error) {
    host.close(socket);
    throw error;
  }
}

function linkOn(socket: number): Link {
  // Port 0 is the kernel. A connected socket receives from its peer only.
  const kernel = new Uint8Array(12);
  kernel[0] = AF_NETLINK;
  checked(host.connect(socket, kernel), "connect");
  checked(
    host.setOption(socket, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES),
    "setsockopt",
  );
  checked(
    host.setOption(socket, SOL_SOCKET, SO_RCVTIMEO, TIMEOUT_SECONDS),
    "setsockopt",
  );
  // Optional. Kernels before 4.12 send no explanations; kernels before 4.3 repeat the whole request
  // in a refusal.
  host.setOption(socket, SOL_NETLINK, NETLINK_EXT_ACK, 1);
  host.setOption(socket, SOL_NETLINK, NETLINK_CAP_ACK, 1);

  const datagrams = new DataView(host.room(DATAGRAMS * DATAGRAM_BYTES));
  const bytes = new Uint8Array(datagrams.buffer);
  const lengths = new Int32Array(DATAGRAMS);
  const received = new MutableSpan();
  let taken = 0;
  let next = 0;
  let overrun: SocketFault | undefined;

  /**
   * Receives at least one datagram, and returns how many. The kernel reports an overrun before it
   * delivers the datagrams that were queued earlier, and it queues nothing new until they are read.
   * So the fault is thrown after them.
   */
  function takeSome(): number {
    const flags = overrun ? MSG_DONTWAIT : MSG_WAITFORONE;
    const count = host.receive(socket, bytes, lengths, flags);
    if (count >= 0) return count;
    const fault = new SocketFault(-count, "recvmmsg");
    if (fault.errno === ENOBUFS) {
      overrun = fault;
      return takeSome();
    }
    if (fault.errno !== EAGAIN) throw fault;
    if (!overrun) throw new SocketFault(ETIMEDOUT, "recvmmsg");
    const behind = overrun;
    overrun = undefined;
    throw behind;
  }

  return {
    receiveBufferBytes: checked(
      host.option(socket, SOL_SOCKET, SO_RCVBUF),
      "getsockopt",
    ),
    send(datagram) {
      checked(host.send(socket, datagram), "send");
    },
    receive() {
      if (next === taken) {
        next = taken = 0;
        taken = takeSome();
      }
      const length = lengths[next] ?? 0;
      const start = next++ * DATAGRAM_BYTES;
      if (length < 0) throw new SocketFault(EMSGSIZE, "recvmmsg");
      return received.set(datagrams, start, start + length);
    },
    close() {
      host.close(socket);
    },
  };
}
