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

/** A UDP port at which the kernel takes packets out of datagrams. @see linux/fou.h */
export interface FouPort {
  readonly port: number;
  readonly family: Family;
  /** With a header that says what is in them (GUE), or plainly (FOU) */
  readonly encapsulation: "fou" | "gue";
}

/**
 * The ports that `ip fou` shows. To be asked for it, the kernel loads the module fou: whoever only looks asks where
 * it is.
 *
 * @param exchange over a link of generic netlink
 * @throws {NetworkRefusal} EPERM without CAP_NET_ADMIN, ENOENT without the module
 */
export async function fouPorts(exchange: Exchange): Promise<FouPort[]> {
  const asked = "read the ports of FOU and GUE";
  const family = await resolveFamily(exchange, "fou");
  if (!("id" in family)) throw new NetworkRefusal(family.errno, asked);
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
  return dump(exchange, asked, request);
}
