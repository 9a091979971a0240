import type { Io } from "../../runtime/io.js";
import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../ipvs/address.js";
import { MASQUERADING, type ServiceWithServers } from "../../ipvs/model.js";
import { NetworkClient } from "../../rtnl/client.js";
import type { Connections } from "../connections.js";
import type { Facts } from "../facts.js";
import type { Firewall } from "../firewall/read-firewall.js";
import { ANYWHERE, nextHopTo, type Network } from "../network.js";
import { askStations, readNetwork } from "../read-network.js";
import { withMarkedWays } from "./marks/marked-ways.js";
import { isServing } from "./reach/reach.js";
import { isDrainedInUse } from "./servers/drained-in-use.js";
import { withAnswerWays } from "./ways/answer-routes.js";
import { withStrayRoutes } from "./ways/stray-routes.js";

/** The part of the network that matters for a table, and for other addresses. */
export async function gatherNetwork(
  io: Io,
  table: readonly ServiceWithServers[],
  connections: Connections | undefined,
  others: readonly Address[],
  ask: boolean,
  firewall: Firewall | undefined,
  followed: Address | undefined,
): Promise<Pick<Facts, "network" | "stations">> {
  const virtual = distinct(
    table.flatMap(({ key }) => ("firewallMark" in key ? [] : [key.address])),
  );
  const servers = table.flatMap((service) => service.servers);
  const addresses = [
    ...virtual,
    ...servers.map(({ key }) => key.address),
    ...Object.values(ANYWHERE),
    ...someClients(table, connections),
    ...others,
  ];
  using client = await NetworkClient.open(io);
  const general = await readNetwork(client, distinct(addresses));
  const marked = firewall
    ? await withMarkedWays(client, general, firewall, table)
    : general;
  const answered = connections
    ? await withAnswerWays(client, marked, table, connections, followed)
    : marked;
  const network = await withStrayRoutes(
    client,
    answered,
    servers.map(({ key }) => key.address),
    someClients(table, connections),
  );
  if (!ask) return { network };
  const serving = table
    .flatMap((service) =>
      service.servers.filter(
        (server) => isServing(server) || isDrainedInUse(service, server),
      ),
    )
    .map(({ key }) => key.address);
  const waitingClients = openingClientsOf(table, connections);
  const stations = await askStations(
    client,
    network,
    virtual,
    distinct([...serving, ...routedClients(network, waitingClients)]),
  );
  return { network, stations };
}

/** The clients that wait for masqueraded servers, whose answers this machine sends on. */
function openingClientsOf(
  table: readonly ServiceWithServers[],
  connections: Connections | undefined,
): Address[] {
  if (!connections) return [];
  const servers = table
    .flatMap((service) => service.servers)
    .filter(({ settings }) => settings.forwarding === MASQUERADING);
  return distinct(
    servers.flatMap(({ key }) =>
      (connections.byServer.get(formatAddress(key.address)) ?? []).flatMap(
        ({ openingClients }) => openingClients,
      ),
    ),
  ).slice(0, MOST_CLIENTS);
}

/** Those that are behind a router. A client itself need not be there any more. */
function routedClients(
  network: Network,
  clients: readonly Address[],
): Address[] {
  return clients.filter((client) => {
    const hop = nextHopTo(network, client);
    return hop !== undefined && !sameAddress(hop.address, client);
  });
}

/** The routes to more clients are not asked for. */
const MOST_CLIENTS = 500;

/** Some clients of each real server. */
function someClients(
  table: readonly ServiceWithServers[],
  connections: Connections | undefined,
): Address[] {
  if (!connections) return [];
  const servers = table.flatMap((service) => service.servers);
  const clients = servers.flatMap(({ key }) =>
    (connections.byServer.get(formatAddress(key.address)) ?? []).flatMap(
      (group) => [...group.openingClients, ...group.clients],
    ),
  );
  return distinct(clients).slice(0, MOST_CLIENTS);
}

function distinct(addresses: readonly Address[]): Address[] {
  return [...new Map(addresses.map((one) => [one.join(), one])).values()];
}
