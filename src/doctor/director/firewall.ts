import { check, type Known } from "../check.js";
import { serviceName } from "../commands.js";
import type { Finding } from "../finding.js";
import { describeAction, describePlace } from "../firewall/describe.js";
import { acceptRule, isSame } from "../firewall/flow.js";
import { sysctlNumber } from "../sysctls.js";
import { blockagesOf, type Blockage } from "./blockages.js";
import { silences, waitingText } from "./silence.js";
import { isPassive } from "./reach.js";

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

/** One rule is one cause, no matter how many services it stops. */
function grouped(blockages: readonly Blockage[]): Blockage[][] {
  const groups: Blockage[][] = [];
  for (const blockage of blockages) {
    const group = groups.find(
      ([first]) =>
        first &&
        isSame(first.stop, blockage.stop) &&
        first.flow.what === blockage.flow.what,
    );
    if (group) group.push(blockage);
    else groups.push([blockage]);
  }
  return groups;
}

function findingOf(
  blockages: readonly Blockage[],
  facts: FirewallFacts,
): Finding<"firewall-blocks" | "firewall-redirects"> {
  const [first] = blockages;
  if (!first) throw new Error("no blockage");
  const { stop } = first;
  const services = new Set(
    blockages.map(({ flow }) => serviceName(flow.service)),
  );
  const flows = new Set(blockages.map(({ flow }) => flow.text));
  const waiting = silences(facts).filter(({ service, server }) =>
    blockages.some(
      ({ flow }) =>
        flow.service === service && (flow.server ?? server) === server,
    ),
  );
  return {
    id: stop.does === "redirect" ? "firewall-redirects" : "firewall-blocks",
    subject: [...services].join(", "),
    seen: `${describePlace(stop)}, ${describeAction(stop, [...flows].join(" and "))}`,
    evidence: [...stateEvidence(blockages, facts), ...waiting.map(waitingText)],
    fix: distinctFixes(blockages),
  };
}

/** Rules by state surprise, because IPVS takes its packets out of connection tracking. */
function stateEvidence(
  blockages: readonly Blockage[],
  { sysctls }: FirewallFacts,
): string[] {
  const isByState = blockages.some(({ stop }) =>
    stop.chain.rules.some(({ text }) => /\bstate\b|ctstate/.test(text)),
  );
  return isByState && sysctlNumber(sysctls, "net/ipv4/vs/conntrack") === 0
    ? [
        "net.ipv4.vs.conntrack is 0, so connection tracking calls packets of IPVS new, invalid or untracked, and never established",
      ]
    : [];
}

function distinctFixes(blockages: readonly Blockage[]): Finding["fix"] {
  const fixes = blockages.map(({ flow, stop }) => acceptRule(flow, stop));
  return fixes.filter(
    ({ command }, at) =>
      fixes.findIndex((one) => one.command === command) === at,
  );
}
