import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../ipvs/address.js";
import type { Connection } from "../../ipvs/connections.js";
import type { Device } from "../../rtnl/model.js";
import type { HalfFlow } from "./half-flow.js";
import { legOf, withoutLowerInterfaces, type Leg } from "./legs.js";
import { formatEndpoint } from "../../ipvs/model.js";
import { protocolName } from "./packet-fact.js";
import { flowKey } from "./sightings.js";

/** A connection of a client through the director, as its packets show it. */
export interface DirectorFlow {
  readonly protocol: number;
  readonly clientPort: number;
  readonly virtual: Address;
  readonly virtualPort: number;
  /** The real server, if an entry or a packet shows it */
  readonly server: Address | undefined;
  readonly serverPort: number;
  /** IPVS has an entry for it */
  readonly hasEntry: boolean;
  readonly requestsIn: Leg;
  readonly requestsOut: Leg;
  readonly answersIn: Leg;
  readonly answersOut: Leg;
  /** Answers that leave with the server's address */
  readonly untranslated: Leg;
  /** Answers that come from another address than the server's */
  readonly strangers: Leg;
}

/** What is known besides the packets */
export interface FlowFacts {
  readonly client: Address;
  readonly devices: readonly Device[];
  readonly connections: readonly Connection[];
}

/** Puts the half-flows of a client together: requests that came in, and what belongs to them. */
export function directorFlows(
  halfFlows: readonly HalfFlow[],
  facts: FlowFacts,
): DirectorFlow[] {
  const entries = entriesByPort(facts.connections);
  const hidden = hiddenFlows(halfFlows, facts.client);
  return Array.from(byClientPort(halfFlows, facts.client)).flatMap(
    ([key, some]) => {
      const { client } = facts;
      // A port scan has many targets, so these are chosen once for all of them.
      const requests = some.filter((one) => isRequestIn(one, client));
      const leaving = some.filter(
        (one) => one.direction === "out" && sameAddress(one.source, client),
      );
      const answers = some.filter(
        (one) => !one.outer && !sameAddress(one.source, client),
      );
      const targets = new Map(
        requests.map((one) => [flowKey(one.target, one.targetPort), one]),
      );
      return Array.from(targets.values(), (first) =>
        flowTo(first, {
          ...facts,
          requests,
          leaving,
          answers,
          entry: entries
            .get(key)
            ?.find(
              (one) =>
                one.virtualPort === first.targetPort &&
                sameAddress(one.virtual, first.target),
            ),
          targets,
          hidden: hidden.get(key) ?? [],
        }),
      );
    },
  );
}

function entriesByPort(
  connections: readonly Connection[],
): Map<string, Connection[]> {
  const found = new Map<string, Connection[]>();
  for (const one of connections) {
    const key = `${one.protocol} ${one.clientPort}`;
    found.set(key, [...(found.get(key) ?? []), one]);
  }
  return found;
}

function isRequestIn(one: HalfFlow, client: Address): boolean {
  return (
    one.direction === "in" && !one.outer && sameAddress(one.source, client)
  );
}

function byClientPort(
  halfFlows: readonly HalfFlow[],
  client: Address,
): Map<string, HalfFlow[]> {
  const found = new Map<string, HalfFlow[]>();
  for (const one of halfFlows) {
    const port = sameAddress(one.source, client)
      ? one.sourcePort
      : sameAddress(one.target, client)
        ? one.targetPort
        : undefined;
    if (port === undefined) continue;
    const key = `${protocolName(one.protocol)} ${port}`;
    const some = found.get(key);
    if (some) some.push(one);
    else found.set(key, [one]);
  }
  return found;
}

/** Half-flows without the client's address, by either port: a rule perhaps has replaced it and kept the port. */
function hiddenFlows(
  halfFlows: readonly HalfFlow[],
  client: Address,
): Map<string, HalfFlow[]> {
  const found = new Map<string, HalfFlow[]>();
  for (const one of halfFlows) {
    if (sameAddress(one.source, client) || sameAddress(one.target, client))
      continue;
    const port = one.direction === "out" ? one.sourcePort : one.targetPort;
    const key = `${protocolName(one.protocol)} ${port}`;
    found.set(key, [...(found.get(key) ?? []), one]);
  }
  return found;
}

interface Surroundings extends FlowFacts {
  readonly entry: Connection | undefined;
  /** The half-flows of the client's port: requests that come in, what leaves with the client's address, and what goes to it */
  readonly requests: readonly HalfFlow[];
  readonly leaving: readonly HalfFlow[];
  readonly answers: readonly HalfFlow[];
  readonly targets: ReadonlyMap<string, HalfFlow>;
  readonly hidden: readonly HalfFlow[];
}

function flowTo(
  { protocol, sourcePort: clientPort, target, targetPort }: HalfFlow,
  { devices, entry, requests, leaving, answers, targets, hidden }: Surroundings,
): DirectorFlow {
  const isVirtual = (address: Address, port: number) =>
    port === targetPort && sameAddress(address, target);
  const tunneled = leaving.filter(
    (one) => one.outer && isVirtual(one.target, one.targetPort),
  );
  const unchanged = leaving.filter(
    (one) => !one.outer && isVirtual(one.target, one.targetPort),
  );
  const translated = leaving.filter(
    (one) =>
      !one.outer &&
      (entry
        ? one.targetPort === entry.serverPort &&
          sameAddress(one.target, entry.server) &&
          !isVirtual(one.target, one.targetPort)
        : targets.size === 1 &&
          !targets.has(flowKey(one.target, one.targetPort))),
  );
  const server =
    entry?.server ?? tunneled[0]?.outer?.target ?? translated[0]?.target;
  const serverPort =
    entry?.serverPort ?? translated[0]?.targetPort ?? targetPort;
  const isServers = (address: Address, port: number) =>
    server !== undefined && port === serverPort && sameAddress(address, server);
  const pick = (flows: readonly HalfFlow[]) =>
    legOf(withoutLowerInterfaces(flows, devices));
  const own = pick([...tunneled, ...unchanged, ...translated]);
  const replaced = hidden.filter((one) =>
    isServers(one.target, one.targetPort),
  );
  const backToReplaced = hidden.filter((one) =>
    isServers(one.source, one.sourcePort),
  );
  const isHidden = own.packets === 0 && replaced.length > 0;
  const fromServer = answers.filter((one) =>
    isServers(one.source, one.sourcePort),
  );
  const fromVirtual = answers.filter((one) =>
    isVirtual(one.source, one.sourcePort),
  );
  const incoming = (flows: readonly HalfFlow[]) =>
    flows.filter(({ direction }) => direction === "in");
  const outgoing = (flows: readonly HalfFlow[]) =>
    flows.filter(({ direction }) => direction === "out");
  const isSame = server !== undefined && isVirtual(server, serverPort);
  return {
    protocol,
    clientPort,
    virtual: target,
    virtualPort: targetPort,
    server,
    serverPort,
    hasEntry: entry !== undefined,
    requestsIn: pick(
      requests.filter((one) => isVirtual(one.target, one.targetPort)),
    ),
    requestsOut: isHidden ? pick(outgoing(replaced)) : own,
    answersIn: isHidden
      ? pick(incoming(backToReplaced))
      : pick(incoming(isSame ? fromServer : [...fromServer, ...fromVirtual])),
    answersOut: pick(outgoing(fromVirtual)),
    untranslated: isSame ? legOf([]) : pick(outgoing(fromServer)),
    strangers: pick(
      incoming(answers).filter(
        (one) =>
          !isServers(one.source, one.sourcePort) &&
          !targets.has(flowKey(one.source, one.sourcePort)),
      ),
    ),
  };
}

/** `TCP 192.0.2.1:80` of an entry, by which flows and entries are compared. */
export function groupName(
  protocol: string,
  virtual: Address,
  virtualPort: number,
  server: Address | undefined,
  serverPort: number,
): string {
  const there = server ? `${formatAddress(server)} ${serverPort}` : "";
  return `${protocol} ${formatAddress(virtual)} ${virtualPort} ${there}`;
}

export function serverText({ server, serverPort }: DirectorFlow): string {
  return server ? formatEndpoint(server, serverPort) : "the server";
}

/** When another connection of the client was answered, and when it confirmed the answer. */
export function laterSuccess(
  flow: Pick<DirectorFlow, "requestsIn" | "answersIn">,
  others: readonly Pick<DirectorFlow, "requestsIn" | "answersIn">[],
): { answeredLater: () => number; confirmedLater: () => number } {
  const latest = (
    of: (one: Pick<DirectorFlow, "requestsIn" | "answersIn">) => number,
  ) =>
    others.reduce(
      (time, one) => (one === flow ? time : Math.max(time, of(one))),
      0,
    );
  return {
    answeredLater: () => latest(({ answersIn }) => answersIn.last),
    confirmedLater: () =>
      latest(({ requestsIn: { tcp } }) =>
        tcp && tcp.opens.count > 0 ? tcp.confirms.last : 0,
      ),
  };
}
