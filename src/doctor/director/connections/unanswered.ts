import { formatAddress } from "../../../ipvs/address.js";
import {
  DIRECT_ROUTING,
  formatEndpoint,
  MASQUERADING,
  TUNNELING,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { formatHardwareAddress } from "../../../rtnl/model.js";
import { check, type Known } from "../../check.js";
import { ofServer } from "../../commands.js";
import { groupsOf } from "../../connections.js";
import type { Finding } from "../../finding.js";
import { describePlace } from "../../firewall/describe.js";
import { walk } from "../../firewall/walk.js";
import { nextHopTo } from "../../network.js";
import { sysctlNumber } from "../../sysctls.js";
import { hasNoWay } from "../ways/answer-routes.js";
import { isDiverted } from "../ways/answer-rules.js";
import {
  besideClients,
  possibleTranslations,
  type translations,
} from "../nat/beside-clients.js";
import { blockagesOf, type Blockage } from "../firewall/blockages.js";
import { flowsOf, type FlowFacts } from "../firewall/flows.js";
import type { Ruleset } from "../../firewall/ruleset.js";
import { examineThere } from "../nat/examine-there.js";
import { hasFixedNeighbor } from "../ways/fixed-neighbors.js";
import { isNotForwarded } from "../machine/forwarding.js";
import { isOnLoopback } from "../table/local-servers.js";
import { hasBalancedAgain } from "../sync/backups.js";
import { countedAnswers, countedText } from "../reach/counted-answers.js";
import { wayCommands, wayEvidence } from "./answer-way.js";
import { directorEvidence, partialSilences } from "./second-director.js";
import { interfaceDown } from "../reach/reach.js";
import { followsRedirects } from "../nat/redirects.js";
import {
  ageEvidence,
  ANSWERED,
  answeringMeanwhile,
  silences,
  type Silence,
} from "../reach/silence.js";
import { lostSource } from "../nat/snat-address.js";
import { deliveringRouters, isAstray } from "../ways/stray-routes.js";
import { tunnelErrors, tunnelPackets } from "./tunnel-errors.js";
import { isSentFromVirtual, virtualSource } from "../ways/tunnel-source.js";
import { isSnatUnseen } from "../nat/unseen-snat.js";

type Id =
  | "nat-unanswered"
  | "answers-unconfirmed"
  | "direct-unanswered"
  | "tunnel-unanswered";

const ID_OF: ReadonlyMap<number, Id> = new Map([
  [MASQUERADING, "nat-unanswered"],
  [DIRECT_ROUTING, "direct-unanswered"],
  [TUNNELING, "tunnel-unanswered"],
]);

/** Real servers whose connections all stay half open, for no reason that the director can see. */
export const unanswered = check(
  [
    "nat-unanswered",
    "answers-unconfirmed",
    "direct-unanswered",
    "tunnel-unanswered",
  ],
  [
    "table",
    "allServices",
    "network",
    "stations",
    "connections",
    "timeouts",
    "sysctls",
    "firewall",
  ],
  (facts) => {
    const blockages = oncePerService(facts);
    const stationNames = hopsByHardware(facts);
    const silent = silences(facts);
    const delivering = deliveringRouters(facts, silent);
    const partial = partialSilences(facts).filter(
      ({ service, server }) =>
        !silent.some((one) => one.service === service && one.server === server),
    );
    return [...silent, ...partial].flatMap((silence): Finding<Id>[] => {
      const { service, server, clients } = silence;
      const method = ID_OF.get(server.settings.forwarding);
      if (method === undefined || besideClients(silence, facts)) return [];
      if (hasBalancedAgain(service, facts)) return [];
      if (isNotForwarded(server, facts.sysctls, facts.network)) return [];
      if (isOnLoopback(server) || interfaceDown(facts.network, server))
        return [];
      if (hasNoWay(silence, facts)) return [];
      if (hasFixedNeighbor(facts, server, clients)) return [];
      if (isAstray(silence, facts, delivering)) return [];
      const stops = blockages(service).filter(
        ({ flow }) => (flow.server ?? server) === server,
      );
      // The rule that translates the source is reported as the cause.
      if (lostSource(service, server, facts)) return [];
      if (isSnatUnseen(silence, facts)) return [];
      // The routing rule is reported as the cause.
      if (isDiverted(silence, facts)) return [];
      // The redirects are reported as the cause.
      if (followsRedirects(server, facts)) return [];
      // The source is reported as the cause.
      if (isSentFromVirtual(server, facts.allServices, facts.network))
        return [];
      // The rule is reported as the cause.
      if (stops.some(({ stop }) => stop.certain)) return [];
      const counted = countedAnswers(silence, facts);
      const id = counted?.are === "answers" ? "answers-unconfirmed" : method;
      return [
        {
          id,
          ...ofServer(service, server),
          seen: seenOf(silence),
          certainty: "likely",
          evidence: [
            ...stops.map(
              ({ flow, stop }) =>
                `${describePlace(stop)}, perhaps ${stop.does}s ${flow.text}: doctor cannot judge all of its conditions`,
            ),
            ...(counted && counted.are !== "none"
              ? [countedText(silence, counted)]
              : []),
            ...untrackedEvidence(silence, facts),
            ...wayEvidence(silence, facts, id),
            ...errorEvidence(service, server),
            ...sourceEvidence(server, facts),
            ...twinEvidence(server, facts, stationNames),
            ...clientEvidence(silence, facts),
            ...othersEvidence(answeringMeanwhile(service, server, facts)),
            ...directorEvidence(service, server, facts),
            ...ageEvidence(silence),
          ],
          ...(counted?.are === "errors"
            ? {
                why: "With masquerading (NAT) answers must come back through the director. Here packets come back, and each is as large as an ICMP message that contains a request: a firewall on the real server, or a router in between, rejects the requests.",
              }
            : {}),
          next:
            id === "answers-unconfirmed"
              ? wayCommands(silence, facts)
              : [examineThere(service, server, facts, clients[0])],
          ...(id === "tunnel-unanswered"
            ? {
                cure: `Run each command above on its server: it checks all of that. If it finds nothing there, let the firewalls in between pass ${tunnelPackets(service, server)}. A router on the way of the answers also drops them if its firewall did not see the requests, or by rp_filter.`,
              }
            : {}),
          fix: [],
        },
      ];
    });
  },
);

function seenOf(silence: Silence & { readonly answered?: number }): string {
  const { count, answered } = silence;
  if (answered !== undefined)
    return `${count} connections wait in SYN_RECV, and ${answered} beside them ${answered === 1 ? "was" : "were"} answered`;
  return count === 1
    ? "1 connection waits in SYN_RECV, and none has got further since it began"
    : `${count} connections wait in SYN_RECV, and none has got further since the first of them began`;
}

/** The firewall rules that stop a service. Each service is walked once, and not again for each of its servers. */
function oncePerService(
  facts: FlowFacts & { readonly firewall: Ruleset },
): (service: ServiceWithServers) => readonly Blockage[] {
  const known = new Map<ServiceWithServers, readonly Blockage[]>();
  return (service) => {
    const found =
      known.get(service) ?? blockagesOf(service, facts, facts.firewall);
    known.set(service, found);
    return found;
  };
}

/** A rule that takes requests out of connection tracking, so that a rule with SNAT does not see them. */
function untrackedEvidence(
  { service, server, clients: [client] }: Silence,
  facts: Parameters<typeof translations>[2],
): string[] {
  if (server.settings.forwarding !== MASQUERADING) return [];
  if (sysctlNumber(facts.sysctls, "net/ipv4/vs/conntrack") !== 1) return [];
  const [snat] = possibleTranslations(service, server, facts, client);
  if (!snat) return [];
  const [rule] = flowsOf(service, facts, client)
    .filter(({ what }) => what === "requests")
    .flatMap(({ stages }) => stages)
    .filter(({ hook }) => hook === "prerouting")
    .flatMap(({ packets }) => packets)
    .flatMap(
      (packet) => walk(facts.firewall, "prerouting", packet).untrackedBy,
    );
  return rule
    ? [
        `${describePlace(rule)}, takes requests out of connection tracking, so this rule does not give them the director's address: ${describePlace(snat)}. Without it the server answers the clients' own addresses: remove the first rule, or exempt the service from it`,
      ]
    : [];
}

/** ICMP errors show that the server got the tunnel's packets, or that a firewall rejects them. */
function errorEvidence(
  service: ServiceWithServers,
  server: ServerEntry,
): string[] {
  const { outPackets } = server.stats;
  const errors = tunnelErrors(service, server, server.stats);
  if (errors === undefined) return [];
  const packets = outPackets === 1n ? "1 packet" : `${outPackets} packets`;
  const { address, port } = server.key;
  return [
    `counters of ${formatEndpoint(address, port)} since it was added: ${packets} out; ${errors}`,
  ];
}

/** @param others servers of the service that have answered meanwhile */
function othersEvidence(others: readonly ServerEntry[]): string[] {
  if (others.length === 0) return [];
  const names = others
    .slice(0, MOST_SERVERS)
    .map(({ key }) => formatEndpoint(key.address, key.port));
  return [
    `meanwhile ${names.join(", ")} answered connections of the same service`,
  ];
}

const MOST_SERVERS = 3;
const MOST_CLIENTS = 3;

/** Which clients wait, if others were answered. */
function clientEvidence(
  { service, server, clients }: Silence,
  { connections, allServices }: Known<"connections" | "allServices">,
): string[] {
  const groups = groupsOf(connections, service, server, allServices);
  const waiting = new Set(clients.map(formatAddress));
  const others = groups.flatMap((group) =>
    [...group.states.keys()].some((state) => ANSWERED.has(state))
      ? group.clients.map(formatAddress).filter((one) => !waiting.has(one))
      : [],
  );
  const some = [...waiting].slice(0, MOST_CLIENTS);
  return others.length === 0 || some.length === 0
    ? []
    : [
        `the requests of ${some.join(", ")} wait; this server answered ${[...new Set(others)].slice(0, MOST_CLIENTS).join(", ")} before`,
      ];
}

/** Another server with the hardware address of this one, as a copy of a virtual machine has it. */
function twinEvidence(
  server: ServerEntry,
  { network, stations }: Known<"network" | "stations">,
  stationNames: ReadonlyMap<string, readonly string[]>,
): string[] {
  const hop = nextHopTo(network, server.key.address);
  if (!hop) return [];
  const name = formatAddress(hop.address);
  const at = stations.nextHops.get(name);
  if (!at) return [];
  const text = formatHardwareAddress(at);
  const twin = stationNames.get(text)?.find((other) => other !== name);
  return twin === undefined
    ? []
    : [
        `${name} and ${twin} have the same hardware address, ${text}: unless they are one machine, or a router or a cloud answers ARP for both, one of them is a copy (a cloned virtual machine): give it another hardware address`,
      ];
}

/** The servers and routers to servers that answered, by their hardware addresses. */
function hopsByHardware({
  table,
  network,
  stations,
}: Known<"table" | "network" | "stations">): Map<string, string[]> {
  const names = new Set<string>();
  for (const { servers } of table)
    for (const { key } of servers) {
      const hop = nextHopTo(network, key.address);
      if (hop) names.add(formatAddress(hop.address));
    }
  const found = new Map<string, string[]>();
  for (const name of names) {
    const at = stations.nextHops.get(name);
    if (!at) continue;
    const text = formatHardwareAddress(at);
    const some = found.get(text);
    if (some) some.push(name);
    else found.set(text, [name]);
  }
  return found;
}

/** With IPv4 the server decides by accept_local whether it takes such packets. */
function sourceEvidence(
  server: ServerEntry,
  { allServices, network }: Known<"allServices" | "network">,
): string[] {
  const source = virtualSource(server, allServices, network);
  return source?.length === 4
    ? [
        `the tunnel's packets come from the virtual address ${formatAddress(source)}, which the server has as well: it drops them unless accept_local is 1 there`,
      ]
    : [];
}
