import { formatAddress } from "../../../ipvs/address.js";
import {
  formatEndpoint,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { check, type Known } from "../../check.js";
import { ofService, serviceName } from "../../commands.js";
import { groupsOf } from "../../connections.js";
import type { Facts as AllFacts } from "../../facts.js";
import type { Finding } from "../../finding.js";
import { describePlace } from "../../firewall/describe.js";
import type { Place } from "../../firewall/walk.js";
import { CONNTRACK, sysctlNumber } from "../../sysctls.js";
import { besideClients } from "./beside-clients.js";
import { blockagesOf } from "../firewall/blockages.js";
import { examineThere } from "./examine-there.js";
import { isNotForwarded } from "../machine/forwarding.js";
import { isServing } from "../reach/reach.js";
import { trackConnections } from "../machine/settings.js";
import { ANSWERED, silences, type Silence } from "../reach/silence.js";
import { sourceOfRule, unseenRules } from "./snat-address.js";

type Facts = AllFacts &
  Known<
    | "table"
    | "allServices"
    | "network"
    | "stations"
    | "connections"
    | "timeouts"
    | "sysctls"
    | "firewall"
  >;

/** Services that wait for answers, and whose SNAT rule does not see the requests. */
export const unseenSnat = check(
  ["snat-unseen"],
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
    const found = new Map<ServiceWithServers, Silence[]>();
    for (const silence of silences(facts))
      if (isSnatUnseen(silence, facts))
        found.set(silence.service, [
          ...(found.get(silence.service) ?? []),
          silence,
        ]);
    return Array.from(found, ([service, some]) =>
      findingOf(service, some, facts),
    );
  },
);

/** Whether connections to a server wait because its SNAT rule does not see them. */
export function isSnatUnseen(
  silence: Silence,
  facts: Omit<Facts, "timeouts" | "stations">,
): boolean {
  const { service, server, clients } = silence;
  if (isNotForwarded(server, facts.sysctls, facts.network)) return false;
  if (besideClients(silence, facts)) return false;
  if (unseenRules(service, server, facts, clients[0]).length === 0)
    return false;
  // A rule that stops the traffic is reported as the cause.
  return !blockagesOf(service, facts, facts.firewall).some(
    ({ flow, stop }) => stop.certain && (flow.server ?? server) === server,
  );
}

function findingOf(
  service: ServiceWithServers,
  some: readonly Silence[],
  facts: Facts,
): Finding<"snat-unseen"> {
  const rules = new Map<string, Place>();
  const sources = new Set<string>();
  for (const { server, clients } of some)
    for (const rule of unseenRules(service, server, facts, clients[0]).slice(
      0,
      1,
    )) {
      rules.set(describePlace(rule), rule);
      const source = sourceOfRule(rule, server, facts.network);
      if (source) sources.add(formatAddress(source));
    }
  const count = some.reduce((sum, silence) => sum + silence.count, 0);
  const servers = some.map(({ server: { key } }) =>
    formatEndpoint(key.address, key.port),
  );
  // The counters prove nothing: a server that is added again soon keeps them.
  const answered = some.filter(({ server }) =>
    hasAnswered(service, server, facts),
  );
  const to = sources.size > 0 ? [...sources].join(" and ") : "the director";
  return {
    id: "snat-unseen",
    ...ofService(service),
    seen: `${[...rules.keys()].join("; ")}, does not see the requests to ${servers.join(", ")}, because net.ipv4.vs.conntrack is 0; ${count} ${count === 1 ? "connection waits" : "connections wait"} in SYN_RECV`,
    certainty: answered.length > 0 ? "likely" : "proven",
    evidence: [
      `with the rule the servers send their answers to ${to}; without it they answer the clients' own addresses`,
      ...answered.map(
        ({ server: { key } }) =>
          `${formatEndpoint(key.address, key.port)} has answered connections that are still in the table: they perhaps began before the setting was changed`,
      ),
    ],
    next: answered.map(({ server, clients }) =>
      examineThere(service, server, facts, clients[0]),
    ),
    fix: [trackConnections()],
  };
}

/** Whether a connection of a server got further than SYN_RECV. */
function hasAnswered(
  service: ServiceWithServers,
  server: ServerEntry,
  { connections, allServices }: Facts,
): boolean {
  return groupsOf(connections, service, server, allServices).some(
    ({ states }) => [...states.keys()].some((state) => ANSWERED.has(state)),
  );
}

/** Firewall rules that match connections of IPVS, while IPVS hides them from connection tracking. */
export const conntrack = check(
  ["conntrack-off"],
  ["matcher", "sysctls", "table"],
  (facts) => {
    const { matcher, sysctls, table } = facts;
    if ((matcher.references ?? 0) === 0 || table.length === 0) return [];
    if (sysctlNumber(sysctls, CONNTRACK) !== 0) return [];
    // The rule is reported as the cause.
    if (isCause(facts)) return [];
    const rules = namedRules(facts);
    return [
      {
        id: "conntrack-off" as const,
        seen:
          rules.length > 0
            ? `net.ipv4.vs.conntrack is 0, so this does not happen: ${rules.join("; ")}`
            : "firewall rules use the match ipvs (module xt_ipvs), and net.ipv4.vs.conntrack is 0",
        fix: [trackConnections()],
      },
    ];
  },
);

/** More rules are not named. */
const MOST_RULES = 3;

/** The SNAT rules of services, with what they would do. */
function namedRules(facts: AllFacts & Known<"table" | "sysctls">): string[] {
  const { table, sysctls, allServices, network } = facts;
  const { connections, firewall } = facts;
  if (!allServices || !network || !connections || !firewall) return [];
  const known = { sysctls, allServices, network, connections, firewall };
  const texts = table.flatMap((service) =>
    service.servers.filter(isServing).flatMap((server) => {
      const [rule] = unseenRules(service, server, known);
      const source = rule && sourceOfRule(rule, server, network);
      return rule
        ? [
            `${describePlace(rule)}, gives requests to ${serviceName(service)} ${source ? `the source ${formatAddress(source)}` : "another source"}`,
          ]
        : [];
    }),
  );
  return [...new Set(texts)].slice(0, MOST_RULES);
}

/** Whether services wait for answers because their SNAT rule does not see the requests. */
function isCause(facts: AllFacts & Known<"table" | "sysctls">): boolean {
  const { allServices, network, stations, connections } = facts;
  const { timeouts, firewall } = facts;
  if (!allServices || !network || !stations || !connections) return false;
  if (!timeouts || !firewall) return false;
  const known = { ...facts, allServices, network, stations };
  const all = { ...known, connections, timeouts, firewall };
  return silences(all).some((silence) => isSnatUnseen(silence, all));
}
