/** A datagram of a multicast group. */
export interface Heard {
  /** The sender's address. If it is link-local, with its interface: `fe80::1%eth0` */
  readonly from: string;
  readonly data: Uint8Array;
}

/** What to join. */
export interface MulticastPlace {
  /** IPv4 or IPv6, without brackets. A link-local one of IPv6 has its interface: `ff02::81%eth0` */
  readonly group: string;
  readonly port: number;
  /** The interfaces: one of the IPv4 addresses of each, or `::%NAME` for IPv6 */
  readonly locals: readonly string[];
}

/**
 * Joins a multicast group and passes on the datagrams until `signal` is aborted; returns at once if the group can
 * be joined on no interface. Other programs may listen on the same port and receive the same datagrams. The kernel
 * also passes on datagrams that come in by interfaces on which other programs joined the group.
 */
export function receiveMulticast(
  { group, port, locals }: MulticastPlace,
  signal: AbortSignal,
  receive: (heard: Heard) => void,
): Promise<void> {
  const { createSocket } = process.getBuiltinModule("node:dgram");
  const socket = createSocket({
    type: group.includes(":") ? "udp6" : "udp4",
    reuseAddr: true,
  });
  return new Promise((resolve) => {
    let ended = false;
    const end = () => {
      if (ended) return;
      ended = true;
      signal.removeEventListener("abort", end);
      socket.close(() => {
        resolve();
      });
    };
    signal.addEventListener("abort", end);
    socket.on("error", end);
    socket.on("message", (data, { address }) => {
      receive({ from: address, data });
    });
    socket.bind(port, group, () => {
      if (ended) return;
      const [address = group] = group.split("%");
      const joined = locals.filter((local) => {
        try {
          socket.addMembership(address, local);
          return true;
        } catch {
          return false; // the interface is gone, or it does not support multicast
        }
      });
      if (joined.length === 0) end();
    });
    if (signal.aborted) end();
  });
}
