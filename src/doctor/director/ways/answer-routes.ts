import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import {
  MASQUERADING,
  UDP,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { isWithin } from "../../../rtnl/address-owners.js";
import type { NetworkClient } from "../../../rtnl/client.js";
import { NetworkRefusal } from "../../../rtnl/errors.js";
import type { Route, Rule } from "../../../rtnl/model.js";
import { check, type Known } from "../../check.js";
import { ofService, serviceName } from "../../commands.js";
import {
  groupsOf,
  type ConnectionGroup,
  type Connections,
} from "../../connections.js";
import type { Finding, Fix } from "../../finding.js";
import {
  ANYWHERE,
  deviceOf,
  isLocal,
  nextHopTo,
  routeFor,
  type FailedAnswer,
  type Network,
  type RuledAnswer,
} from "../../network.js";
import { sysctlNumber, type Sysctls } from "../../sysctls.js";
import { isNotForwarded } from "../machine/forwarding.js";
import { ignoredRouters } from "../reach/ignored-routers.js";
import type { Silence } from "../reach/silence.js";
import { choosingRule } from "./routing-rule.js";

/** More answers are not tried. */
const MOST_QUERIES = 256;
/** The rules and routes of more answers are not looked for. */
const MOST_BARRIERS = 16;
/** RT_TABLE_MAIN of linux/rtnetlink.h */
const MAIN = 254;
/** What the rules and routes are called that lead nowhere */
const BARRIERS: ReadonlySet<unknown> = new Set([
  "blackhole",
  "unreachable",
  "prohibit",
]);

type Asked = Pick<NetworkClient, "routeTo" | "rules" | "routes">;

/** The network with the answers to waiting clients that have no way, and with those that a routing rule sends on. @param followed a client to which answers are tried even if it does not wait */
export async function withAnswerWays(
  client: Asked,
  network: Network,
  table: readonly ServiceWithServers[],
  connections: Connections,
  followed?: Address,
): Promise<Network> {
  const failures: Omit<FailedAnswer, "barrier">[] = [];
  const ruled: Omit<RuledAnswer, "rule" | "main">[] = [];
  for (const answer of answersToTry(network, table, connections, followed)) {
    const { to, server, device, virtual } = answer;
    const before = await client.routeTo({ to, from: server, incoming: device });
    if (typeof before === "string") {
      failures.push({ ...answer, source: server, failure: before });
      continue;
    }
    if (before.table !== MAIN && before.type === "unicast")
      ruled.push({ ...answer, source: server, way: before });
    if (isLocal(network, virtual) !== true) continue;
    const after = await client.routeTo({ to, from: virtual });
    if (typeof after === "string")
      failures.push({ ...answer, source: virtual, failure: after });
    else if (after.table !== MAIN && after.type === "unicast")
      ruled.push({ ...answer, source: virtual, way: after });
  }
  if (failures.length + ruled.length === 0) return network;
  const rules = await rulesOf(client);
  const routes = await client.routes();
  return {
    ...network,
    rules: network.rules ?? rules,
    ruledAnswers: ruled.map((one, index) => ({
      ...one,
      // To look through the routes takes long on a machine with all routes of the Internet.
      ...(index < MOST_BARRIERS
        ? {
            rule: choosingRule(one, network, rules),
            main: routeFor(routes, MAIN, one.to),
          }
        : { rule: undefined, main: undefined }),
    })),
    // To judge all of them takes long on a machine with all routes of the Internet.
    failedAnswers: failures.map((one, index) => ({
      ...one,
      barrier:
        index < MOST_BARRIERS
          ? barrierOf(one, network, rules, routes)
          : undefined,
    })),
  };
}

/** The answers of masqueraded servers to the clients that wait for them, each once. */
function answersToTry(
  network: Network,
  table: readonly ServiceWithServers[],
  connections: Connections,
  followed: Address | undefined,
): Omit<FailedAnswer, "barrier" | "source" | "failure">[] {
  const found = new Map<
    string,
    Omit<FailedAnswer, "barrier" | "source" | "failure">
  >();
  const add = (answer: Omit<FailedAnswer, "barrier" | "source" | "failure">) =>
    found.set([answer.to, answer.server, answer.virtual].join(" "), answer);
  for (const service of table)
    for (const { key, settings } of service.servers) {
      if (settings.forwarding !== MASQUERADING) continue;
      const device = nextHopTo(network, key.address)?.device;
      if (device === undefined || isLocal(network, key.address) !== false)
        continue;
      const server = key.address;
      for (const group of groupsOf(connections, service, { key }, table))
        for (const to of clientsIn(group))
          if (to.length === server.length)
            add({ to, server, device, virtual: group.virtual });
      if (followed?.length === server.length && "address" in service.key)
        add({ to: followed, server, device, virtual: service.key.address });
    }
  return [...found.values()].slice(0, MOST_QUERIES);
}

/** The clients that wait for an answer, or may do so: UDP has no states. */
function clientsIn(group: ConnectionGroup): readonly Address[] {
  return group.protocol === "UDP" ? group.clients : group.openingClients;
}

/** None on a kernel without rules. */
async function rulesOf(client: Pick<NetworkClient, "rules">): Promise<Rule[]> {
  try {
    return await client.rules();
  } catch (error) {
    if (error instanceof NetworkRefusal) return [];
    throw error;
  }
}

/** The rule or the route that leads nowhere; undefined if there is simply no route, or if it cannot be told. */
function barrierOf(
  { to, source, server, device }: Omit<FailedAnswer, "barrier">,
  network: Network,
  rules: readonly Rule[],
  routes: readonly Route[],
): FailedAnswer["barrier"] {
  const incoming =
    source === server ? deviceOf(network, device)?.name : undefined;
  const fitting = rules
    .filter(
      (rule) =>
        rule.from?.address.length !== 0 &&
        (rule.from === undefined ||
          isWithin(source, rule.from.address, rule.from.bits)) &&
        (rule.to === undefined ||
          isWithin(to, rule.to.address, rule.to.bits)) &&
        (rule.incoming === undefined || rule.incoming === incoming) &&
        (rule.family === 2) === (to.length === 4),
    )
    .sort((a, b) => a.priority - b.priority);
  for (const rule of fitting) {
    // Such a rule cannot be judged here.
    if (rule.inverted || rule.mark || rule.outgoing !== undefined)
      return undefined;
    if (BARRIERS.has(rule.action)) return { rule, route: undefined };
    if (rule.action !== "table") return undefined;
    const route = routeFor(routes, rule.table, to);
    if (!route || route.type === "throw") continue;
    return BARRIERS.has(route.type) ? { rule, route } : undefined;
  }
  return undefined;
}

/** Answers that the director cannot send to clients. */
export const answerWays = check(
  ["answers-unroutable"],
  ["table", "allServices", "network", "connections", "sysctls"],
  (facts) => {
    const { table, network, connections, sysctls, allServices } = facts;
    const failed = network.failedAnswers ?? [];
    if (failed.length === 0) return [];
    return table.flatMap((service): Finding<"answers-unroutable">[] => {
      const ofIt = service.servers
        .filter(
          (server) =>
            server.settings.forwarding === MASQUERADING &&
            !isNotForwarded(server, sysctls, network),
        )
        .flatMap((server) =>
          groupsOf(connections, service, server, allServices).flatMap((group) =>
            failed.filter(
              (one) =>
                formatAddress(one.server) ===
                  formatAddress(server.key.address) &&
                clientsIn(group).some(
                  (client) => formatAddress(client) === formatAddress(one.to),
                ) &&
                counts(one, sysctls),
            ),
          ),
        );
      const [first] = ofIt;
      return first ? [findingOf(service, first, ofIt, facts)] : [];
    });
  },
);

/** Whether the director cannot send the answers of a server to any of the clients that wait. */
export function hasNoWay(
  { server, clients }: Pick<Silence, "server" | "clients">,
  { network, sysctls }: Known<"network" | "sysctls">,
): boolean {
  const failed = (network.failedAnswers ?? []).filter(
    (one) =>
      sameAddress(one.server, server.key.address) && counts(one, sysctls),
  );
  return (
    clients.length > 0 &&
    clients.every((client) => failed.some(({ to }) => sameAddress(to, client)))
  );
}

/** Whether the kernel looks for this route at all: the second time only with snat_reroute. */
function counts(
  { source, server }: Pick<FailedAnswer, "source" | "server">,
  sysctls: Sysctls,
): boolean {
  return (
    sameAddress(source, server) ||
    sysctlNumber(sysctls, "net/ipv4/vs/snat_reroute") !== 0
  );
}

const MOST_CLIENTS = 3;

function findingOf(
  service: ServiceWithServers,
  first: FailedAnswer,
  all: readonly FailedAnswer[],
  facts: Known<"table" | "network" | "sysctls">,
): Finding<"answers-unroutable"> {
  const { network } = facts;
  const ignored =
    first.barrier || first.failure !== "no route"
      ? undefined
      : ignoredRouters(first.to, facts);
  const clients = [...new Set(all.map(({ to }) => formatAddress(to)))];
  const some = clients.slice(0, MOST_CLIENTS).join(", ");
  const more =
    clients.length > MOST_CLIENTS
      ? ` and ${clients.length - MOST_CLIENTS} more`
      : "";
  const isUdp =
    !("firewallMark" in service.key) && service.key.protocol === UDP;
  const doubts = [
    ...(isForSome(first)
      ? ["it is no fault if somebody added this to ban these clients"]
      : []),
    ...((network.rules ?? []).some(({ mark }) => mark !== undefined)
      ? [
          "a routing rule of this machine looks at firewall marks: answers with such a mark may have another route",
        ]
      : []),
    ...(isUdp
      ? [
          "UDP has no states, so whether the clients wait for an answer is not known",
        ]
      : []),
  ];
  return {
    id: "answers-unroutable",
    ...ofService(service),
    seen: `clients ${some}${more} ${isUdp ? "have sent datagrams" : "wait in SYN_RECV"}, and answers to ${formatAddress(first.to)} from ${formatAddress(first.source)} lead nowhere: ${reasonOf(first)}`,
    ...(doubts.length > 0 ? { certainty: "likely" as const } : {}),
    evidence: [...(ignored ? [ignored.text] : []), ...doubts],
    next: [
      {
        command:
          first.source === first.server
            ? `ip route get ${formatAddress(first.to)} from ${formatAddress(first.source)} iif ${deviceOf(network, first.device)?.name ?? "INTERFACE"}`
            : `ip route get ${formatAddress(first.to)} from ${formatAddress(first.source)}`,
        effect: `changes nothing; shows what becomes of an answer of ${serviceName(service)}`,
      },
    ],
    fix: ignored ? [ignored.fix] : fixOf(first, network),
  };
}

/** Whether a rule or route concerns only some clients. */
function isForSome({ barrier }: FailedAnswer): boolean {
  if (!barrier) return false;
  const { rule, route } = barrier;
  return (
    (rule.to !== undefined && rule.to.bits > 0) ||
    (route !== undefined && route.prefixBits > 0)
  );
}

function reasonOf({ barrier, failure }: FailedAnswer): string {
  if (!barrier)
    return failure === "no route"
      ? "there is no route"
      : `the route: ${failure}`;
  const { rule, route } = barrier;
  if (!route)
    return `routing rule ${rule.priority} is of type ${String(rule.action)}`;
  const where =
    rule.table === MAIN
      ? "the route"
      : `routing rule ${rule.priority} leads to table ${rule.table}, whose route`;
  return `${where} to ${prefixOf(route)} is of type ${String(route.type)}`;
}

/** A route's destination as ip(8) takes it. */
function prefixOf({ target, prefixBits }: Route): string {
  return prefixBits === 0
    ? "default"
    : `${formatAddress(target)}/${prefixBits}`;
}

function fixOf(
  { barrier, failure, to }: FailedAnswer,
  network: Network,
): Fix[] {
  const ip = to.length === 4 ? "ip" : "ip -6";
  if (barrier) {
    const { rule, route } = barrier;
    const table = rule.table === MAIN ? "" : ` table ${rule.table}`;
    return [
      route
        ? {
            command: `${ip} route del ${String(route.type)} ${prefixOf(route)}${table}`,
            effect: `packets to ${prefixOf(route)} are routed by the routes that are left; if somebody added this route to ban clients, they are let in again`,
          }
        : {
            command: `${ip} rule del priority ${rule.priority} ${String(rule.action)}`,
            effect:
              "packets that this rule refuses are routed by the rules that are left; if somebody added it to ban clients, they are let in again",
          },
    ];
  }
  if (failure !== "no route") return [];
  const family = to.length === 4 ? 2 : 10;
  // With a default route, a routing rule is the cause, which is not known.
  const anywhere = network.ways.get(formatAddress(ANYWHERE[family]));
  return typeof anywhere === "object"
    ? []
    : [
        {
          command: `${ip} route add default via ROUTER`,
          effect:
            "ROUTER is the router to the clients, in a network of this machine; all packets without another route go there",
        },
      ];
}
