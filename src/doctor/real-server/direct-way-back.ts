import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../ipvs/address.js";
import {
  formatHardwareAddress,
  type Hop,
  type Route,
} from "../../rtnl/model.js";
import { check } from "../check.js";
import type { Finding, Fix } from "../finding.js";
import { shellWord } from "../shell.js";
import { stationAt, type RealServer } from "./real-server.js";
import {
  isDirector,
  isSilent,
  MAIN,
  prefixOf,
  ROUTER,
  usedRoute,
  wayBacks,
} from "./way-back.js";

/** Answers of direct routing and tunneling whose router does not pass them on. */
export const directWayBack = check(
  ["way-back-through-director", "router-silent"],
  ["realServer"],
  ({ realServer }) => {
    const { method } = realServer;
    if (method === undefined || method === "masq") return [];
    return wayBacks(realServer).flatMap(({ target, way }) =>
      (way?.hops ?? [])
        .flatMap((hop) => brokenHop(realServer, target, way, hop))
        .slice(0, 1),
    );
  },
  ({ realServer: { method } }) => method !== undefined && method !== "masq",
);

function brokenHop(
  server: RealServer,
  target: string,
  way: Route | undefined,
  hop: Hop,
): Finding<"way-back-through-director" | "router-silent">[] {
  const { director } = server;
  const { gateway } = hop;
  if (!director || !gateway || !way) return [];
  const router = formatAddress(gateway);
  const device = server.devices.find(({ index }) => index === hop.device);
  // IPv6 does not check the source of what it forwards.
  if (director.length === 4 && isDirector(server, director, hop))
    return [
      {
        id: "way-back-through-director",
        subject: target,
        seen: `answers go through ${whoIs(server, director, hop)}`,
        certainty: "likely",
        evidence: [
          "the director drops them as martians, unless it forwards IPv4, and accept_local is 1 on its interface or it does not have the virtual address itself (a service by firewall mark)",
          // Answers of proxy ARP have one hardware address for all.
          ...(sameAddress(gateway, director)
            ? []
            : [
                `it is no fault if a cloud or a switch answers ARP for all addresses with this hardware address (proxy ARP): 'ip neighbor show dev ${shellWord(device?.name ?? "INTERFACE")}' then shows it for other machines, too`,
              ]),
        ],
        fix: throughRouter(server, way),
      },
    ];
  // Tunnels and the like have no neighbors to ask.
  if (!device?.asksNeighbors || !isSilent(server, hop)) return [];
  return [
    {
      id: "router-silent",
      subject: target,
      seen: `answers go through ${router}, which does not answer ${director.length === 4 ? "ARP" : "neighbor discovery"} on ${device.name}`,
      next: [
        {
          command: `ip neighbor show ${router}`,
          effect: "changes nothing; shows what the kernel knows of the router",
        },
      ],
      fix: throughRouter(server, way),
    },
  ];
}

/** The router of a route that is the director, by its address or its hardware address. */
function whoIs(server: RealServer, director: Address, hop: Hop): string {
  const { gateway = director, device } = hop;
  const router = formatAddress(gateway);
  if (router === formatAddress(director)) return `the director, ${router}`;
  const found = stationAt(server, gateway, device)?.hardwareAddress;
  const at = found ? ` ${formatHardwareAddress(found)}` : "";
  return `${router}, which has the hardware address${at} of the director`;
}

/** The same route through another router. A route with several routers keeps the others, so it has no command. */
function throughRouter({ routes, client }: RealServer, way: Route): Fix[] {
  if (way.hops.length > 1) return [];
  const table = way.table === MAIN ? "" : ` table ${way.table}`;
  const old = client ? usedRoute(routes, way, client) : way;
  const to = old ? prefixOf(old) : client ? formatAddress(client) : "default";
  return [
    {
      command: `ip route replace ${to} via ROUTER${table}`,
      effect: `${ROUTER}; all packets of this server ${to === "default" ? "that have no other route" : `to ${to}`} go there`,
    },
  ];
}
