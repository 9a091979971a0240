import {
  formatAddress,
  sameAddress,
  type Address,
  type Family,
} from "../../../ipvs/address.js";
import type { ServerEntry, ServiceWithServers } from "../../../ipvs/model.js";
import { isWithin } from "../../../rtnl/address-owners.js";
import { groupsOf, type Connections } from "../../connections.js";
import { ANYWHERE, deviceOf, nextHopTo, type Network } from "../../network.js";

/** What tells the clients of a service */
export interface ClientFacts {
  readonly network: Network;
  readonly connections: Connections;
  readonly allServices: readonly ServiceWithServers[];
}

/** A client, or clients in general, by the interface to them. */
export interface Candidate {
  readonly address: Address | undefined;
  readonly device: string | undefined;
}

/** The clients of a real server that the connection table shows; else clients in general. */
export function clientsOf(
  service: ServiceWithServers,
  server: ServerEntry,
  { network, connections, allServices }: ClientFacts,
  client: Address | undefined,
): Candidate[] {
  if (client !== undefined) return [candidateOf(client, network)];
  const groups = groupsOf(connections, service, server, allServices);
  const seen = groups.flatMap(({ clients, openingClients }) =>
    openingClients.length > 0 ? openingClients : clients,
  );
  return seen.length > 0
    ? seen.map((address) => candidateOf(address, network))
    : anyClients(
        network,
        service.key.family,
        "firewallMark" in service.key ? undefined : service.key.address,
      );
}

/**
 * The interfaces by which requests come in: of a client, or of clients in general if none is given. None if not known.
 */
export function clientDevices(
  network: Network,
  family: Family,
  virtual: Address | undefined,
  client: Address | undefined,
): string[] {
  const clients =
    client === undefined
      ? anyClients(network, family, virtual)
      : [candidateOf(client, network)];
  return clients.flatMap(({ device }) =>
    device === undefined ? [] : [device],
  );
}

export function candidateOf(address: Address, network: Network): Candidate {
  const hop = nextHopTo(network, address);
  return { address, device: deviceOf(network, hop?.device)?.name };
}

const generalClients = new WeakMap<Network, Map<string, Candidate[]>>();

/** Clients in general: behind the default route, and in the network of the virtual address. */
export function anyClients(
  network: Network,
  family: Family,
  virtual: Address | undefined,
): Candidate[] {
  // Asked for each server, and kube-proxy adds an address for each service: without this, the time grows with the square.
  const known = generalClients.get(network) ?? new Map<string, Candidate[]>();
  generalClients.set(network, known);
  const name = virtual ? formatAddress(virtual) : `any ${family}`;
  const found = known.get(name) ?? findClients(network, family, virtual);
  known.set(name, found);
  return found;
}

function findClients(
  network: Network,
  family: Family,
  virtual: Address | undefined,
): Candidate[] {
  const devices = new Set<number>();
  const hop = nextHopTo(network, ANYWHERE[family]);
  if (hop) devices.add(hop.device);
  if (virtual)
    for (const own of network.addresses) {
      const device = deviceOf(network, own.device);
      const near =
        sameAddress(own.address, virtual) ||
        (own.prefixBits < virtual.length * 8 &&
          own.address.length === virtual.length &&
          isWithin(virtual, own.address, own.prefixBits));
      if (near && device?.up === true && device.asksNeighbors)
        devices.add(own.device);
    }
  if (devices.size === 0) return [{ address: undefined, device: undefined }];
  return Array.from(devices, (index) => ({
    address: undefined,
    device: deviceOf(network, index)?.name,
  }));
}
