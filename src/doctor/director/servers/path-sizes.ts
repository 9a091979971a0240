import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import type { ServerEntry, ServiceWithServers } from "../../../ipvs/model.js";
import { check, type Known } from "../../check.js";
import { ofServer, serviceName } from "../../commands.js";
import { groupsOf } from "../../connections.js";
import type { Facts } from "../../facts.js";
import type { Finding, Fix } from "../../finding.js";
import { namesOf } from "../../path-size.js";
import {
  droppingEvidence,
  droppingWays,
  seenText,
  type DroppingWay,
  type DroppingWays,
} from "../../smaller-mtu.js";
import { sizesTo } from "../firewall/narrow-ways.js";
import { examineThere } from "../nat/examine-there.js";
import { isServing } from "../reach/reach.js";

type Id = "path-too-small" | "path-below-mtu";

type SizeFacts = Known<"table" | "network" | "sizes"> & Facts;

/** Ways to real servers on which packets of the full size are lost. */
export const pathSizes = check(
  ["path-too-small", "path-below-mtu"],
  ["table", "network", "sizes"],
  (facts) =>
    droppingWays(facts.sizes, facts.network.devices, (ways, largest) =>
      effectsOf(ways, largest, facts),
    ).map((ways) => findingOf(ways, facts)),
);

/** What else smaller packets to real servers change. */
function effectsOf(
  ways: readonly DroppingWay[],
  largest: number,
  facts: SizeFacts,
): string[] {
  const headers = placesOf(ways, facts).map(
    ({ service, server }) =>
      sizesTo(service, server, facts.network)?.header ?? 0,
  );
  const header = Math.max(0, ...headers);
  return [
    ...(header > 0
      ? [
          `the tunnel then carries ${largest - header} bytes of a client's packet`,
        ]
      : []),
    "the director asks clients for smaller packets where theirs do not fit (ICMP)",
    "answers of the real servers can be as large: the command under Next tells there",
  ];
}

/** A real server with its service. */
interface Place {
  readonly service: ServiceWithServers;
  readonly server: ServerEntry;
}

/** The real servers at the end of ways, with each of their services. */
function placesOf(ways: readonly DroppingWay[], { table }: SizeFacts): Place[] {
  return table.flatMap((service) =>
    service.servers
      .filter(
        (server) =>
          isServing(server) &&
          ways.some(({ to }) => sameAddress(to, server.key.address)),
      )
      .map((server) => ({ service, server })),
  );
}

/** More servers are not examined. */
const MOST_SERVERS = 3;

function findingOf(dropping: DroppingWays, facts: SizeFacts): Finding<Id> {
  const { ways, largest, device } = dropping;
  const places = placesOf(ways, facts);
  const fails =
    largest === undefined ||
    ways.some(({ needed = largest }) => needed > largest);
  const [only, ...more] = places;
  const services = new Set(places.map(({ service }) => serviceName(service)));
  return {
    id: fails ? "path-too-small" : "path-below-mtu",
    ...(only && more.length === 0
      ? ofServer(only.service, only.server)
      : { subject: namesOf(ways.map(({ to }) => to)) }),
    seen: seenText(dropping),
    evidence: [
      ...droppingEvidence(dropping),
      ...sizeReasons(places, facts),
      ...(fails
        ? []
        : [
            "the largest packets of clients are smaller on this way, and get there",
          ]),
      ...(more.length > 0
        ? [`real servers of ${[...services].slice(0, MOST_SERVERS).join(", ")}`]
        : []),
    ],
    next: examinations(places, facts),
    ...(largest === undefined
      ? {
          cure: `Find the link on the way that carries no packets of 1280 bytes, and repair it. Packets leave here by ${device}.`,
        }
      : {}),
    fix: dropping.fix,
  };
}

/** Why packets can be so large: `the MTU of eth0 is 1600; clients come in by eth0 with MTU 1600, and the tunnel adds 20 bytes`. */
function sizeReasons(places: readonly Place[], facts: SizeFacts): string[] {
  const found = places.flatMap(({ service, server }) => {
    const sizes = sizesTo(service, server, facts.network);
    if (!sizes) return [];
    const { device, full, ofRoute, header, arrival } = sizes;
    const added = header > 0 ? `, and the tunnel adds ${header} bytes` : "";
    return [
      `the MTU of ${ofRoute ? "the route" : device} is ${full}${arrival ? `; clients come in by ${arrival.name} with MTU ${arrival.mtu}${added}` : ""}`,
    ];
  });
  return [...new Set(found)];
}

/** One of the clients of a server, if the connection table shows any. */
function clientOf(
  service: ServiceWithServers,
  server: ServerEntry,
  { connections, allServices }: SizeFacts,
): Address | undefined {
  if (!connections || !allServices) return undefined;
  const [group] = groupsOf(connections, service, server, allServices);
  return group?.clients[0];
}

/** The commands that try the same from the servers: their answers can be as large. */
function examinations(places: readonly Place[], facts: SizeFacts): Fix[] {
  const machines = new Map<string, Fix>();
  for (const { service, server } of places) {
    const machine = formatAddress(server.key.address);
    if (machines.has(machine) || machines.size >= MOST_SERVERS) continue;
    const there = examineThere(
      service,
      server,
      facts,
      clientOf(service, server, facts),
    );
    machines.set(machine, { ...there, command: `${there.command} --probe` });
  }
  return [...machines.values()];
}
