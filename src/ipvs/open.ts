import { IpvsClient } from "./client.js";
import { exchangeOver } from "../netlink/exchange.js";
import type { Link } from "../netlink/link.js";
import { openNodeLink } from "../netlink/node-link.js";

/**
 * Opens a socket and finds IPVS at the other end of it. `await using` closes the socket at the end of the block;
 * until it is closed, it keeps the process alive.
 *
 * The module ip_vs is not loaded: that is for whoever sets the machine up.
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
 * @param link a socket of another kind, which from now on belongs to the client, even if this fails
 * @throws {IpvsUnavailable} ENOENT if the module ip_vs is not loaded, EPERM without CAP_NET_ADMIN
 * @throws {SocketFault} when there is no socket to be had, or it fails
 */
export async function openIpvs(
  link: Link = openNodeLink(),
): Promise<IpvsClient> {
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
