import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import {
  formatEndpoint,
  MASQUERADING,
  PERSISTENT,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { check, type Known } from "../../check.js";
import { addsAgain, changeCommand, ofServer } from "../../commands.js";
import { groupsOf, type ConnectionGroup } from "../../connections.js";
import type { Finding, Fix } from "../../finding.js";
import { describePlace } from "../../firewall/describe.js";
import type { Condition, NumberRange } from "../../firewall/ruleset.js";
import type { Place } from "../../firewall/walk.js";
import { makesMark, rulesThatMark } from "../marks/marking-rules.js";
import { isServing } from "../reach/reach.js";

type Facts = Known<"table" | "allServices" | "connections" | "firewall">;

/** A masqueraded server with one port in a service for several ports, or perhaps for several. */
interface FixedPort {
  readonly service: ServiceWithServers;
  readonly server: ServerEntry;
  /** The other ports of clients that go to this port, as far as they are known */
  readonly others: readonly NumberRange[];
  /** Whether all ports of the service that are known are among these: the port of the server is one of them */
  readonly isOneOfThem: boolean;
  /** Other servers of the service that keep the port of the request */
  readonly keeping: readonly ServerEntry[];
  /** How the ports are known. Sentences without a full stop */
  readonly evidence: readonly string[];
}

/** Servers with a fixed port in services by firewall mark that give other servers the port of the request. */
export const mergedPorts = check(
  ["ports-merged", "port-fixed"],
  ["table", "allServices", "connections", "firewall"],
  (facts) =>
    fixedPorts(facts).map((one): Finding<"ports-merged" | "port-fixed"> => {
      const { service, server, keeping, others, evidence } = one;
      const kept = keeping.map(({ key }) =>
        formatEndpoint(key.address, key.port),
      );
      const keeps = `; ${kept.slice(0, MOST_NAMES).join(", ")} ${kept.length === 1 ? "gets" : "get"} each request at the port that it is for`;
      return {
        id: isMerged(one) ? "ports-merged" : "port-fixed",
        ...ofServer(service, server),
        seen: `${others.length > 0 ? mergedText(server, others) : `every request goes to port ${server.key.port} of ${formatAddress(server.key.address)}, whatever port it is for`}${keeps}`,
        ...(isMerged(one) ? {} : { certainty: "likely" as const }),
        evidence,
        fix: fixOf(one),
        cure: cureOf(one),
      };
    }),
);

function cureOf(one: FixedPort): string {
  const commands = commandsOf(one).map(({ command }) => `'${command}'`);
  const steps = `${commands.join(", then ")}. New connections then keep their port, and those of the old entry end.`;
  return isMerged(one)
    ? `Let a program listen on ${formatAddress(one.server.key.address)} at the ports that clients use. Then ${steps}`
    : `If the service is for one port only, all is well. If not: ${steps}`;
}

/** Whether requests for a port go to another one at this server and not at others. */
function isMerged({ others }: FixedPort): boolean {
  return others.length > 0;
}

/** What is wrong with a connection that such a server gets at another port; undefined if nothing is. */
export function mergedConnection(
  facts: Facts,
  connection: {
    readonly server: Address;
    readonly serverPort: number;
    readonly virtualPort: number;
  },
): string | undefined {
  const { server, serverPort, virtualPort } = connection;
  if (virtualPort === serverPort) return undefined;
  const found = fixedPorts(facts).find(
    (one) =>
      isMerged(one) &&
      one.server.key.port === serverPort &&
      sameAddress(one.server.key.address, server) &&
      isAmong(virtualPort, one.others),
  );
  return (
    found &&
    `${mergedText(found.server, [[virtualPort, virtualPort]])}, while ${formatEndpoint(server, serverPort)} is in the service beside servers with port 0; 'ipvsadm doctor' prints the fix`
  );
}

/** `port 443 of clients goes to port 80 of 10.0.0.12` */
function mergedText(
  { key }: ServerEntry,
  others: readonly NumberRange[],
): string {
  const names = others
    .slice(0, MOST_NAMES)
    .map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`));
  const more = others.length > MOST_NAMES ? " and others" : "";
  const one = others.length === 1 && others[0]?.[0] === others[0]?.[1];
  return `${one ? "port" : "ports"} ${names.join(", ")}${more} of clients ${one ? "goes" : "go"} to port ${key.port} of ${formatAddress(key.address)}`;
}

const MOST_NAMES = 4;

/**
 * The masqueraded servers with a port of their own in services that have none. With persistence, IPVS keeps the port of the
 * request for such services.
 *
 * @see ip_vs_schedule() and ip_vs_sched_persist() in net/netfilter/ipvs/ip_vs_core.c
 */
function fixedPorts(facts: Facts): FixedPort[] {
  return facts.table.flatMap((service) => {
    const { key, settings, servers } = service;
    const hasPort = !("firewallMark" in key) && key.port !== 0;
    if (hasPort || settings.flags & PERSISTENT) return [];
    const masqueraded = servers.filter(
      (server) =>
        isServing(server) && server.settings.forwarding === MASQUERADING,
    );
    const fixed = masqueraded.filter((server) => server.key.port !== 0);
    if (fixed.length === 0) return [];
    const keeping = masqueraded.filter((server) => server.key.port === 0);
    // If all have a port of their own, a program handles every request there.
    if (keeping.length === 0) return [];
    const { ports, evidence } = portsOf(service, masqueraded, facts);
    const isSeveral =
      ports.length > 1 || ports.some(([first, last]) => first !== last);
    return fixed.map((server) => {
      const { port } = server.key;
      return {
        service,
        server,
        keeping,
        others: isSeveral
          ? ports.filter(([a, b]) => a !== port || a !== b)
          : [],
        isOneOfThem: isAmong(port, ports),
        evidence: isSeveral ? evidence : [],
      };
    });
  });
}

/** The ports of requests for a service, as far as they are known, and how. */
function portsOf(
  service: ServiceWithServers,
  servers: readonly ServerEntry[],
  facts: Facts,
): { ports: NumberRange[]; evidence: string[] } {
  const seen = servers
    .filter((server) => !isOfOtherMark(service, server, facts))
    .flatMap((server) => groupsWith(service, server, facts))
    .map(({ virtual, virtualPort, server, serverPort, protocol }) => ({
      port: virtualPort,
      text: `there are connections of ${protocol} ${formatEndpoint(virtual, virtualPort)} with ${formatEndpoint(server, serverPort)}`,
    }));
  const marked = markedPorts(service, facts);
  const ports = new Map<string, NumberRange>();
  for (const range of marked.flatMap(({ ranges }) => ranges))
    ports.set(range.join("-"), range);
  for (const { port } of seen)
    if (!isAmong(port, [...ports.values()]))
      ports.set(`${port}-${port}`, [port, port]);
  return {
    ports: [...ports.values()].sort(([a], [b]) => a - b),
    evidence: [
      ...marked.map(
        ({ place, ranges }) =>
          `${describePlace(place)}, sets the mark for ${ranges.length === 1 && ranges[0]?.[0] === ranges[0]?.[1] ? "port" : "ports"} ${ranges.map(([first, last]) => (first === last ? `${first}` : `${first}-${last}`)).join(", ")}`,
      ),
      ...new Set(seen.map(({ text }) => text)),
    ].slice(0, MOST_EVIDENCE),
  };
}

const MOST_EVIDENCE = 6;

/** The connections of a server. None if there are more than the kernel counts for it: others are left of a deleted service. */
function groupsWith(
  service: ServiceWithServers,
  server: ServerEntry,
  { connections, allServices }: Facts,
): ConnectionGroup[] {
  const groups = groupsOf(connections, service, server, allServices).filter(
    ({ virtualPort, serverPort }) =>
      server.key.port !== 0 || virtualPort === serverPort,
  );
  const entries = groups
    .flatMap(({ states }) => [...states.values()])
    .reduce((sum, { count }) => sum + count, 0);
  return entries > server.activeConnections + server.inactiveConnections
    ? []
    : groups;
}

/** Whether another service by firewall mark has the same server: connections do not tell their mark. */
function isOfOtherMark(
  service: ServiceWithServers,
  { key }: ServerEntry,
  { allServices }: Facts,
): boolean {
  return allServices.some(
    (other) =>
      "firewallMark" in other.key &&
      !isSameMark(other, service) &&
      other.servers.some((one) => sameAddress(one.key.address, key.address)),
  );
}

function isSameMark(
  { key }: ServiceWithServers,
  { key: other }: ServiceWithServers,
): boolean {
  return (
    "firewallMark" in key &&
    "firewallMark" in other &&
    key.firewallMark === other.firewallMark &&
    key.family === other.family
  );
}

/** The ports that rules name which set the mark of a service. */
function markedPorts(
  { key }: ServiceWithServers,
  { firewall }: Facts,
): { place: Place; ranges: readonly NumberRange[] }[] {
  if (!("firewallMark" in key)) return [];
  return rulesThatMark(firewall, key.family)
    .filter(
      ({ early, verdict }) =>
        early &&
        makesMark(verdict, key.firewallMark) &&
        verdict.does === "mark" &&
        verdict.value === key.firewallMark,
    )
    .flatMap((place) => {
      const ranges = place.conditions.flatMap(portsIn);
      return ranges.length > 0 ? [{ place, ranges }] : [];
    });
}

/** The destination ports that a condition demands. */
function portsIn(condition: Condition): readonly NumberRange[] {
  if (condition.about === "all") return condition.conditions.flatMap(portsIn);
  return condition.about === "port" && condition.end === "destination"
    ? condition.ranges
    : [];
}

function isAmong(port: number, ranges: readonly NumberRange[]): boolean {
  return ranges.some(([first, last]) => port >= first && port <= last);
}

/** Only if requests for the port of the server go there with port 0 as well. */
function fixOf(one: FixedPort): Fix[] {
  return isMerged(one) && one.isOneOfThem ? commandsOf(one) : [];
}

function commandsOf({ service, server }: FixedPort): Fix[] {
  const key = { ...server.key, port: 0 };
  const remains = service.servers.some(
    (other) =>
      other.key.port === 0 && sameAddress(other.key.address, key.address),
  );
  return [
    ...(remains
      ? []
      : [
          {
            command: addsAgain(service, { ...server, key }),
            effect: "its new connections keep the port of the request",
          },
        ]),
    {
      command: changeCommand({
        command: "delete-server",
        service: service.key,
        server: server.key,
      }),
      effect: `the connections of ${formatEndpoint(server.key.address, server.key.port)} end`,
    },
  ];
}
