import { formatAddress } from "../../ipvs/address.js";
import { check } from "../check.js";
import { sysctlFix } from "../sysctls.js";
import { placesOf } from "./real-server.js";

/** Tunneled packets whose source is the virtual address, which this machine also has. */
export const ownSource = check(
  ["own-source"],
  ["realServer"],
  ({ realServer }) => {
    const { director, outer, method } = realServer;
    if (director?.length !== 4 || placesOf(realServer, director).length === 0)
      return [];
    return outer
      .filter(({ way }) => way === "dropped")
      .map(({ device: { name } }) => ({
        id: "own-source" as const,
        subject: name,
        seen: `accept_local is 0 there, and packets of the director from ${formatAddress(director)} seem to come from this machine`,
        certainty: method === undefined ? ("likely" as const) : undefined,
        fix:
          method === undefined
            ? []
            : [
                sysctlFix(
                  { [`net/ipv4/conf/${name}/accept_local`]: 1 },
                  "the interface accepts all packets whose source is an address of this machine",
                ),
              ],
      }));
  },
);
