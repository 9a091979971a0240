import { INET, INET6, type Family } from "../ipvs/address.js";
import {
  decode,
  required,
  u16be,
  u8,
  type Layout,
} from "../netlink/attributes.js";
import type { Exchange } from "../netlink/exchange.js";
import {
  GenericQuery,
  noAttributes,
  resolveFamily,
} from "../netlink/generic.js";
import { dump } from "./dump.js";
import { NetworkRefusal } from "./errors.js";

/** FOU_ATTR_* of linux/fou.h */
const PORT = {
  port: [1, u16be],
  family: [2, u8],
  encapsulation: [4, u8],
} as const satisfies Layout;
const VERSION = 1;
const GET = 3;
/** FOU_ENCAP_GUE */
const GUE = 2;

/** A UDP port whose datagrams the kernel decapsulates. @see linux/fou.h */
export interface FouPort {
  readonly port: number;
  readonly family: Family;
  /** With a header that names the protocol (GUE), or without (FOU) */
  readonly encapsulation: "fou" | "gue";
}

/**
 * Reads the ports that `ip fou show` lists. The request makes the kernel load the module fou. A
 * caller that must not change anything has to check first whether it is loaded.
 *
 * @param exchange over a link of the family NETLINK_GENERIC
 * @throws {NetworkRefusal} EPERM: no CAP_NET_ADMIN. ENOENT: no module fou
 */
export async function fouPorts(exchange: Exchange): Promise<FouPort[]> {
  const operation = "read the FOU and GUE ports";
  const family = await resolveFamily(exchange, "fou");
  if (!("id" in family)) throw new NetworkRefusal(family.errno, operation);
  const request = new GenericQuery(
    family.id,
    VERSION,
    GET,
    "dump",
    noAttributes,
    (attributes): FouPort => {
      const fields = required(decode(PORT, attributes), ["port"]);
      return {
        port: fields.port,
        family: fields.family === INET6 ? INET6 : INET,
        encapsulation: fields.encapsulation === GUE ? "gue" : "fou",
      };
    },
  );
  return dump(exchange, operation, request);
}
