import type { Link } from "../../src/netlink/link.js";

/** Reports each dump of the services, which is the start of a reading. */
export function countingLink(link: Link, report: () => void): Link {
  const GET_SERVICE = 4;
  const DUMP = 0x300;
  return {
    receiveBufferBytes: link.receiveBufferBytes,
    send(datagram) {
      const view = Buffer.from(datagram);
      const dump = (view.readUInt16LE(6) & DUMP) === DUMP;
      if (dump && view[16] === GET_SERVICE) report();
      link.send(datagram);
    },
    receive: () => link.receive(),
    close() {
      link.close();
    },
  };
}
