import {
  formatEndpoint,
  MASQUERADING,
  TCP,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { check, type Known } from "../../check.js";
import { ofServer } from "../../commands.js";
import type { Facts } from "../../facts.js";
import type { Certainty, Finding } from "../../finding.js";
import { groupsOf, openCount } from "../../connections.js";
import { nextHopTo } from "../../network.js";
import { isDrainedInUse } from "./drained-in-use.js";
import { perhapsNotTcp } from "../marks/protocol.js";
import { examineThere, PROBE } from "../nat/examine-there.js";
import { isUdp, probeEvidence } from "./probe.js";
import { isSilent } from "../reach/reach.js";
import { removeServer } from "./remove.js";
import { servedTraffic } from "./served-traffic.js";
import { releasesTemplates, releaseTemplates } from "../reach/take-out.js";

type DrainedFacts = Facts &
  Known<
    "table" | "allServices" | "network" | "stations" | "connections" | "sysctls"
  >;

type Id = "drained-server-dead" | "drained-server-used";

/** Drained servers that still get packets: dead ones, and those to which datagrams of the same clients go for ever. */
export const drainedServers = check(
  ["drained-server-dead", "drained-server-used"],
  ["table", "allServices", "network", "stations", "connections", "sysctls"],
  (facts) =>
    facts.table.flatMap((service) =>
      service.servers.flatMap((server) => findingsOf(service, server, facts)),
    ),
);

/** How many connections go on: those that are open, not those that begin or end. */
function openConnections(
  service: ServiceWithServers,
  server: ServerEntry,
  { connections, allServices }: DrainedFacts,
): number {
  return groupsOf(connections, service, server, allServices).reduce(
    (sum, group) => sum + openCount(group),
    0,
  );
}

function findingsOf(
  service: ServiceWithServers,
  server: ServerEntry,
  facts: DrainedFacts,
): Finding<Id>[] {
  const { connections, sysctls, probes = [] } = facts;
  if (!isDrainedInUse(service, server)) return [];
  const count = openConnections(service, server, facts);
  const { address, port } = server.key;
  const templates = releasesTemplates(sysctls)
    ? 0
    : (connections.templates.get(formatEndpoint(address, port)) ?? 0);
  if (count === 0 && templates === 0) return [];
  const death = deathOf(service, server, count, facts);
  if (!death) return isUdp(service) ? used(service, server, count) : [];
  const bound = [
    ...(count > 0
      ? [`${count} open ${count === 1 ? "connection" : "connections"}`]
      : []),
    ...(templates > 0
      ? [
          `${templates} persistence ${templates === 1 ? "template" : "templates"}`,
        ]
      : []),
  ].join(" and ");
  const proven = death.certainty === "proven";
  return [
    {
      id: "drained-server-dead",
      ...ofServer(service, server),
      seen: `its weight is 0, it still has ${bound}, and ${death.seen}`,
      certainty: death.certainty,
      evidence: [
        ...death.evidence,
        "each packet of a client renews its entry, so this does not end by itself",
      ],
      next: proven
        ? []
        : [
            examineThere(service, server, facts),
            ...(probes.some((one) => one.server === server) ? [] : [PROBE]),
          ],
      cure: proven
        ? undefined
        : count === 0
          ? "Make sure first with the commands under Next. If the server is dead or switched off, set net.ipv4.vs.expire_quiescent_template to 1: persistence then gives its clients another server."
          : "Make sure first with the commands under Next. If the server is dead, set net.ipv4.vs.expire_nodest_conn to 1 and remove it from the service: the next packet of each connection gets another server.",
      fix: !proven
        ? []
        : count === 0
          ? [releaseTemplates()]
          : removeServer(service, server, sysctls),
    },
  ];
}

/** What says that a server is dead. */
interface Death {
  readonly seen: string;
  readonly certainty: Certainty;
  readonly evidence: readonly string[];
}

/** @param count how many of its connections are open */
function deathOf(
  service: ServiceWithServers,
  server: ServerEntry,
  count: number,
  facts: DrainedFacts,
): Death | undefined {
  const { network, stations, probes = [] } = facts;
  const hop = nextHopTo(network, server.key.address);
  if (hop && isSilent(network, stations, hop))
    return {
      seen: "it does not answer ARP or neighbor discovery",
      certainty: "proven",
      evidence: [],
    };
  if (server.settings.forwarding !== MASQUERADING) return undefined;
  const probe = probes.find((one) => one.server === server);
  const refused =
    probe?.result === "refused" ? probeEvidence(probe) : undefined;
  const doubt =
    refused === undefined ? undefined : perhapsNotTcp(service, facts);
  // A TCP program that drains closes its listener, and serves its open connections to the end.
  const refusesAll = isUdp(service)
    ? servedTraffic(service, server) === undefined
    : count === 0 && doubt === undefined;
  if (refused !== undefined && refusesAll)
    return { seen: refused, certainty: "proven", evidence: [] };
  if (probe?.result === "accepted" || probe?.result === "answered")
    return undefined;
  const reset = resets(service, server, facts);
  if (reset !== undefined)
    return { seen: reset, certainty: "likely", evidence: [] };
  const { inPacketsPerSecond, outPacketsPerSecond } = server.stats;
  if (inPacketsPerSecond === 0n || outPacketsPerSecond > 0n) return undefined;
  const answering = answeringServer(service);
  if (!isTcp(service) && !answering) return undefined;
  return {
    seen: `it gets ${inPacketsPerSecond} packets per second and answers none`,
    certainty: "likely",
    evidence: [
      ...(refused === undefined ? [] : [refused]),
      ...(doubt === undefined ? [] : [doubt]),
      ...(isTcp(service) || !answering
        ? []
        : [
            `answers are usual in this service: ${formatEndpoint(answering.key.address, answering.key.port)} got ${answering.stats.inPackets} packets and sent ${answering.stats.outPackets}`,
          ]),
    ],
  };
}

/** How long an entry stays in CLOSE and in TIME_WAIT. @see tcp_timeouts of ip_vs_proto_tcp.c */
const CLOSE_SECONDS = 10;
const TIME_WAIT_SECONDS = 120;
/** A single one can be a client that gave up. */
const FEWEST_RESETS = 2;
const SETTLED: ReadonlySet<string> = new Set(["CLOSE", "TIME_WAIT"]);

/** Says that all connections that ended of late were reset, and none is open; undefined if not. */
function resets(
  service: ServiceWithServers,
  server: ServerEntry,
  { connections, allServices }: DrainedFacts,
): string | undefined {
  let resetCount = 0;
  for (const { protocol, states } of groupsOf(
    connections,
    service,
    server,
    allServices,
  )) {
    if (protocol !== "TCP") return undefined;
    if (!Array.from(states.keys()).every((state) => SETTLED.has(state)))
      return undefined;
    const ended = states.get("TIME_WAIT")?.longestSeconds ?? 0;
    if (ended > TIME_WAIT_SECONDS - CLOSE_SECONDS) return undefined;
    resetCount += states.get("CLOSE")?.count ?? 0;
  }
  return resetCount < FEWEST_RESETS
    ? undefined
    : `each of its ${resetCount} connections of the last ${CLOSE_SECONDS} seconds was reset (CLOSE)`;
}

function isTcp({ key }: ServiceWithServers): boolean {
  return "protocol" in key && key.protocol === TCP;
}

/** Fewer answers can be refusals, which ICMP sends now and then. */
const FEWEST_ANSWERS = 0.1;

/** A server of the service that answers. Protocols such as syslog and statsd have no answers at all. */
function answeringServer({
  servers,
}: ServiceWithServers): ServerEntry | undefined {
  return servers.find(
    ({ stats: { inPackets, outPackets } }) =>
      outPackets > 0n &&
      Number(outPackets) >= Number(inPackets) * FEWEST_ANSWERS,
  );
}

/** UDP has no end of a connection: a client that keeps its port keeps its server. */
function used(
  service: ServiceWithServers,
  server: ServerEntry,
  count: number,
): Finding<Id>[] {
  if (count === 0) return [];
  const { inPackets, outPackets } = server.stats;
  const masqueraded = server.settings.forwarding === MASQUERADING;
  return [
    {
      id: "drained-server-used",
      ...ofServer(service, server),
      seen: `its weight is 0, and ${count} UDP ${count === 1 ? "client stays" : "clients stay"} with it as long as ${count === 1 ? "it keeps its port" : "they keep their ports"}`,
      evidence: masqueraded
        ? [
            `since it was added it got ${inPackets} packets and sent ${outPackets}; ${
              outPackets === 0n
                ? "that is usual where no answers are expected (syslog, statsd), otherwise the server is perhaps dead"
                : "ICMP messages that refuse a request also count as sent"
            }`,
          ]
        : [],
      next: masqueraded ? [PROBE] : [],
      fix: [],
    },
  ];
}
