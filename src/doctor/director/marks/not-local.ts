import { formatAddress } from "../../../ipvs/address.js";
import type { ServiceWithServers } from "../../../ipvs/model.js";
import type { Rule } from "../../../rtnl/model.js";
import { check, type Known } from "../../check.js";
import { ofService } from "../../commands.js";
import type { Facts } from "../../facts.js";
import type { Finding, Fix } from "../../finding.js";
import { compareAddresses } from "../../firewall/compare-addresses.js";
import { describePlace } from "../../firewall/describe.js";
import type { Ruleset, Step } from "../../firewall/ruleset.js";
import { deviceOf, type MarkedWay, type Network } from "../../network.js";
import { sysctlNumber } from "../../sysctls.js";
import { isBetween, prefixBitsOf } from "./marked-ways.js";
import {
  markingRules,
  targetsOf,
  type FirewallMarkKey,
  type MarkingRule,
} from "./marking-rules.js";
import { unmatchedRules } from "./marks.js";
import { overwritten } from "./overwritten.js";
import { isPassive } from "../reach/reach.js";

type NeededFacts = Known<
  "table" | "daemons" | "network" | "firewall" | "sysctls"
> &
  Facts;

/** Services by firewall mark whose packets are not for this machine. */
export const localMarks = check(
  ["mark-not-local"],
  ["table", "daemons", "network", "firewall", "sysctls"],
  (facts) =>
    facts.table.flatMap((service): Finding<"mark-not-local">[] => {
      const [first, ...others] = notLocal(service, facts);
      if (!first) return [];
      const all = [first, ...others];
      const ways = all.flatMap(({ ways }) => ways);
      const { rule, key } = first;
      const { network } = facts;
      const proven = isProven(service, all, facts);
      return [
        {
          id: "mark-not-local",
          ...ofService(service),
          seen: `${describePlace(rule)}, sets mark ${key.firewallMark}, and packets with it to ${blockText(first.ways[0])} are not local: ${wayText(first.ways[0], network)}`,
          certainty: proven ? "proven" : "likely",
          evidence: [
            ...tableEvidence(key, network),
            ...others.map(
              (one) =>
                `${describePlace(one.rule)}, sets the mark for packets to ${one.ways.map(blockText).join(", ")}, which are not local either`,
            ),
          ],
          next: [
            {
              command: `ip route get ${formatAddress(first.ways[0].first)} mark ${key.firewallMark}`,
              effect:
                "changes nothing; IPVS gets the packets only if the answer begins with local",
            },
          ],
          fix: makeLocal(key, ways, facts, proven),
        },
      ];
    }),
);

/** A rule that marks packets that are not for this machine. */
interface NotLocal {
  readonly key: FirewallMarkKey;
  readonly rule: MarkingRule;
  readonly ways: readonly [MarkedWay, ...MarkedWay[]];
}

/** The rules that set the mark of a service without traffic, if the packets of none of them are local; else none. */
export function notLocal(
  service: Pick<ServiceWithServers, "key" | "stats">,
  { daemons = [], network, firewall }: Partial<NeededFacts>,
): NotLocal[] {
  const { key, stats } = service;
  if (!network || !firewall || isPassive(daemons)) return [];
  if (!("firewallMark" in key) || stats.inPacketsPerSecond > 0n) return [];
  const rules = markingRules(firewall, key).filter(({ early }) => early);
  const found = rules.flatMap((rule): NotLocal[] => {
    if (!rule.isKnown || rule.base.base?.hook !== "prerouting") return [];
    const targets = targetsOf(rule.conditions) ?? [];
    const ways = targets.flatMap((target) => wayOf(network, key, target) ?? []);
    const [first, ...more] = ways;
    return first &&
      ways.length === targets.length &&
      ways.every(({ isLocal }) => !isLocal)
      ? [{ key, rule, ways: [first, ...more] }]
      : [];
  });
  if (found.length < rules.length) return [];
  // An idle service can still work if more than the route decides.
  if (!isStarved(service, found) && mayBeOtherwise(found, network, firewall))
    return [];
  // If no packet gets the mark, or keeps it, that comes first.
  if (unmatchedRules(firewall, service, network).length > 0) return [];
  return overwritten(firewall, service, network).length > 0 ? [] : found;
}

function wayOf(
  { marked = [] }: Network,
  { family, firewallMark }: FirewallMarkKey,
  { first, last }: Pick<MarkedWay, "first" | "last">,
): MarkedWay | undefined {
  return marked.find(
    (one) =>
      one.family === family &&
      one.mark === firewallMark &&
      compareAddresses(one.first, first) === 0 &&
      compareAddresses(one.last, last) === 0,
  );
}

/** Without it the kernel does not refresh its counters. */
const ESTIMATION = "net/ipv4/vs/run_estimation";

/** Whether packets got the mark, and the service never got one. */
function isProven(
  service: Pick<ServiceWithServers, "stats">,
  all: readonly NotLocal[],
  { sysctls, network, firewall }: NeededFacts,
): boolean {
  return (
    isStarved(service, all) &&
    sysctlNumber(sysctls, ESTIMATION) !== 0 &&
    !mayBeOtherwise(all, network, firewall)
  );
}

/** Whether rules marked packets, and the service never got one. */
function isStarved(
  { stats }: Pick<ServiceWithServers, "stats">,
  all: readonly NotLocal[],
): boolean {
  return (
    stats.inPackets === 0n && all.some(({ rule }) => (rule.packets ?? 0n) > 0n)
  );
}

/**
 * Whether packets can be local all the same: an address of a large block that was not tried, a routing rule that looks
 * at more than the mark, or a firewall rule that changes the destination.
 */
function mayBeOtherwise(
  all: readonly NotLocal[],
  { rules = [] }: Network,
  { tables }: Ruleset,
): boolean {
  return (
    !all.every(({ ways }) => ways.every(isSmall)) ||
    rules.some(isSpecial) ||
    tables.some(({ chains }) =>
      Array.from(chains.values()).some((chain) =>
        chain.rules.some(({ steps }) => steps.some(redirects)),
      ),
    )
  );
}

function redirects(step: Step): boolean {
  if ("if" in step) return false;
  return "then" in step
    ? step.then.does === "redirect"
    : step.cases.some(({ then }) => then.does === "redirect");
}

function isSmall(way: MarkedWay): boolean {
  const bits = prefixBitsOf(way);
  return bits !== undefined && way.first.length * 8 - bits <= 8;
}

/** Whether a routing rule without a mark looks at more than the destination. */
function isSpecial({ mark, priority, from, to, incoming }: Rule): boolean {
  if (STANDARD.has(priority)) return false;
  return mark === undefined || Boolean(from ?? to ?? incoming);
}

/** The priorities of the rules that every machine has: those of the tables local, main and default */
const STANDARD = new Set([0, 32766, 32767]);
const MAIN_PRIORITY = 32766;
/** Tables that hold more than the routes of a mark */
const GENERAL_TABLES = new Set([253, 254, 255]);

/** The rule that sends packets with a mark to a table of their own. */
function ruleFor(
  { family, firewallMark }: FirewallMarkKey,
  { rules = [] }: Network,
): Rule | undefined {
  return rules
    .filter(
      (one) =>
        one.family === family &&
        one.action === "table" &&
        one.mark !== undefined &&
        one.mark.mask !== 0 &&
        (firewallMark & one.mark.mask) >>> 0 === one.mark.value &&
        !one.inverted &&
        one.priority < MAIN_PRIORITY &&
        !GENERAL_TABLES.has(one.table) &&
        !(one.from ?? one.to ?? one.incoming),
    )
    .toSorted((one, other) => one.priority - other.priority)[0];
}

function tableEvidence(key: FirewallMarkKey, network: Network): string[] {
  const rule = ruleFor(key, network);
  return [
    rule
      ? `routing rule ${rule.priority} sends packets with mark ${key.firewallMark} to table ${rule.table}, which has no local route for them`
      : `no routing rule sends packets with mark ${key.firewallMark} to a table of their own`,
  ];
}

/** Addresses as a rule has them: `192.0.2.64/28`. */
export function blockText(way: MarkedWay): string {
  const { first, last } = way;
  if (compareAddresses(first, last) === 0) return formatAddress(first);
  const bits = prefixBitsOf(way);
  return bits === undefined
    ? `${formatAddress(first)} to ${formatAddress(last)}`
    : `${formatAddress(first)}/${bits}`;
}

/** Where the packets go instead. */
export function wayText({ way }: MarkedWay, network: Network): string {
  if (way === "no route") return "there is no route to them";
  if (typeof way === "string") return `the kernel refuses them (${way})`;
  const [hop] = way.hops;
  const device = deviceOf(network, hop?.device)?.name;
  if (way.type !== "unicast" || device === undefined)
    return `their route is of type ${way.type}`;
  return `they would leave by ${device}${hop?.gateway ? ` through ${formatAddress(hop.gateway)}` : ""}`;
}

/** Local routes for the destinations. */
function makeLocal(
  key: FirewallMarkKey,
  ways: readonly MarkedWay[],
  { network, allServices, table }: NeededFacts,
  proven: boolean,
): Fix[] {
  const rule = ruleFor(key, network);
  const blocks = [...new Map(ways.map((way) => [blockText(way), way]))];
  if (blocks.some(([, way]) => prefixBitsOf(way) === undefined)) return [];
  if (rule)
    return blocks.map(([text]) => ({
      command: `ip route add local ${text} dev lo table ${rule.table}`,
      effect: `packets to ${text} that routing rule ${rule.priority} sends to table ${rule.table} are for this machine; add the route to the network's configuration to keep it`,
    }));
  // Without a table of its own, the route takes packets of all kinds, perhaps from the director that is active now.
  if (!proven) return [];
  const servers = (allServices ?? table).flatMap((one) => one.servers);
  if (
    servers.some((server) =>
      ways.some((way) => isBetween(server.key.address, way)),
    )
  )
    return [];
  return blocks.map(([text]) => ({
    command: `ip route add local ${text} dev lo`,
    effect: `first make sure that no other director has the address; all packets to ${text} are for this machine, also those without the mark; it answers ARP and neighbor discovery for these addresses; add the route to the network's configuration to keep it`,
  }));
}
