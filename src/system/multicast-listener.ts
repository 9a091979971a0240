/** A datagram that came by a multicast group. */
export interface Heard {
  /** The address it came from */
  readonly from: string;
  readonly data: Uint8Array;
}

/**
 * Joins a multicast group for some time and gives what was heard; nothing where it cannot be joined. Others may listen
 * at the same port, who hear the same.
 *
 * @param group IPv4 or IPv6, without brackets
 * @param local on which interface: one of its IPv4 addresses, or for IPv6 `::%NAME`
 */
export function hear(
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
      clearTimeout(timer);
      socket.close(() => {
        resolve(heard);
      });
    };
    const timer = setTimeout(end, milliseconds);
    socket.on("error", end);
    socket.on("message", (data, { address }) => {
      heard.push({ from: address, data });
    });
    socket.bind(port, group, () => {
      try {
        socket.addMembership(group, local);
      } catch {
        end(); // there is no such interface any more, or it carries no multicast
      }
    });
  });
}
