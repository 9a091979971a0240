import { RawNetlinkSocket } from "netlink/dist/raw.js";
import { EBADF, EMSGSIZE, ENOBUFS } from "./errno.js";
import { SocketFault } from "./errors.js";
import { NETLINK_GENERIC, spanOf, type Link, type Span } from "./link.js";

/** Asked for; the kernel grants what net.core.rmem_max allows, doubled for its own overhead. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * A link on the npm package `netlink`, which puts the socket into Node's event loop.
 *
 * Of that package this uses the raw socket alone. It cannot set NETLINK_EXT_ACK, so the kernel's
 * own sentences are not to be had through it.
 *
 * @param family which part of the kernel is spoken to, by its number in linux/netlink.h
 * @throws {SocketFault} when the socket cannot be made or bound
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

  // Replies that were queued before the overrun are still to come: the fault goes behind them.
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
    if (sender.port === 0) deliver(spanOf(datagram)); // 0 is the kernel; other processes can write to us, too
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
      // Sent at once unless the socket is full, and then the buffer must not be written over: hence the copy.
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
      deliver(new SocketFault(EBADF, "recvmsg")); // for whoever still waits
    },
  };
}

function open(family: number): RawNetlinkSocket {
  try {
    return new RawNetlinkSocket(family, {
      // The size of each datagram is asked for first: a buffer of the largest size for each of thousands
      // of short acknowledgements costs more than the second system call.
      messagePeeking: true,
      recvBufferSize: RECEIVE_BUFFER_BYTES,
      sendBufferSize: 0, // as it is
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
