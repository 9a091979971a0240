import { familyOf, sameAddress } from "../../../ipvs/address.js";
import {
  BACKUP,
  formatEndpoint,
  PROTOCOL_NAMES,
  PROTOCOLS,
  TCP,
  type ServiceKey,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { check, type Known } from "../../check.js";
import { ofService, serviceName } from "../../commands.js";
import {
  isWithServer,
  openCount,
  serviceFinder,
  type ConnectionGroup,
  type Connections,
} from "../../connections.js";
import type { Finding } from "../../finding.js";
import { sysctlNumber } from "../../sysctls.js";
import { endWithNextPacket, NODEST } from "../machine/settings.js";

type Facts = Known<"allServices" | "connections" | "sysctls" | "daemons">;

/** Connections whose service was deleted. */
export const deletedServices = check(
  ["service-deleted"],
  ["allServices", "connections", "sysctls", "daemons"],
  ({ allServices, connections, sysctls, daemons }: Facts) => {
    if (sysctlNumber(sysctls, NODEST) !== 0) return [];
    // Entries that a master sent are used even if their service is not here.
    if (daemons.some(({ state }) => state === BACKUP)) return [];
    const byService = new Map<string, [ServiceKey, ConnectionGroup[]]>();
    for (const group of unownedGroups(connections, allServices)) {
      const key = keyOf(group);
      if (!key) continue;
      const name = serviceName({ key });
      const groups = byService.get(name)?.[1] ?? [];
      byService.set(name, [key, [...groups, group]]);
    }
    return Array.from(byService.values(), ([key, groups]) =>
      findingOf(key, groups),
    );
  },
);

/** The key that the service of connections had; undefined for a protocol that IPVS does not balance. */
function keyOf(group: ConnectionGroup): ServiceKey | undefined {
  const protocol = PROTOCOLS.find(
    (one) => PROTOCOL_NAMES[one] === group.protocol,
  );
  const { virtual: address, virtualPort: port } = group;
  return protocol && { family: familyOf(address), protocol, address, port };
}

function findingOf(
  key: ServiceKey,
  groups: readonly ConnectionGroup[],
): Finding<"service-deleted"> {
  const count = groups.reduce((sum, group) => sum + openCount(group), 0);
  const servers = groups.map(({ server, serverPort }) =>
    formatEndpoint(server, serverPort),
  );
  return {
    id: "service-deleted",
    ...ofService({ key }),
    seen: `${count} open ${count === 1 ? "connection is" : "connections are"} with ${servers.sort().join(", ")}, and there is no such service`,
    fix: [endWithNextPacket()],
  };
}

/** Open connections of no service that is there. */
function unownedGroups(
  { byServer }: Connections,
  table: readonly ServiceWithServers[],
): ConnectionGroup[] {
  const serviceOf = serviceFinder(table);
  // Without any service of a family IPVS looks at no packet of the family.
  const families = new Set(table.map(({ key }) => key.family));
  const ofFtp = table.filter(isFtp);
  const ofMarks = table.filter(({ key }) => "firewallMark" in key);
  return [...byServer.values()]
    .flat()
    .filter(
      (group) =>
        openCount(group) > 0 &&
        families.has(familyOf(group.virtual)) &&
        !serviceOf(group) &&
        !ofFtp.some((service) => isFtpData(group, service)) &&
        !ofMarks.some((service) => mayBeOf(group, service)),
    );
}

/** The port of FTP's control connections */
const FTP = 21;

function isFtp({ key }: ServiceWithServers): boolean {
  return !("firewallMark" in key) && key.protocol === TCP && key.port === FTP;
}

/** Whether connections can be data connections of a service for FTP, which have ports of their own. */
function isFtpData(
  group: ConnectionGroup,
  { key, servers }: ServiceWithServers,
): boolean {
  return (
    "address" in key &&
    group.protocol === PROTOCOL_NAMES[TCP] &&
    sameAddress(key.address, group.virtual) &&
    servers.some((server) => sameAddress(server.key.address, group.server))
  );
}

/**
 * Whether connections can be those of a service by firewall mark. The connection table does not tell the mark. The
 * kernel counts the connections of such a service for its servers, so a server without any has none of these.
 */
function mayBeOf(
  group: ConnectionGroup,
  { servers }: ServiceWithServers,
): boolean {
  return servers.some(
    (server) =>
      isWithServer(group, server) &&
      server.activeConnections + server.inactiveConnections > 0,
  );
}
