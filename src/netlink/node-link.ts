import { RawNetlinkSocket } from "netlink/dist/raw.js";
import { EADDRINUSE, EBADF, EMSGSIZE, ENOBUFS, ETIMEDOUT } from "./errno.js";
import { SocketFault } from "./errors.js";
import { NETLINK_GENERIC, spanOf, type Link, type Span } from "./link.js";

/**
 * Requested size. The kernel limits it to net.core.rmem_max, and doubles it for its own overhead.
 */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * Opens a link with the npm package `netlink`, whose socket is part of the event loop of Node.js.
 * Only the package's raw socket is used. It cannot set NETLINK_EXT_ACK, so errors have no
 * explanation by the kernel.
 *
 * @param family the netlink family, by its number in linux/netlink.h; by default generic netlink
 * @param timeoutSeconds how long receive() waits for a datagram; by default 30. Then it fails with
 *   ETIMEDOUT
 * @throws {SocketFault} if the socket cannot be opened or bound: EPERM, EMFILE, EAFNOSUPPORT …;
 *   EADDRINUSE if there is no free port
 * @since 0.1.0
 */
export function openNodeLink(
  family: number = NETLINK_GENERIC,
  timeoutSeconds = 30,
): Link {
  const inbox: (Span | SocketFault)[] = [];
  let wake: (() => void) | undefined;
  let arrivals = 0;
  /** Datagrams that the package has not sent yet. If sendmsg fails with ENOBUFS, it tries for ever */
  let unsent = 0;
  let closed = false;
  const [socket, receiveBufferBytes] = open(family);
  const timer = setTimeout(() => {
    const seen = arrivals;
    // After a pause of the whole process, timers come before datagrams.
    setImmediate(() => {
      setImmediate(() => {
        if (wake && arrivals === seen)
          deliver(new SocketFault(ETIMEDOUT, unsent ? "sendmsg" : "recvmsg"));
      });
    });
  }, timeoutSeconds * 1000).unref();

  function deliver(item: Span | SocketFault): void {
    arrivals++;
    inbox.push(item);
    wake?.();
    wake = undefined;
  }

  // Replies that were queued before the overrun are still to be read, so deliver the fault after
  // them.
  function deliverWhenDrained(fault: SocketFault): void {
    const seen = arrivals;
    setImmediate(() => {
      setImmediate(() => {
        if (arrivals === seen) deliver(fault);
        else deliverWhenDrained(fault);
      });
    });
  }

  function take(): Span | undefined {
    const item = inbox.shift();
    if (item instanceof SocketFault) throw item;
    return item;
  }

  async function arrival(): Promise<Span> {
    for (;;) {
      await new Promise<void>((resolve) => {
        wake = resolve;
        timer.refresh();
      });
      const datagram = take();
      if (datagram) return datagram;
    }
  }

  socket.on("message", (datagram, sender) => {
    if (sender.port === 0) deliver(spanOf(datagram)); // 0 is the kernel; ignore other processes
  });
  socket.on("truncatedMessage", () => {
    deliver(new SocketFault(EMSGSIZE, "recvmsg"));
  });
  socket.on("error", (error) => {
    const fault = new SocketFault(Math.abs(error.errno), error.syscall);
    if (fault.errno === ENOBUFS) deliverWhenDrained(fault);
    else deliver(fault);
  });

  return {
    receiveBufferBytes,
    send(datagram) {
      if (closed) throw new SocketFault(EBADF, "sendmsg");
      // The package sends at once, but keeps the buffer if the socket is full. The caller reuses
      // its buffer, so copy it.
      unsent++;
      socket.send(Buffer.from(datagram), undefined, (error) => {
        unsent--;
        if (error)
          deliver(new SocketFault(Math.abs(error.errno), error.syscall));
      });
    },
    receive() {
      return take() ?? arrival();
    },
    close() {
      if (closed) return;
      closed = true;
      clearTimeout(timer);
      socket.close();
      deliver(new SocketFault(EBADF, "recvmsg")); // for a pending receive()
    },
  };
}

/** Opens a socket. @returns the socket and the size of its receive buffer */
function open(family: number): readonly [RawNetlinkSocket, number] {
  let socket: RawNetlinkSocket | undefined;
  try {
    socket = new RawNetlinkSocket(family, {
      // Ask for the size of each datagram first. Allocating the largest size for thousands of short
      // acknowledgements costs more than a second system call.
      messagePeeking: true,
      recvBufferSize: RECEIVE_BUFFER_BYTES,
      sendBufferSize: 0, // the kernel's default
    });
    return [socket, socket.getRecvBufferSize()];
  } catch (error) {
    socket?.close();
    // The package's error has no errno if it found no free port in 100 attempts.
    const { errno = EADDRINUSE, syscall = "bind" } =
      error as NodeJS.ErrnoException;
    throw new SocketFault(Math.abs(errno), syscall);
  }
}
