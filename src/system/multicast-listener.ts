import { callAfter } from "./event-loop.js";

/** A datagram of a multicast group. */
export interface Heard {
  /** The sender's address */
  readonly from: string;
  readonly data: Uint8Array;
}

/**
 * Joins a multicast group for some time and returns the datagrams received; none if the group
 * cannot be joined. Other programs may listen on the same port and receive the same datagrams.
 *
 * @param group IPv4 or IPv6, without brackets
 * @param local the interface: one of its IPv4 addresses, or `::%NAME` for IPv6
 */
export function receiveMulticast(
  group: string,
  port: number,
  local: string,
  milliseconds: number,
): Promise<Heard[]> {
  const { createSocket } = process.getBuiltinModule("node:dgram");
  const heard: Heard[] = [];
  const socket = createSocket({
    type: group.includes(":") ? "udp6" : "udp4",
    reuseAddr: true,
  });
  return new Promise((resolve) => {
    const end = () => {
      stop();
      socket.close(() => {
        resolve(heard);
      });
    };
    const stop = callAfter(milliseconds, end);
    socket.on("error", end);
    socket.on("message", (data, { address }) => {
      heard.push({ from: address, data });
    });
    socket.bind(port, group, () => {
      try {
        socket.addMembership(group, local);
      } catch {
        end(); // the interface is gone, or it does not support multicast
      }
    });
  });
}
