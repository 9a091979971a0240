import { IpvsClient } from "./client.js";
import { LINK } from "./shapes.js";
import { checkCall } from "./shape.js";
import { exchangeOver } from "../netlink/exchange.js";
import type { Link } from "../netlink/link.js";
import { openNodeLink } from "../netlink/node-link.js";

/**
 * Opens a netlink socket and connects to IPVS. `await using` closes the socket at the end of the
 * block. An open socket keeps the process alive.
 *
 * Does not load the kernel module ip_vs: run `modprobe ip_vs` first.
 *
 * @example
 * ```ts
 * import { openIpvs } from "ipvsadm";
 *
 * await using ipvs = await openIpvs();
 * console.log(`a version of 1.2 or newer: ${ipvs.info.version >= 0x010200}`);
 * ```
 * ```text
 * a version of 1.2 or newer: true
 * ```
 *
 * @param link another kind of socket. The client owns it, and closes it even if openIpvs() fails
 * @throws {IpvsUnavailable} ENOENT: the module ip_vs is not loaded. EPERM: no CAP_NET_ADMIN
 * @throws {SocketFault} if the socket cannot be opened, or if it fails
 * @throws {InvalidArgument} if `link` is not a link
 * @since 0.1.0
 */
export async function openIpvs(
  link: Link = openNodeLink(),
): Promise<IpvsClient> {
  checkCall("openIpvs", ["link", link, LINK]);
  const close = () => {
    link.close();
  };
  try {
    return await IpvsClient.open(exchangeOver(link), close);
  } catch (error) {
    close();
    throw error;
  }
}
