import {
  familyOf,
  formatAddress,
  INET6,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import {
  MASQUERADING,
  type ServerKey,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { check, type Known } from "../../check.js";
import type { Facts } from "../../facts.js";
import type { Finding } from "../../finding.js";
import type { FindingId } from "../../findings.js";
import {
  acceptMessages,
  byStop,
  describeBlockages,
  neighborBlockages,
  WHEN_ASKED,
  WHEN_ASKING,
  type NeighborBlockage,
  type NeighborMessage,
} from "../../firewall/neighbor-discovery.js";
import { deviceOf, nextHopTo } from "../../network.js";
import { clientDevices } from "./flow-clients.js";
import { isPassive, isServing, isSilent } from "../reach/reach.js";

type NeighborFacts = Known<"network" | "firewall">;

/** Firewall rules of the director that stop neighbor discovery. */
export const neighborDiscovery = check(
  ["neighbor-discovery-blocked"],
  ["table", "daemons", "network", "firewall"],
  (facts) => {
    if (isPassive(facts.daemons)) return [];
    const blockages = facts.table.flatMap((service) => [
      ...blockedClients(service, facts),
      ...service.servers
        .filter(isServing)
        .flatMap(({ key, settings }) =>
          blockedServer(
            key.address,
            settings.forwarding === MASQUERADING,
            facts,
          ),
        ),
    ]);
    return byStop(blockages).map(
      (some): Finding<"neighbor-discovery-blocked"> => ({
        id: "neighbor-discovery-blocked",
        seen: describeBlockages(some),
        evidence: silentServers(some, facts),
        fix: acceptMessages(some),
      }),
    );
  },
);

/**
 * The rules because of which clients and their routers do not find a service, or the director does not find them.
 *
 * @param client undefined: clients in general
 */
export function blockedClients(
  service: ServiceWithServers,
  { network, firewall }: NeighborFacts,
  client?: Address,
): NeighborBlockage[] {
  const { key, servers } = service;
  if (key.family !== INET6) return [];
  // Answers of other servers do not pass the director.
  const answers = servers.some(
    ({ settings }) => settings.forwarding === MASQUERADING,
  );
  const virtual = "firewallMark" in key ? undefined : key.address;
  return clientDevices(network, INET6, virtual, client)
    .filter(
      (name) =>
        network.devices.find((device) => device.name === name)
          ?.asksNeighbors === true,
    )
    .flatMap((name) =>
      [...WHEN_ASKED, ...(answers ? WHEN_ASKING : [])].flatMap((message) =>
        neighborBlockages(message, [name], firewall),
      ),
    );
}

/**
 * The rules because of which the director does not find a real server.
 *
 * @param masqueraded whether the server must find the director, too: its answers come back through it
 */
export function blockedServer(
  address: Address,
  masqueraded: boolean,
  { network, firewall }: NeighborFacts,
): NeighborBlockage[] {
  const hop = nextHopTo(network, address);
  const device = deviceOf(network, hop?.device);
  if (familyOf(address) !== INET6 || !hop) return [];
  if (device?.asksNeighbors !== true) return [];
  const permanent = network.neighbors.some(
    (one) =>
      one.device === hop.device &&
      one.state === "permanent" &&
      sameAddress(one.address, hop.address),
  );
  const messages = [
    ...(permanent ? [] : WHEN_ASKING),
    ...(masqueraded ? WHEN_ASKED : []),
  ];
  return messages.flatMap((message) =>
    neighborBlockages(
      message,
      [device.name],
      firewall,
      message === "received advertisements" ? hop.address : undefined,
    ),
  );
}

/** More servers are only counted. */
const MOST_NAMED = 4;

/** The real servers that the director does not find because of these rules. */
function silentServers(
  blockages: readonly NeighborBlockage[],
  { table, network, stations }: Facts & Known<"table" | "network">,
): string[] {
  if (!stations) return [];
  const devices = new Set(
    blockages
      .filter(({ message }) => isAsking(message))
      .flatMap((one) => one.devices),
  );
  const silent = new Set<string>();
  for (const { key } of table.flatMap(({ servers }) =>
    servers.filter(isServing),
  )) {
    const hop = nextHopTo(network, key.address);
    const name = deviceOf(network, hop?.device)?.name;
    if (hop && name !== undefined && devices.has(name))
      if (familyOf(key.address) === INET6 && isSilent(network, stations, hop))
        silent.add(formatAddress(key.address));
  }
  if (silent.size === 0) return [];
  const names = [...silent].slice(0, MOST_NAMED);
  const more = silent.size - names.length;
  return [
    `the director gets no advertisement of ${names.join(", ")}${more > 0 ? ` and ${more} more` : ""}, so it sends nothing there`,
  ];
}

function isAsking(message: NeighborMessage): boolean {
  return WHEN_ASKING.includes(message);
}

/** Findings about servers that the director does not find */
const OF_SILENT_SERVERS: ReadonlySet<FindingId> = new Set([
  "server-silent",
  "persistence-to-dead-server",
  "one-packet-to-dead-server",
  "drained-server-dead",
] satisfies FindingId[]);

/** Findings about servers whose answers do not come back */
const OF_MISSING_ANSWERS: ReadonlySet<FindingId> = new Set([
  "server-probe-failed",
  "nat-unanswered",
] satisfies FindingId[]);

/** Leaves out findings that follow from blocked neighbor discovery: the servers themselves may be well. */
export function withoutItsConsequences(
  findings: readonly Finding<FindingId>[],
  { table = [], network, firewall }: Facts,
): Finding<FindingId>[] {
  const isFound = findings.some(
    ({ id }) => id === "neighbor-discovery-blocked",
  );
  if (!isFound || !network || !firewall) return [...findings];
  return findings.filter(({ id, subject, server: key }) => {
    if (id === "interface-silent")
      return !serversBehind(subject, table, network).every(
        (server) =>
          blockedServer(server.address, false, { network, firewall }).length >
          0,
      );
    const silent = OF_SILENT_SERVERS.has(id);
    if (!key || (!silent && !OF_MISSING_ANSWERS.has(id))) return true;
    const around = { network, firewall };
    return blockedServer(key.address, !silent, around).length === 0;
  });
}

/** The real servers that get new connections and are reached by an interface. */
function serversBehind(
  name: string | undefined,
  table: readonly ServiceWithServers[],
  network: NeighborFacts["network"],
): ServerKey[] {
  return table
    .flatMap(({ servers }) => servers.filter(isServing))
    .map(({ key }) => key)
    .filter(({ address }) => {
      const hop = nextHopTo(network, address);
      return deviceOf(network, hop?.device)?.name === name;
    });
}
