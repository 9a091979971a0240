import { check, type Known } from "../../check.js";
import { serviceName } from "../../commands.js";
import type { Finding } from "../../finding.js";
import { describePlace } from "../../firewall/describe.js";
import { isSame } from "../../firewall/flow.js";
import type { Stop } from "../../firewall/walk.js";
import { CONNTRACK, sysctlNumber } from "../../sysctls.js";
import { acceptBlocked, isDockers } from "./accept-blocked.js";
import { blockagesOf, describeBlockage, type Blockage } from "./blockages.js";
import { keepalivedEvidence } from "./keepalived-rules.js";
import { answersElsewhere } from "./flow-states.js";
import { silences, waitingText } from "../reach/silence.js";
import { isPassive } from "../reach/reach.js";

/** The facts that tell what the firewall does to the traffic of services */
type FirewallFacts = Known<
  | "table"
  | "allServices"
  | "daemons"
  | "network"
  | "stations"
  | "connections"
  | "timeouts"
  | "sysctls"
  | "firewall"
>;

/** Firewall rules of the director that stop requests or answers. */
export const directorFirewall = check(
  ["firewall-blocks", "firewall-redirects"],
  [
    "table",
    "allServices",
    "daemons",
    "network",
    "stations",
    "connections",
    "timeouts",
    "sysctls",
    "firewall",
  ],
  (facts) =>
    grouped(certainBlockages(facts)).map((blockages) =>
      findingOf(blockages, facts),
    ),
);

function certainBlockages(facts: FirewallFacts): Blockage[] {
  // What reaches a backup is not for its virtual services.
  if (isPassive(facts.daemons)) return [];
  return facts.table
    .flatMap((service) => blockagesOf(service, facts, facts.firewall))
    .filter(({ stop }) => stop.certain);
}

/**
 * One rule is one cause, no matter how many services it stops, and so are the rules of one chain that stop the same
 * packets.
 */
function grouped(blockages: readonly Blockage[]): Blockage[][] {
  const groups: Blockage[][] = [];
  for (const blockage of blockages) {
    const { flow, stop } = blockage;
    const group = groups.find((some) =>
      some.some(
        (one) =>
          one.flow.what === flow.what &&
          isRedirect(one) === isRedirect(blockage) &&
          (isSame(one.stop, stop) ||
            (one.flow === flow && one.stop.base === stop.base)),
      ),
    );
    if (group) group.push(blockage);
    else groups.push([blockage]);
  }
  return groups;
}

function isRedirect({ stop }: Blockage): boolean {
  return stop.does === "redirect";
}

function findingOf(
  blockages: readonly Blockage[],
  facts: FirewallFacts,
): Finding<"firewall-blocks" | "firewall-redirects"> {
  const [first] = blockages;
  if (!first) throw new Error("no blockage");
  const services = new Set(
    blockages.map(({ flow }) => serviceName(flow.service)),
  );
  const waiting = silences(facts).filter(({ service, server }) =>
    blockages.some(
      ({ flow }) =>
        flow.service === service && (flow.server ?? server) === server,
    ),
  );
  return {
    id: isRedirect(first) ? "firewall-redirects" : "firewall-blocks",
    subject: [...services].join(", "),
    seen: seenOf(blockages),
    evidence: [
      ...stateEvidence(blockages, facts),
      ...dockerEvidence(first),
      ...new Set(
        blockages.flatMap(({ stop }) => keepalivedEvidence(stop) ?? []),
      ),
      ...waiting.map(waitingText),
    ],
    ...(isRedirect(first) ? {} : { why: whyOf(blockages) }),
    fix: acceptBlocked(blockages),
  };
}

/** The rules in the order in which packets meet them, and the policy last. */
function seenOf(blockages: readonly Blockage[]): string {
  const stops: Blockage[][] = [];
  for (const blockage of blockages) {
    const same = stops.find(([one]) => one && isSame(one.stop, blockage.stop));
    if (same) same.push(blockage);
    else stops.push([blockage]);
  }
  return stops
    .sort(([a], [b]) => compareStops(a?.stop, b?.stop))
    .map((some) =>
      some[0]
        ? `${describePlace(some[0].stop)}, ${describeBlockage(some)}`
        : "",
    )
    .join("; ");
}

function compareStops(a: Stop | undefined, b: Stop | undefined): number {
  const [one, other] = [a, b].map((stop) => stop?.path ?? []);
  if (!one || !other) return 0;
  for (let at = 0; at < Math.max(one.length, other.length); at++) {
    const difference = (one[at] ?? Infinity) - (other[at] ?? Infinity);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Rules by state surprise, because connection tracking sees only a part of the packets of IPVS. */
function stateEvidence(
  blockages: readonly Blockage[],
  { sysctls }: FirewallFacts,
): string[] {
  const byState = blockages.filter(({ stop }) => stop.byState);
  if (byState.length === 0) return [];
  const isOff = sysctlNumber(sysctls, CONNTRACK) !== 1;
  const off =
    "net.ipv4.vs.conntrack is 0, so connection tracking calls packets of IPVS new, invalid or untracked, and never established";
  if (!byState.some(isOneWay)) return isOff ? [off] : [];
  return isOff
    ? [
        `${off}; 1 does not help here: the answers do not pass the director, so it would call the packets after the SYN invalid`,
      ]
    : [
        "the answers do not pass the director, so connection tracking calls the packets after the SYN invalid; net.ipv4.vs.conntrack does not help here",
      ];
}

/** Whether servers answer past the director. */
function isOneWay({ flow: { what, server, service } }: Blockage): boolean {
  if (what === "answers") return false;
  return server
    ? answersElsewhere(server)
    : service.servers.some(answersElsewhere);
}

/** Docker sets a policy for its containers that stops all other traffic. */
function dockerEvidence({ stop: { rule, base, table } }: Blockage): string[] {
  if (rule || base.base?.hook !== "forward" || !isDockers(table)) return [];
  return [
    "Docker's chains are there: Docker sets the policy of FORWARD to DROP; it leaves rules in the chain DOCKER-USER alone",
  ];
}

const WAYS: Readonly<Record<Blockage["flow"]["what"], string>> = {
  requests:
    "Requests pass the chains PREROUTING and INPUT before IPVS sees them. What is dropped there reaches no real server.",
  "forwarded requests":
    "What IPVS sends to real servers passes the chains OUTPUT and POSTROUTING. What is dropped there reaches no real server.",
  answers:
    "Answers of masqueraded servers pass the chains PREROUTING and FORWARD before IPVS puts the virtual address into them. What is dropped there reaches no client.",
};

/** Why it happens, for the packets and the rules in question. */
function whyOf(blockages: readonly Blockage[]): string {
  const ways = new Set(blockages.map(({ flow }) => WAYS[flow.what]));
  const byState = blockages.some(({ stop }) => stop.byState)
    ? [
        "Connection tracking does not know these connections, so rules by state do not take their packets for a part of one.",
      ]
    : [];
  return [...ways, ...byState].join(" ");
}
