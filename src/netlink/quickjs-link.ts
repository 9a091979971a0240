import { EAGAIN, EMSGSIZE, ENOBUFS } from "./errno.js";
import { SocketFault } from "./errors.js";
import { NETLINK_GENERIC, Window, type Link } from "./link.js";

/** @see bits/socket.h of the C library, linux/netlink.h */
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const MSG_DONTWAIT = 0x40;
const MSG_WAITFORONE = 0x10000;

/** Asked for; the kernel grants what net.core.rmem_max allows, doubled for its own overhead. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/** How many datagrams are taken with one system call, and room for each: the kernel fills it with a dump. */
const DATAGRAMS = 16;
const DATAGRAM_BYTES = 16 * 1024;

/** @throws {SocketFault} if a system call said that it failed */
function checked(result: number, call: string): number {
  if (result >= 0) return result;
  throw new SocketFault(-result, call);
}

/**
 * A link on the system calls of the light program. What is received lies in a buffer that is used again: a datagram is
 * valid until the next one is asked for.
 *
 * @param family which part of the kernel is spoken to, by its number in linux/netlink.h
 * @throws {SocketFault} when the socket cannot be made
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
  // Connected to the kernel, which is port 0, the socket takes nothing from anybody else.
  const kernel = new Uint8Array(12);
  kernel[0] = AF_NETLINK;
  checked(host.connect(socket, kernel), "connect");
  checked(
    host.setOption(socket, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES),
    "setsockopt",
  );
  // Kernels before 4.12 have no sentences of their own for what they refuse; before 4.3, no short refusals.
  host.setOption(socket, SOL_NETLINK, NETLINK_EXT_ACK, 1);
  host.setOption(socket, SOL_NETLINK, NETLINK_CAP_ACK, 1);

  const datagrams = new DataView(host.room(DATAGRAMS * DATAGRAM_BYTES));
  const bytes = new Uint8Array(datagrams.buffer);
  const lengths = new Int32Array(DATAGRAMS);
  const received = new Window();
  let taken = 0;
  let next = 0;
  let overrun: SocketFault | undefined;

  /**
   * How many datagrams have been taken, one at the least. The kernel tells of an overrun before it hands out what
   * was queued until then, and queues nothing more until all of that is taken: so the fault goes behind it.
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
    if (fault.errno !== EAGAIN || !overrun) throw fault;
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
      return received.move(datagrams, start, start + length);
    },
    close() {
      host.close(socket);
    },
  };
}
