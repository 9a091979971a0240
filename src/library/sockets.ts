import * as exchanges from "../netlink/exchange.js";
import type { Exchange } from "../netlink/exchange.js";
import type { Link } from "../netlink/link.js";
import * as links from "../netlink/node-link.js";
import { checkCall, integer, optional, such } from "./shape.js";
import { LINK } from "./shapes.js";

const TIMEOUT = such(
  "a number of seconds above 0",
  (value) => typeof value === "number" && value > 0 && value <= 2_000_000,
);

/**
 * Runs the netlink protocol over a link: sequence numbers, batches, repeated reads. Use one exchange
 * per link.
 *
 * @param link a socket, such as {@link openNodeLink} opens
 * @throws {InvalidArgument} if `link` is not a link
 * @since 0.1.0
 */
export function exchangeOver(link: Link): Exchange {
  checkCall("exchangeOver", ["link", link, LINK]);
  return exchanges.exchangeOver(link);
}

/**
 * Opens a netlink socket that is part of the event loop of Node.js. It cannot set NETLINK_EXT_ACK, so
 * errors have no explanation by the kernel.
 *
 * @param family the netlink family, by its number in linux/netlink.h; by default generic netlink (16)
 * @param timeoutSeconds how long receive() waits for a datagram; by default 30. Then it fails with
 *   ETIMEDOUT
 * @throws {SocketFault} if the socket cannot be opened or bound: EPERM, EMFILE, EAFNOSUPPORT …;
 *   EADDRINUSE if there is no free port
 * @throws {InvalidArgument} if an argument is wrong
 * @see netlink(7)
 * @since 0.1.0
 */
export function openNodeLink(family?: number, timeoutSeconds?: number): Link {
  checkCall(
    "openNodeLink",
    ["family", family, optional(integer(0, 0xff))],
    ["timeoutSeconds", timeoutSeconds, optional(TIMEOUT)],
  );
  return links.openNodeLink(family, timeoutSeconds);
}
