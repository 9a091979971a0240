import { formatAddress, sameAddress } from "../../../ipvs/address.js";
import { formatEndpoint, MASQUERADING } from "../../../ipvs/model.js";
import type { ServerEntry, ServiceWithServers } from "../../../ipvs/model.js";
import { CONNECTION_STATES } from "../../../ipvs/connection-states.js";
import { serviceName } from "../../commands.js";
import { groupOfEntry } from "../../packets/director-groups.js";
import { deviceOf, nextHopTo } from "../../network.js";
import { sysctlNumber } from "../../sysctls.js";
import { OPENING, type SeenConnection } from "./connections.js";
import { lostAnswers, routeCommand } from "./lost-answers.js";
import { oneEntryText } from "./one-entry.js";
import { serverOf, serviceOf } from "./servers.js";
import { examineThere } from "../nat/examine-there.js";
import { mergedConnection } from "../table/merged-ports.js";
import { isPassive } from "../reach/reach.js";
import { NODEST } from "../machine/settings.js";
import { WAITING_SECONDS } from "../reach/silence.js";
import type { ClientSightings, TraceFacts, TraceStep } from "./trace-step.js";

/** Connections that began less than this before the end may still be answered. */
const PATIENCE_SECONDS = 1;

/** The connections that had a packet while the client was followed. */
export function usedConnections({
  connections,
}: Pick<ClientSightings, "connections">): SeenConnection[] {
  return connections.filter(({ use }) => use !== "idle");
}

/**
 * One step for each server to which the client sent packets meanwhile; one step if it sent none.
 *
 * @param judgedByPackets groups of entries whose fate packets show, so that nothing is concluded from their states
 */
export function entrySteps(
  facts: TraceFacts,
  sightings: ClientSightings,
  judgedByPackets: ReadonlySet<string> = new Set(),
): TraceStep[] {
  const groups = new Map<string, SeenConnection[]>();
  for (const one of sightings.connections) {
    const { protocol, virtual, virtualPort, server, serverPort } =
      one.connection;
    const name = `${protocol} ${formatEndpoint(virtual, virtualPort)} to ${formatEndpoint(server, serverPort)}`;
    groups.set(name, [...(groups.get(name) ?? []), one]);
  }
  const used = [...groups].filter(([, some]) =>
    some.some(({ use }) => use !== "idle"),
  );
  // Their packets are dropped before IPVS counts them, so they look idle.
  const lost = [...groups].flatMap(([name, some]) =>
    lostSteps(name, some, facts),
  );
  const steps = used
    .filter(([, some]) => !some.some((one) => isLost(one, facts)))
    .map(([name, some]) => {
      const [first] = some;
      const isJudged =
        first && judgedByPackets.has(groupOfEntry(first.connection));
      return entryStep(name, some, facts, sightings, isJudged);
    });
  return lost.length + steps.length === 0
    ? [nothingStep(facts, sightings)]
    : [...lost, ...steps];
}

/** Whether the kernel drops every packet of a connection, because its service does not have its server any more. */
function isLost(
  { connection }: SeenConnection,
  { allServices, sysctls, daemons }: TraceFacts,
): boolean {
  const service = serviceOf(allServices, connection);
  return (
    service !== undefined &&
    !serverOf(service, connection) &&
    CONNECTION_STATES.get(connection.state) === "open" &&
    sysctlNumber(sysctls, NODEST) === 0 &&
    !isPassive(daemons)
  );
}

const MOST_PORTS = 5;

/** The step of open connections with a server that was removed; none if there are none. */
function lostSteps(
  name: string,
  connections: readonly SeenConnection[],
  facts: TraceFacts,
): TraceStep[] {
  const lost = connections.filter((one) => isLost(one, facts));
  const [first] = lost;
  if (!first) return [];
  const { server, serverPort } = first.connection;
  const service = serviceOf(facts.allServices, first.connection);
  const by = service ? ` (service ${serviceName(service)})` : "";
  const ports = lost
    .map(({ connection }) => connection.clientPort)
    .sort((a, b) => a - b);
  const more = ports.length > MOST_PORTS ? " …" : "";
  return [
    {
      step: "entries",
      state: "stops",
      text: `${name}${by}: ${countsOf(lost)}; ${formatEndpoint(server, serverPort)} is not one of the service's real servers, and net.ipv4.vs.expire_nodest_conn is 0: every packet of these connections is dropped (client ports ${ports.slice(0, MOST_PORTS).join(", ")}${more}). "sysctl -w net.ipv4.vs.expire_nodest_conn=1" ends them with their next packet`,
    },
  ];
}

/** The step of connections with one server. New ones are judged apart from older ones, which perhaps began before the fault. */
function entryStep(
  name: string,
  connections: readonly SeenConnection[],
  facts: TraceFacts,
  sightings: ClientSightings,
  isJudged = false,
): TraceStep {
  const { client } = sightings;
  const { now, before } = byTime(connections);
  const [first] = connections;
  const service = first && serviceOf(facts.allServices, first.connection);
  const server = first && serverOf(service, first.connection);
  const judged = now.filter(
    ({ connection, stateSeconds }) =>
      connection.state !== OPENING || stateSeconds >= PATIENCE_SECONDS,
  );
  const states = statesOf(judged);
  const silence =
    first && !isAnswered(judged)
      ? silentNeighbor(first, server, facts)
      : undefined;
  const by = service ? ` (service ${serviceName(service)})` : "";
  const counts = now.length === 0 ? "no new connection" : countsOf(now);
  const older =
    before.length === 0 ? "" : ` (from before: ${olderText(before)})`;
  const text = `${name}${by}: ${counts}`;
  // Packets of the server are those of older connections, if these are in use.
  const mayBeLost = before.every(({ use }) => use === "idle");
  const lostAnswer =
    first && server && mayBeLost && isHalfOpen(states, judged.length)
      ? lostAnswers(first, server, facts, sightings)
      : undefined;
  const conclusion = lostAnswer ?? stopOf(states, judged.length, server);
  const why = silence ?? (isJudged ? undefined : conclusion);
  if (why !== undefined)
    return {
      step: "entries",
      state: "stops",
      text: `${text}; ${why}${older}`,
      next:
        silence === undefined &&
        service &&
        server &&
        isHalfOpen(states, judged.length)
          ? lostAnswer === undefined
            ? examineThere(service, server, facts, client)
            : routeCommand(first, client)
          : undefined,
    };
  if (server?.settings.weight === 0)
    return {
      step: "entries",
      state: "unknown",
      text: `${text}; the server is drained (weight 0), and each packet keeps the client there${older}`,
    };
  if (now.length > 0 && judged.length === 0)
    return {
      step: "entries",
      state: "unknown",
      text: `${text}; they began too late to see an answer: follow the client for longer (--for)${older}`,
    };
  const waiting = judged.filter(
    ({ connection, stateSeconds }) =>
      connection.state === OPENING && stateSeconds >= WAITING_SECONDS,
  ).length;
  if (isJudged && (conclusion !== undefined || waiting > 0))
    return { step: "entries", state: "unknown", text: `${text}${older}` };
  if (waiting > 0)
    return {
      step: "entries",
      state: "unknown",
      text: `${text}; ${waiting} of ${judged.length} ${waiting === 1 ? "waits" : "wait"} in ${OPENING}: some requests got no answer${older}`,
      next:
        service && server
          ? examineThere(service, server, facts, client)
          : undefined,
    };
  const merged = first && mergedConnection(facts, first.connection);
  if (merged !== undefined)
    return {
      step: "entries",
      state: "stops",
      text: `${text}; ${merged}${older}`,
    };
  const oneEntry =
    service &&
    server &&
    oneEntryText(connections, service, server, facts, sightings);
  const reason = oneEntry === undefined ? "" : `; ${oneEntry}`;
  return { step: "entries", state: "ok", text: `${text}${older}${reason}` };
}

/**
 * Which connections tell what happens to requests now: those that began meanwhile, and those that the client still tries to
 * open. If one that began meanwhile is confirmed, older ones that wait are left over: the server repeats its answers for
 * half a minute, and each of them looks like a packet of the client.
 */
function byTime(connections: readonly SeenConnection[]): {
  now: SeenConnection[];
  before: SeenConnection[];
} {
  const works = connections.some(
    (one) => one.use === "new" && isConfirmed(one),
  );
  const isNow = ({ use, connection }: SeenConnection) =>
    use === "new" || (use === "used" && connection.state === OPENING && !works);
  return {
    now: connections.filter(isNow),
    before: connections.filter((one) => !isNow(one)),
  };
}

function statesOf(connections: readonly SeenConnection[]): Map<string, number> {
  const states = new Map<string, number>();
  for (const { connection } of connections)
    states.set(connection.state, (states.get(connection.state) ?? 0) + 1);
  return states;
}

/** `2 ESTABLISHED, 1 FIN_WAIT` */
function countsOf(connections: readonly SeenConnection[]): string {
  const counts = Array.from(
    statesOf(connections),
    ([state, count]) => `${count} ${state}`,
  );
  return counts.join(", ");
}

/** `2 ESTABLISHED with packets, 1 FIN_WAIT without packets` */
function olderText(connections: readonly SeenConnection[]): string {
  const used = connections.filter(({ use }) => use !== "idle");
  const idle = connections.filter(({ use }) => use === "idle");
  return [
    ...(used.length > 0 ? [`${countsOf(used)} with packets`] : []),
    ...(idle.length > 0 ? [`${countsOf(idle)} without packets`] : []),
  ].join(", ");
}

/** Whether all connections wait for an answer. */
function isHalfOpen(states: ReadonlyMap<string, number>, all: number): boolean {
  return all > 0 && states.get(OPENING) === all;
}

/** Whether a client has confirmed a connection, or there is none to judge. */
function isAnswered(judged: readonly SeenConnection[]): boolean {
  return judged.length === 0 || judged.some(isConfirmed);
}

/** Whether a client has confirmed a connection: an answer has reached it. */
export function isConfirmed({
  connection: { state },
}: SeenConnection): boolean {
  return ["ESTABLISHED", "FIN_WAIT", "TIME_WAIT"].includes(state);
}

/** Why no packet goes to a server whose hardware address the director does not find; undefined if it finds it. */
function silentNeighbor(
  { connection }: SeenConnection,
  server: ServerEntry | undefined,
  { network }: TraceFacts,
): string | undefined {
  const hop = nextHopTo(network, connection.server);
  const neighbor = network.neighbors.find(
    ({ device, address }) =>
      device === hop?.device && sameAddress(address, hop.address),
  );
  if (!hop || !neighbor) return undefined;
  if (neighbor.state !== "failed" && neighbor.state !== "incomplete")
    return undefined;
  const name = deviceOf(network, hop.device)?.name ?? "INTERFACE";
  const asks = hop.address.length === 4 ? "ARP" : "neighbor discovery";
  const own =
    server?.settings.forwarding === MASQUERADING
      ? "; packets that are counted as out are then its own ICMP messages to the client (host unreachable)"
      : "";
  return `the requests do not leave the director: ${formatAddress(hop.address)} does not answer ${asks} on ${name} (neighbor ${neighbor.state.toUpperCase()})${own}. 'ipvsadm doctor' examines why`;
}

/** Why connections in these states do not get further; undefined if some do. */
function stopOf(
  states: ReadonlyMap<string, number>,
  all: number,
  server: ServerEntry | undefined,
): string | undefined {
  if (all > 0 && states.get("CLOSE") === all)
    return "each was reset: the server refuses, or the client gave up";
  if (!isHalfOpen(states, all)) return undefined;
  return server?.settings.forwarding === MASQUERADING
    ? "the director sent the requests to the server and saw no answer"
    : "the client never confirmed: the request did not reach the server, or its answer did not reach the client";
}

/** The client sent no packet that IPVS saw. */
function nothingStep(
  { table, daemons }: TraceFacts,
  { seconds, connections, after }: ClientSightings,
): TraceStep {
  const older = countsOf(connections);
  if (isPassive(daemons))
    return {
      step: "entries",
      state: older === "" ? "unknown" : "ok",
      text: `${older === "" ? "no connection of this client is known here" : `connections of this client are known here: ${older}`}. This machine is a backup: requests go to the active director, and their connections come by synchronization`,
    };
  const moved = movedServices(table, after);
  const seen =
    older === ""
      ? `no connection of this client in ${seconds} s`
      : `no packet of this client in ${seconds} s (from before: ${older})`;
  return {
    step: "entries",
    state: "unknown",
    text: `${seen}; ${
      moved.length === 0
        ? `no service got a packet either: the client sent nothing, or it did not reach IPVS${table.some(({ key }) => "firewallMark" in key) ? ", or it did not get a service's mark" : ""}`
        : `packets of other clients reached ${moved.join(", ")}`
    }`,
  };
}

/** The services that got packets meanwhile. */
export function movedServices(
  before: readonly ServiceWithServers[],
  after: readonly ServiceWithServers[],
): string[] {
  return before.flatMap((service) => {
    const later = after.find(
      (one) => serviceName(one) === serviceName(service),
    );
    return later && later.stats.inPackets > service.stats.inPackets
      ? [serviceName(service)]
      : [];
  });
}
