import {
  formatEndpoint,
  LOCAL_NODE,
  MASQUERADING,
  PERSISTENT,
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

/** Drained servers that are dead and still get packets. */
export const drainedServers = check(
  ["drained-server-dead"],
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
): Finding<"drained-server-dead">[] {
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
  if (!silent && !oneWay) return [];
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
