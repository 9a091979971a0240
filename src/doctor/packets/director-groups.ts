import { sameAddress, type Address } from "../../ipvs/address.js";
import type { Connection } from "../../ipvs/connections.js";
import type { ServerEntry, ServiceWithServers } from "../../ipvs/model.js";
import type { Network } from "../network.js";
import { groupName, type DirectorFlow } from "./director-flows.js";
import { protocolName } from "./packet-fact.js";

/** What the director knows besides the packets. */
export interface DirectorFacts {
  readonly client: Address;
  readonly services: readonly ServiceWithServers[];
  readonly network: Network;
  readonly connections: readonly Connection[];
  /** It is a backup: requests go to the active director */
  readonly isPassive: boolean;
  /** Not all firewall rules could be read, so perhaps one replaces the client's address before requests leave */
  readonly mayHideClient: boolean;
}

/** Connections of which the same is said. */
export interface Group {
  readonly flows: DirectorFlow[];
  readonly service: ServiceWithServers | undefined;
  readonly server: ServerEntry | undefined;
}

export function groupsOf(
  flows: readonly DirectorFlow[],
  { services }: DirectorFacts,
): Group[] {
  const groups = new Map<string, Group>();
  for (const flow of flows) {
    const service = serviceOf(flow, services);
    // Without a service of that address, only an entry shows that IPVS handles it.
    if (!service && !flow.hasEntry) continue;
    const server = serverOf(flow, service, services);
    const name = groupNameOf(flow);
    const known = groups.get(name);
    if (known) known.flows.push(flow);
    else groups.set(name, { flows: [flow], service, server });
  }
  return [...groups.values()];
}

/** The service to which packets go. That of a firewall mark is not known by its addresses. */
function serviceOf(
  { protocol, virtual, virtualPort }: DirectorFlow,
  services: readonly ServiceWithServers[],
): ServiceWithServers | undefined {
  const fits = (port: number) =>
    services.find(
      ({ key }) =>
        !("firewallMark" in key) &&
        key.protocol === protocol &&
        key.port === port &&
        sameAddress(key.address, virtual),
    );
  return fits(virtualPort) ?? fits(0);
}

function serverOf(
  flow: DirectorFlow,
  service: ServiceWithServers | undefined,
  services: readonly ServiceWithServers[],
): ServerEntry | undefined {
  const { server, serverPort } = flow;
  if (!server) return undefined;
  // Firewall marks have no addresses of their own, so look through those services.
  const candidates = service
    ? [service]
    : services.filter(({ key }) => "firewallMark" in key);
  return candidates
    .flatMap(({ servers }) => servers)
    .find(
      ({ key }) =>
        sameAddress(key.address, server) &&
        (key.port === 0 || key.port === serverPort),
    );
}

export function groupNameOf(flow: DirectorFlow): string {
  return groupName(
    protocolName(flow.protocol),
    flow.virtual,
    flow.virtualPort,
    flow.server,
    flow.serverPort,
  );
}

/** The group of an entry, to find what packets tell of it. */
export function groupOfEntry(one: Connection): string {
  return groupName(
    one.protocol,
    one.virtual,
    one.virtualPort,
    one.server,
    one.serverPort,
  );
}
