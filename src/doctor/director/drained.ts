import {
  formatEndpoint,
  LOCAL_NODE,
  MASQUERADING,
  PERSISTENT,
  UDP,
  type ServerEntry,
  type ServiceWithServers,
} from "../../ipvs/model.js";
import { changeLine } from "../../grammar/format-rule.js";
import { check, type Known } from "../check.js";
import { ofServer } from "../commands.js";
import type { Finding, Fix } from "../finding.js";
import { groupsOf, openCount } from "../connections.js";
import { nextHopTo } from "../network.js";
import { sysctlNumber } from "../sysctls.js";
import { isSilent } from "./reach.js";
import { endWithNextPacket, NODEST } from "./settings.js";
import { releasesTemplates, releaseTemplates } from "./take-out.js";

type Facts = Known<
  "table" | "allServices" | "network" | "stations" | "connections" | "sysctls"
>;

type Id = "drained-server-dead" | "drained-server-used";

/** Drained servers that still get packets: dead ones, and those to which datagrams of the same clients go for ever. */
export const drainedServers = check(
  ["drained-server-dead", "drained-server-used"],
  ["table", "allServices", "network", "stations", "connections", "sysctls"],
  (facts) =>
    facts.table.flatMap((service) =>
      service.servers.flatMap((server) => findingsOf(service, server, facts)),
    ),
);

/** Whether a server is drained and packets still go there. */
export function isDrainedInUse(
  service: Pick<ServiceWithServers, "settings">,
  server: ServerEntry,
): boolean {
  const { weight, forwarding } = server.settings;
  if (weight !== 0 || forwarding === LOCAL_NODE) return false;
  return (
    server.activeConnections + server.inactiveConnections > 0 ||
    (service.settings.flags & PERSISTENT) > 0
  );
}

/** How many connections go on: those that are open, not those that begin or end. */
function openConnections(
  service: ServiceWithServers,
  server: ServerEntry,
  { connections, allServices }: Facts,
): number {
  return groupsOf(connections, service, server, allServices).reduce(
    (sum, group) => sum + openCount(group),
    0,
  );
}

function findingsOf(
  service: ServiceWithServers,
  server: ServerEntry,
  facts: Facts,
): Finding<Id>[] {
  const { network, stations, connections, sysctls } = facts;
  if (!isDrainedInUse(service, server)) return [];
  const count = openConnections(service, server, facts);
  const { address, port } = server.key;
  const templates = releasesTemplates(sysctls)
    ? 0
    : (connections.templates.get(formatEndpoint(address, port)) ?? 0);
  if (count === 0 && templates === 0) return [];
  const hop = nextHopTo(network, address);
  const silent = hop !== undefined && isSilent(network, stations, hop);
  const { inPacketsPerSecond, outPacketsPerSecond } = server.stats;
  const oneWay =
    server.settings.forwarding === MASQUERADING &&
    inPacketsPerSecond > 0 &&
    Number(outPacketsPerSecond) === 0;
  if (!silent && !oneWay)
    return "protocol" in service.key && service.key.protocol === UDP
      ? used(service, server, count)
      : [];
  const bound = [
    ...(count > 0
      ? [`${count} open ${count === 1 ? "connection" : "connections"}`]
      : []),
    ...(templates > 0
      ? [
          `${templates} persistence ${templates === 1 ? "template" : "templates"}`,
        ]
      : []),
  ].join(" and ");
  return [
    {
      id: "drained-server-dead",
      ...ofServer(service, server),
      seen: `its weight is 0, it still has ${bound}, and ${
        silent
          ? "it does not answer ARP or neighbor discovery"
          : `it gets ${inPacketsPerSecond} packets per second and answers none`
      }`,
      evidence: [
        "each packet of a client renews its entry, so this does not end by itself",
      ],
      fix:
        count === 0 ? [releaseTemplates()] : remove(service, server, sysctls),
    },
  ];
}

/** UDP has no end of a connection: a client that keeps its port keeps its server. */
function used(
  service: ServiceWithServers,
  server: ServerEntry,
  count: number,
): Finding<Id>[] {
  if (count === 0) return [];
  const { inPackets, outPackets } = server.stats;
  return [
    {
      id: "drained-server-used",
      ...ofServer(service, server),
      seen: `its weight is 0, and ${count} UDP ${count === 1 ? "client stays" : "clients stay"} with it as long as ${count === 1 ? "it keeps its port" : "they keep their ports"}`,
      evidence:
        server.settings.forwarding === MASQUERADING
          ? [
              `since it was added it got ${inPackets} packets and sent ${outPackets}; ICMP messages that refuse a request also count as sent`,
            ]
          : [],
      fix: [],
    },
  ];
}

function remove(
  service: ServiceWithServers,
  server: ServerEntry,
  sysctls: Facts["sysctls"],
): Fix[] {
  const line = changeLine({
    command: "delete-server",
    service: service.key,
    server: server.key,
  });
  return [
    ...(sysctlNumber(sysctls, NODEST) === 1 ? [] : [endWithNextPacket()]),
    {
      command: `ipvsadm ${line}`,
      effect:
        "connections to this server end; the next packet of UDP clients gets another server",
    },
  ];
}
