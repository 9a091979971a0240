import type { IpvsClient } from "../ipvs/client.js";
import type { IpvsAccess } from "../runtime/ipvs-access.js";
import type { Arguments } from "./parser.js";

/**
 * Opens IPVS for a subcommand that changes the table. It loads the module ip_vs if needed, but not for a dry run: what only
 * reads does not change the system.
 */
export function openFor(
  access: IpvsAccess,
  given: Arguments,
): Promise<IpvsClient> {
  return given.flag("dry-run") ? access.openWithoutLoading() : access.open();
}
