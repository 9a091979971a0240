import {
  formatAddress,
  INET,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import {
  MASQUERADING,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { check, type Known } from "../../check.js";
import { serverName } from "../../commands.js";
import { groupsOf } from "../../connections.js";
import type { Finding } from "../../finding.js";
import { deviceOf, nextHopTo } from "../../network.js";
import { CONNTRACK, sysctlFix, sysctlNumber } from "../../sysctls.js";
import { translations } from "./beside-clients.js";
import { examineThere } from "./examine-there.js";
import { interfaceDown, isServing } from "../reach/reach.js";
import { expirySeconds, WAITING_SECONDS } from "../reach/silence.js";

type Facts = Known<
  | "table"
  | "allServices"
  | "network"
  | "sysctls"
  | "connections"
  | "timeouts"
  | "firewall"
>;

interface Behind {
  readonly service: ServiceWithServers;
  readonly server: ServerEntry;
}

/** An interface with redirects, and the servers behind it that learn from them */
interface Shared {
  readonly name: string;
  /** What is behind it besides the first server */
  readonly why: string;
  readonly servers: Behind[];
}

/** Masqueraded servers that learn a way to clients past the director. */
export const redirects = check(
  ["redirects-followed", "redirects-sent"],
  [
    "table",
    "allServices",
    "network",
    "sysctls",
    "connections",
    "timeouts",
    "firewall",
  ],
  (facts) => {
    return sharedInterfaces(facts).flatMap((one) => findingsOf(one, facts));
  },
);

function sharedInterfaces(facts: Facts): Shared[] {
  const shared = new Map<string, Shared>();
  for (const service of facts.table)
    for (const server of service.servers) {
      const device = sharedDevice(service, server, facts);
      if (!device) continue;
      const servers: Behind[] = shared.get(device.name)?.servers ?? [];
      if (servers.length === 0) shared.set(device.name, { ...device, servers });
      servers.push({ service, server });
    }
  return [...shared.values()];
}

/** Whether redirects are the likely cause of requests that wait for a server. */
export function followsRedirects(server: ServerEntry, facts: Facts): boolean {
  return sharedInterfaces(facts).some(
    (one) =>
      switchesOn(one, facts).length > 0 &&
      waitingIn(one, facts) >= FEWEST_WAITING &&
      waitingServers(one, facts).some((behind) => behind.server === server),
  );
}

const path = (name: string) => `net/ipv4/conf/${name}/send_redirects`;

/** For which names send_redirects is on. One is enough. */
function switchesOn({ name }: Shared, { sysctls }: Facts): string[] {
  return ["all", name].filter(
    (name) => sysctlNumber(sysctls, path(name)) === 1,
  );
}

function findingsOf(
  one: Shared,
  facts: Facts,
): Finding<"redirects-followed" | "redirects-sent">[] {
  const { name, why, servers } = one;
  const on = switchesOn(one, facts);
  const [first] = servers;
  if (on.length === 0 || !first) return [];
  const waiting = waitingIn(one, facts);
  const fails = waiting >= FEWEST_WAITING;
  return [
    {
      id: fails ? "redirects-followed" : "redirects-sent",
      subject: name,
      seen: `masqueraded server ${serverName(first.service, first.server)} and ${why} are behind this interface, and send_redirects is 1 for ${on.join(" and ")}`,
      ...(fails
        ? {
            next: waitingServers(one, facts)
              .slice(0, 1)
              .map((behind) =>
                examineThere(
                  behind.service,
                  behind.server,
                  facts,
                  openingClientsOf(behind, facts)[0],
                ),
              ),
            certainty: "likely" as const,
            evidence: [
              `${waiting} connections of masqueraded servers behind this interface have waited in SYN_RECV for ${WAITING_SECONDS} s and more: their answers did not pass the director`,
            ],
          }
        : {}),
      fix: [
        sysctlFix(
          { [path("all")]: 0, [path(name)]: 0 },
          "this machine sends no ICMP redirects to other hosts either",
        ),
        {
          command: "ip route flush cache",
          on: machinesOf(servers.map(({ server }) => server)),
          effect: "they forget what redirects have taught them",
        },
      ],
    },
  ];
}

/** One waiting connection can be that of a client that went away. */
const FEWEST_WAITING = 2;

function openingClientsOf(
  { service, server }: Behind,
  { connections, allServices }: Facts,
): Address[] {
  return groupsOf(connections, service, server, allServices).flatMap(
    ({ openingClients }) => openingClients,
  );
}

/** The servers whose requests may wait because of redirects. */
function waitingServers({ servers }: Shared, facts: Facts): Behind[] {
  const { network } = facts;
  // A client in the servers' own network gets the answers directly in any case.
  const isNear = (client: Address) => {
    const hop = nextHopTo(network, client);
    return hop !== undefined && sameAddress(hop.address, client);
  };
  return servers.filter((behind) => {
    const { server } = behind;
    // Only an answer that passed the director brings about a redirect.
    if (server.stats.outPackets === 0n) return false;
    if (network.byDefault?.has(formatAddress(server.key.address))) return false;
    const clients = openingClientsOf(behind, facts);
    return clients.length > 0 && !clients.some(isNear);
  });
}

/** How many connections have waited for an answer long enough. */
function waitingIn(one: Shared, facts: Facts): number {
  const { connections, allServices, timeouts } = facts;
  const groups = new Set(
    waitingServers(one, facts).flatMap(({ service, server }) =>
      groupsOf(connections, service, server, allServices),
    ),
  );
  const expiry = expirySeconds("SYN_RECV", timeouts);
  return [...groups]
    .flatMap(({ opening }) => [...opening])
    .filter(([expires]) => expiry - expires >= WAITING_SECONDS)
    .reduce((sum, [, count]) => sum + count, 0);
}

/** More machines are not named. */
const MOST_MACHINES = 8;

/** `real servers 10.0.0.11, 10.0.0.12` */
function machinesOf(servers: readonly ServerEntry[]): string {
  const names = [
    ...new Set(servers.map(({ key }) => formatAddress(key.address))),
  ];
  const more = names.length - MOST_MACHINES;
  return `real ${names.length === 1 ? "server" : "servers"} ${names.slice(0, MOST_MACHINES).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

/** The interface by which answers of a server come in and leave; undefined if there is none. */
function sharedDevice(
  service: ServiceWithServers,
  server: ServerEntry,
  facts: Facts,
): { name: string; why: string } | undefined {
  const { network, connections, allServices, sysctls } = facts;
  const { address } = server.key;
  if (
    server.settings.forwarding !== MASQUERADING ||
    address.length !== 4 ||
    !isServing(server)
  )
    return undefined;
  // The wrong route is reported as the cause.
  if (
    interfaceDown(network, server) ||
    network.strayRoutes?.has(formatAddress(address))
  )
    return undefined;
  const hop = nextHopTo(network, address);
  const device = deviceOf(network, hop?.device);
  if (!hop || !device) return undefined;
  // With SNAT answers are for the director itself.
  if (
    sysctlNumber(sysctls, CONNTRACK) === 1 &&
    translations(service, server, facts).length > 0
  )
    return undefined;
  const { name } = device;
  const near = groupsOf(connections, service, server, allServices)
    .flatMap(({ clients }) => clients)
    .some((client) => nextHopTo(network, client)?.device === hop.device);
  if (near) return { name, why: "one of its clients" };
  const { key } = service;
  if ("firewallMark" in key || key.family !== INET) return undefined;
  const own = network.addresses.some(
    (one) => one.device === hop.device && sameAddress(one.address, key.address),
  );
  return own ? { name, why: "its virtual address" } : undefined;
}
