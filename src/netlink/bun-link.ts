import { dlopen, ptr, read } from "bun:ffi";
import { EAGAIN, EMSGSIZE, ENOBUFS } from "./errno.js";
import { SocketFault } from "./errors.js";
import { NETLINK_GENERIC, Window, type Link } from "./link.js";

/** @see bits/socket.h of the C library, linux/netlink.h */
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const MSG_WAITFORONE = 0x10000;

/** Asked for; the kernel grants what net.core.rmem_max allows, doubled for its own overhead. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/** How many datagrams are taken with one system call, and room for each: the kernel fills it with a dump. */
const DATAGRAMS = 16;
const DATAGRAM_BYTES = 16 * 1024;

/** struct mmsghdr and struct iovec of a 64-bit machine. */
const HEADER = { bytes: 64, iov: 16, iovCount: 24, flags: 48, length: 56 };
const IOVEC_BYTES = 16;

const { symbols: libc } = dlopen("libc.so.6", {
  socket: { args: ["i32", "i32", "i32"], returns: "i32" },
  connect: { args: ["i32", "ptr", "u32"], returns: "i32" },
  setsockopt: { args: ["i32", "i32", "i32", "ptr", "u32"], returns: "i32" },
  getsockopt: { args: ["i32", "i32", "i32", "ptr", "ptr"], returns: "i32" },
  send: { args: ["i32", "ptr", "u64", "i32"], returns: "i64_fast" },
  recvmmsg: { args: ["i32", "ptr", "u32", "i32", "ptr"], returns: "i32" },
  close: { args: ["i32"], returns: "i32" },
  __errno_location: { args: [], returns: "ptr" },
});

/** @throws {SocketFault} if a system call said that it failed */
function checked(result: number, call: string): number {
  if (result >= 0) return result;
  throw new SocketFault(read.i32(libc.__errno_location(), 0), call);
}

/**
 * A link on the C library's own calls, for the full executable, whose runtime cannot load the native
 * code that `node-link.ts` stands on. What is received lies in buffers that are used again: a datagram is
 * valid until the next one is asked for.
 *
 * @param family which part of the kernel is spoken to, by its number in linux/netlink.h
 * @throws {SocketFault} when the socket cannot be made
 */
export function openFfiLink(family: number = NETLINK_GENERIC): Link {
  const socket = checked(
    libc.socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family),
    "socket",
  );
  try {
    return linkOn(socket);
  } catch (error) {
    libc.close(socket);
    throw error;
  }
}

function linkOn(socket: number): Link {
  // Connected to the kernel, which is port 0, the socket takes nothing from anybody else.
  const kernel = new Uint8Array(12);
  kernel[0] = AF_NETLINK;
  checked(libc.connect(socket, kernel, kernel.length), "connect");
  setOption(socket, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
  // Kernels before 4.12 have no sentences of their own for what they refuse; before 4.3, no short refusals.
  libc.setsockopt(socket, SOL_NETLINK, NETLINK_EXT_ACK, Int32Array.of(1), 4);
  libc.setsockopt(socket, SOL_NETLINK, NETLINK_CAP_ACK, Int32Array.of(1), 4);

  const { headers, datagrams } = receiveBuffers();
  const received = new Window();
  let taken = 0;
  let next = 0;
  let overrun: SocketFault | undefined;

  function take(flags: number): number {
    const count = libc.recvmmsg(socket, headers, DATAGRAMS, flags, null);
    return checked(count, "recvmmsg");
  }

  /**
   * How many datagrams have been taken, one at the least. The kernel tells of an overrun before it hands out what
   * was queued until then, and queues nothing more until all of that is taken: so the fault goes behind it.
   */
  function takeSome(): number {
    try {
      return take(overrun ? MSG_DONTWAIT : MSG_WAITFORONE);
    } catch (error) {
      if (!(error instanceof SocketFault)) throw error;
      if (error.errno === ENOBUFS) {
        overrun = error;
        return takeSome();
      }
      if (error.errno !== EAGAIN || !overrun) throw error;
      const fault = overrun;
      overrun = undefined;
      throw fault;
    }
  }

  return {
    receiveBufferBytes: option(socket, SOL_SOCKET, SO_RCVBUF),
    send(datagram) {
      checked(libc.send(socket, datagram, datagram.length, 0), "send");
    },
    receive() {
      if (next === taken) {
        next = taken = 0;
        taken = takeSome();
      }
      const at = next * HEADER.bytes;
      if (headers.getInt32(at + HEADER.flags, true) & MSG_TRUNC) {
        next++;
        throw new SocketFault(EMSGSIZE, "recvmmsg");
      }
      const length = headers.getUint32(at + HEADER.length, true);
      const start = next++ * DATAGRAM_BYTES;
      return received.move(datagrams, start, start + length);
    },
    close() {
      libc.close(socket);
    },
  };
}

/**
 * An array of struct mmsghdr, each with a buffer.
 *
 * The vectors to which the headers point stand behind them, in the same memory: nothing else keeps them.
 */
function receiveBuffers(): { headers: DataView; datagrams: DataView } {
  const datagrams = new DataView(new ArrayBuffer(DATAGRAMS * DATAGRAM_BYTES));
  const vectors = DATAGRAMS * HEADER.bytes;
  const headers = new DataView(
    new ArrayBuffer(vectors + DATAGRAMS * IOVEC_BYTES),
  );
  for (let i = 0; i < DATAGRAMS; i++) {
    const header = i * HEADER.bytes;
    const vector = vectors + i * IOVEC_BYTES;
    const setWord = (at: number, value: number) => {
      headers.setBigUint64(at, BigInt(value), true);
    };
    setWord(header + HEADER.iov, ptr(headers) + vector);
    setWord(header + HEADER.iovCount, 1);
    setWord(vector, ptr(datagrams) + i * DATAGRAM_BYTES);
    setWord(vector + 8, DATAGRAM_BYTES);
  }
  return { headers, datagrams };
}

function setOption(
  socket: number,
  level: number,
  name: number,
  value: number,
): void {
  const result = libc.setsockopt(
    socket,
    level,
    name,
    Int32Array.of(value),
    Int32Array.BYTES_PER_ELEMENT,
  );
  checked(result, "setsockopt");
}

function option(socket: number, level: number, name: number): number {
  const value = new Int32Array(1);
  const length = Int32Array.of(value.byteLength);
  checked(libc.getsockopt(socket, level, name, value, length), "getsockopt");
  return value[0] ?? 0;
}
