import { RawNetlinkSocket } from "netlink/dist/raw.js";
import { EBADF, EMSGSIZE, ENOBUFS } from "./errno.js";
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
 * @throws {SocketFault} if the socket cannot be opened or bound: EPERM, EMFILE, EAFNOSUPPORT …
 * @since 0.1.0
 */
export function openNodeLink(family: number = NETLINK_GENERIC): Link {
  const inbox: (Span | SocketFault)[] = [];
  let wake: (() => void) | undefined;
  let arrivals = 0;
  let closed = false;
  const socket = open(family);

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
    receiveBufferBytes: socket.getRecvBufferSize(),
    send(datagram) {
      if (closed) throw new SocketFault(EBADF, "sendmsg");
      // The package sends at once, but keeps the buffer if the socket is full. The caller reuses
      // its buffer, so copy it.
      socket.send(Buffer.from(datagram), undefined, (error) => {
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
      socket.close();
      deliver(new SocketFault(EBADF, "recvmsg")); // for a pending receive()
    },
  };
}

function open(family: number): RawNetlinkSocket {
  try {
    return new RawNetlinkSocket(family, {
      // Ask for the size of each datagram first. Allocating the largest size for thousands of short
      // acknowledgements costs more than a second system call.
      messagePeeking: true,
      recvBufferSize: RECEIVE_BUFFER_BYTES,
      sendBufferSize: 0, // the kernel's default
    });
  } catch (error) {
    throw socketFault(error);
  }
}

function socketFault(error: unknown): unknown {
  if (!(error instanceof Error)) return error;
  const { errno, syscall } = error as NodeJS.ErrnoException;
  return typeof errno === "number"
    ? new SocketFault(Math.abs(errno), syscall ?? "socket")
    : error;
}
