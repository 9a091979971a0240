import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import { MASQUERADING, type ServerEntry } from "../../../ipvs/model.js";
import { isWithin } from "../../../rtnl/address-owners.js";
import type { NetworkClient } from "../../../rtnl/client.js";
import type { DeviceAddress, Route } from "../../../rtnl/model.js";
import { check, type Known } from "../../check.js";
import type { Facts as AllFacts } from "../../facts.js";
import type { Finding, Fix } from "../../finding.js";
import {
  deviceOf,
  nextHopTo,
  type Network,
  type Stations,
} from "../../network.js";
import { ofServer } from "../../commands.js";
import { shellWord } from "../../shell.js";
import { examineThere } from "../nat/examine-there.js";
import { silences, waitingText, type Silence } from "../reach/silence.js";

type Facts = AllFacts &
  Known<
    | "table"
    | "allServices"
    | "network"
    | "stations"
    | "connections"
    | "timeouts"
  >;

/** More routes are not asked for. */
const MOST_QUERIES = 512;

/**
 * The network with the configured routes to those addresses whose route leads past the network that they are in, and the
 * servers to which only the default route leads.
 */
export async function withStrayRoutes(
  client: Pick<NetworkClient, "routeTo">,
  network: Network,
  servers: readonly Address[],
  clients: readonly Address[],
): Promise<Network> {
  const strayRoutes = new Map<string, Route>();
  const byDefault = new Set<string>();
  const isServer = new Set(servers.map(formatAddress));
  const asked = new Set<string>();
  for (const to of [...servers, ...clients]) {
    const text = formatAddress(to);
    if (asked.has(text)) continue;
    const isAstray = ownNetwork(network, to) !== undefined;
    const hop = nextHopTo(network, to);
    const isRouted =
      hop !== undefined && isServer.has(text) && !sameAddress(hop.address, to);
    if (!isAstray && !isRouted) continue;
    if (asked.size >= MOST_QUERIES) break;
    asked.add(text);
    const route = await client.routeTo({ to, asConfigured: true });
    if (typeof route !== "object") continue;
    if (isAstray) strayRoutes.set(text, route);
    else if (route.prefixBits === 0) byDefault.add(text);
  }
  return {
    ...network,
    ...(strayRoutes.size > 0 ? { strayRoutes } : {}),
    ...(byDefault.size > 0 ? { byDefault } : {}),
  };
}

/** This machine's address in the network of another one, if the route to that one does not lead into that network. */
function ownNetwork(network: Network, to: Address): DeviceAddress | undefined {
  const hop = nextHopTo(network, to);
  if (!hop) return undefined;
  const near = network.addresses.filter((own) => {
    if (own.prefixBits >= to.length * 8 || own.peer !== undefined) return false;
    if (!isWithin(to, own.address, own.prefixBits)) return false;
    const device = deviceOf(network, own.device);
    return device?.up === true && device.asksNeighbors;
  });
  const direct = sameAddress(hop.address, to);
  return near.some(({ device }) => direct && device === hop.device)
    ? undefined
    : near[0];
}

/** Routes of this machine that lead requests or answers astray. */
export const strayRoutes = check(
  ["route-elsewhere", "client-router-silent", "server-by-default-route"],
  ["table", "allServices", "network", "stations", "connections", "timeouts"],
  (facts) => [
    ...elsewhere(facts),
    ...silentRouters(facts),
    ...byDefaultRoute(facts),
  ],
);

/** Whether a route of this machine perhaps explains that a server does not answer. */
export function isAstray(
  { server, clients }: Pick<Silence, "server" | "clients">,
  { network, stations }: Known<"network" | "stations">,
  delivering: ReadonlySet<string>,
): boolean {
  return (
    isByDefault(server, network, delivering) ||
    [server.key.address, ...clientsOf({ server, clients })].some(
      (one) => strayRouteTo(one, network, stations) !== undefined,
    ) ||
    clientsOf({ server, clients }).some((one) =>
      silentRouter(one, network, stations),
    )
  );
}

/** The route to an address past its network, unless a machine answers for the address where the route leads. */
function strayRouteTo(
  to: Address,
  network: Network,
  { nextHops }: Stations,
): Route | undefined {
  const text = formatAddress(to);
  const hop = nextHopTo(network, to);
  const isThere =
    hop !== undefined &&
    sameAddress(hop.address, to) &&
    nextHops.get(text) !== undefined;
  return isThere ? undefined : network.strayRoutes?.get(text);
}

/** The routers of the default route that lead to masqueraded servers: these have answered, and are not silent. */
export function deliveringRouters(
  { table, network }: Known<"table" | "network">,
  silent: readonly Silence[],
): ReadonlySet<string> {
  const found = new Set<string>();
  if (!network.byDefault) return found;
  const isSilent = new Set(silent.map(({ server }) => server));
  for (const { servers } of table)
    for (const server of servers) {
      const { key, settings, stats } = server;
      if (settings.forwarding !== MASQUERADING || stats.outPackets === 0n)
        continue;
      const hop = nextHopTo(network, key.address);
      if (
        hop &&
        !isSilent.has(server) &&
        network.byDefault.has(formatAddress(key.address))
      )
        found.add(formatAddress(hop.address));
    }
  return found;
}

function isByDefault(
  { key, settings }: ServerEntry,
  network: Network,
  delivering: ReadonlySet<string>,
): boolean {
  const hop = nextHopTo(network, key.address);
  return (
    settings.forwarding === MASQUERADING &&
    hop !== undefined &&
    network.byDefault?.has(formatAddress(key.address)) === true &&
    !delivering.has(formatAddress(hop.address))
  );
}

/** The clients to which this machine sends the answers. */
function clientsOf({
  server,
  clients,
}: Pick<Silence, "server" | "clients">): readonly Address[] {
  return server.settings.forwarding === MASQUERADING ? clients : [];
}

function elsewhere(facts: Facts): Finding<"route-elsewhere">[] {
  const { network, stations } = facts;
  const found = new Map<
    string,
    { to: Address; evidence: string[]; there: Fix[] }
  >();
  for (const silence of silences(facts))
    for (const to of [silence.server.key.address, ...clientsOf(silence)]) {
      const text = formatAddress(to);
      if (!strayRouteTo(to, network, stations)) continue;
      const one = found.get(text) ?? { to, evidence: [], there: [] };
      const { service, server, clients } = silence;
      one.evidence.push(waitingText(silence));
      one.there.push(examineThere(service, server, facts, clients[0]));
      found.set(text, one);
    }
  return [...found.values()].flatMap(({ to, evidence, there }) => {
    const subject = formatAddress(to);
    const route = network.strayRoutes?.get(subject);
    const own = ownNetwork(network, to);
    const hop = nextHopTo(network, to);
    if (!route || !own || !hop) return [];
    const name = deviceOf(network, own.device)?.name ?? "INTERFACE";
    const by = deviceOf(network, hop.device)?.name ?? "INTERFACE";
    const through = sameAddress(hop.address, to)
      ? "directly"
      : `through ${formatAddress(hop.address)}`;
    const target = `${formatAddress(route.target)}/${route.prefixBits}`;
    const table = route.table === MAIN ? "" : ` table ${route.table}`;
    return [
      {
        id: "route-elsewhere",
        subject,
        seen: `it is in the network of ${name}, ${formatAddress(own.address)}/${own.prefixBits}, and the route to ${target}${table === "" ? "" : ` of${table}`} sends packets to it by ${by}, ${through}`,
        certainty: "likely",
        evidence: [...new Set(evidence)],
        next: [
          {
            command: `ip route get ${subject}`,
            effect: "changes nothing; shows the route",
          },
          ...new Map(there.map((one) => [one.command, one])).values(),
        ],
        fix:
          route.prefixBits === 0
            ? []
            : [
                {
                  command: `ip route del ${target}${table} dev ${shellWord(by)}`,
                  effect: `if the route is not meant: packets to ${target} go directly into the network of ${name}`,
                },
              ],
      },
    ];
  });
}

/** Silent masqueraded servers to which only the default route leads, as to the clients. */
function byDefaultRoute(facts: Facts): Finding<"server-by-default-route">[] {
  const { network } = facts;
  const silent = silences(facts);
  const delivering = deliveringRouters(facts, silent);
  return silent.flatMap((silence) => {
    const { service, server, clients } = silence;
    const { address } = server.key;
    const hop = nextHopTo(network, address);
    if (!hop || !isByDefault(server, network, delivering)) return [];
    const device = deviceOf(network, hop.device)?.name ?? "INTERFACE";
    const alone = loneAddress(network, address);
    return [
      {
        id: "server-by-default-route",
        ...ofServer(service, server),
        seen: `no route names its network: packets to it follow the default route, by ${device}, through ${formatAddress(hop.address)}`,
        certainty: "likely",
        evidence: [waitingText(silence), ...(alone ? [alone] : [])],
        next: [
          {
            command: `ip route get ${formatAddress(address)}`,
            effect: "changes nothing; shows the route",
          },
          examineThere(service, server, facts, clients[0]),
        ],
        fix: [],
      },
    ];
  });
}

/** An address of this machine that looks like one in the network of a server, if its prefix makes it a network of its own. */
function loneAddress(network: Network, server: Address): string | undefined {
  const shared = server.length === 4 ? 3 : 8;
  const own = network.addresses.find(
    ({ address, prefixBits, device }) =>
      address.length === server.length &&
      prefixBits === server.length * 8 &&
      deviceOf(network, device)?.asksNeighbors === true &&
      address.slice(0, shared).join() === server.slice(0, shared).join(),
  );
  if (!own) return undefined;
  const name = deviceOf(network, own.device)?.name ?? "INTERFACE";
  return `${name} has ${formatAddress(own.address)}/${own.prefixBits}, which makes no route to other addresses: perhaps the length of its prefix is wrong`;
}

/** RT_TABLE_MAIN of linux/rtnetlink.h */
const MAIN = 254;

/** The router to a client, if it was asked for and does not answer. */
function silentRouter(
  client: Address,
  network: Network,
  { nextHops }: Stations,
): ReturnType<typeof nextHopTo> {
  const hop = nextHopTo(network, client);
  if (!hop || sameAddress(hop.address, client)) return undefined;
  const text = formatAddress(hop.address);
  return nextHops.has(text) && nextHops.get(text) === undefined
    ? hop
    : undefined;
}

function silentRouters(facts: Facts): Finding<"client-router-silent">[] {
  const { network, stations } = facts;
  const found = new Map<string, Finding<"client-router-silent">>();
  for (const silence of silences(facts))
    for (const client of clientsOf(silence)) {
      const hop = silentRouter(client, network, stations);
      if (!hop) continue;
      const subject = formatAddress(hop.address);
      const name = deviceOf(network, hop.device)?.name ?? "INTERFACE";
      if (found.has(subject)) continue;
      found.set(subject, {
        id: "client-router-silent",
        subject,
        seen: `answers to client ${formatAddress(client)} leave by ${name}, through ${subject}, which does not answer there`,
        evidence: [waitingText(silence)],
        next: [
          {
            command: `ip route get ${formatAddress(client)}`,
            effect: "changes nothing; shows the route of the answers",
          },
        ],
        fix: [],
      });
    }
  return [...found.values()];
}
