import { dlopen, ptr, read } from "bun:ffi";
import { EAGAIN, EMSGSIZE, ENOBUFS, ETIMEDOUT } from "./errno.js";
import { SocketFault } from "./errors.js";
import { NETLINK_GENERIC, MutableSpan, type Link } from "./link.js";

/** Constants of the C library's bits/socket.h and of linux/netlink.h */
const AF_NETLINK = 16;
const SOCK_RAW = 3;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_RCVBUF = 8;
const SO_RCVTIMEO = 20;
const SOL_NETLINK = 270;
const NETLINK_CAP_ACK = 10;
const NETLINK_EXT_ACK = 11;
const MSG_TRUNC = 0x20;
const MSG_DONTWAIT = 0x40;
const MSG_WAITFORONE = 0x10000;

/**
 * Requested size. The kernel limits it to net.core.rmem_max, and doubles it for its own overhead.
 */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/** How long receive() waits for a datagram: struct timeval on a 64-bit machine. */
const TIMEOUT = BigInt64Array.of(30n, 0n);

/**
 * Datagrams per system call, and the buffer size for each. 16 KiB is the most that the kernel puts
 * into one datagram of a dump.
 */
const DATAGRAMS = 16;
const DATAGRAM_BYTES = 16 * 1024;

/** Offsets in struct mmsghdr, and the size of struct iovec, on a 64-bit machine. */
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

/** @throws {SocketFault} if a system call failed */
function checked(result: number, call: string): number {
  if (result >= 0) return result;
  throw new SocketFault(read.i32(libc.__errno_location(), 0), call);
}

/**
 * Opens a link by direct calls into the C library. The full executable uses it, because its
 * runtime cannot load the native code of the npm package that `node-link.ts` uses. Receive buffers
 * are reused: a datagram is valid until the next call of receive().
 *
 * @param family the netlink family, by its number in linux/netlink.h
 * @throws {SocketFault} if the socket cannot be opened
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
  // Port 0 is the kernel. A connected socket receives from its peer only.
  const kernel = new Uint8Array(12);
  kernel[0] = AF_NETLINK;
  checked(libc.connect(socket, kernel, kernel.length), "connect");
  setOption(socket, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER_BYTES);
  const timeoutSet = libc.setsockopt(
    socket,
    SOL_SOCKET,
    SO_RCVTIMEO,
    TIMEOUT,
    TIMEOUT.byteLength,
  );
  checked(timeoutSet, "setsockopt");
  // Optional. Kernels before 4.12 send no explanations; kernels before 4.3 repeat the whole request
  // in a refusal.
  libc.setsockopt(socket, SOL_NETLINK, NETLINK_EXT_ACK, Int32Array.of(1), 4);
  libc.setsockopt(socket, SOL_NETLINK, NETLINK_CAP_ACK, Int32Array.of(1), 4);

  const { headers, datagrams } = receiveBuffers();
  const received = new MutableSpan();
  let count = 0;
  let next = 0;
  let overrun: SocketFault | undefined;

  function receiveMany(flags: number): number {
    const result = libc.recvmmsg(socket, headers, DATAGRAMS, flags, null);
    return checked(result, "recvmmsg");
  }

  /**
   * Receives at least one datagram, and returns how many. The kernel reports an overrun before it
   * delivers the datagrams that were queued earlier, and it queues nothing new until they are read.
   * So the fault is thrown after them.
   */
  function receiveSome(): number {
    try {
      return receiveMany(overrun ? MSG_DONTWAIT : MSG_WAITFORONE);
    } catch (error) {
      if (!(error instanceof SocketFault)) throw error;
      if (error.errno === ENOBUFS) {
        overrun = error;
        return receiveSome();
      }
      if (error.errno !== EAGAIN) throw error;
      if (!overrun) throw new SocketFault(ETIMEDOUT, "recvmmsg");
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
      if (next === count) {
        next = count = 0;
        count = receiveSome();
      }
      const at = next * HEADER.bytes;
      if (headers.getInt32(at + HEADER.flags, true) & MSG_TRUNC) {
        next++;
        throw new SocketFault(EMSGSIZE, "recvmmsg");
      }
      const length = headers.getUint32(at + HEADER.length, true);
      const start = next++ * DATAGRAM_BYTES;
      return received.set(datagrams, start, start + length);
    },
    close() {
      libc.close(socket);
    },
  };
}

/**
 * Allocates an array of struct mmsghdr, each with a buffer.
 *
 * The iovecs follow the headers in the same buffer, so they live as long as the headers that point
 * to them.
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
