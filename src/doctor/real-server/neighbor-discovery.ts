import { familyOf, INET6 } from "../../ipvs/address.js";
import { check } from "../check.js";
import {
  acceptMessages,
  byStop,
  describeBlockages,
  neighborBlockages,
  WHEN_ASKED,
  WHEN_ASKING,
} from "../firewall/neighbor-discovery.js";
import type { RealServer } from "./real-server.js";

/** Firewall rules of a real server that stop neighbor discovery. */
export const serverNeighborDiscovery = check(
  ["server-neighbor-discovery-blocked"],
  ["realServer", "firewall"],
  ({ realServer, firewall }) => {
    const devices = devicesOf(realServer);
    if (devices.length === 0) return [];
    const blockages = messagesOf(realServer).flatMap((message) =>
      neighborBlockages(message, devices, firewall),
    );
    return byStop(blockages).map((some) => ({
      id: "server-neighbor-discovery-blocked",
      seen: describeBlockages(some),
      fix: acceptMessages(some),
    }));
  },
);

/** The director asks for this machine; this machine asks for clients, or for the router to them. */
function messagesOf({ services, director }: RealServer) {
  const answers = services.some(({ address }) => familyOf(address) === INET6);
  const asked = director ? familyOf(director) === INET6 : answers;
  return [...(asked ? WHEN_ASKED : []), ...(answers ? WHEN_ASKING : [])];
}

/** The interfaces on which there are neighbors of IPv6. */
function devicesOf({ devices, addresses }: RealServer): string[] {
  return devices
    .filter(
      ({ index, up, asksNeighbors, master }) =>
        up &&
        asksNeighbors &&
        master === undefined &&
        addresses.some((own) => own.device === index && own.family === INET6),
    )
    .map(({ name }) => name);
}
