import {
  formatAddress,
  type Address,
  type Family,
} from "../../../ipvs/address.js";
import type { ServiceKey } from "../../../ipvs/model.js";
import { judge } from "../../firewall/judge.js";
import type { Hook } from "../../firewall/packet.js";
import { compareAddresses } from "../../firewall/compare-addresses.js";
import type {
  AddressRange,
  Base,
  Chain,
  Condition,
  NumberRange,
  Ruleset,
  Table,
  Verdict,
} from "../../firewall/ruleset.js";
import type { Place } from "../../firewall/walk.js";
import { isLocal, type Network } from "../../network.js";
import { clientDevices } from "../firewall/flow-clients.js";
import { IPVS_INPUT_PRIORITY } from "../firewall/flows.js";

/** The key of a service by firewall mark */
export type FirewallMarkKey = Extract<
  ServiceKey,
  { readonly firewallMark: number }
>;

/** A rule that sets a mark, or helps to make it. */
export interface MarkingRule extends Place {
  /** Whether IPVS sees the mark */
  readonly early: boolean;
  /** Whether the mark that it sets is known */
  readonly isKnown: boolean;
  /** What packets must meet: the conditions of the rule, and of the rules that call its chain */
  readonly conditions: readonly Condition[];
}

/** All rules that set a mark in chains that the kernel calls, or that these call. */
export function markingRules(
  ruleset: Ruleset,
  { family, firewallMark }: FirewallMarkKey,
): MarkingRule[] {
  return rulesThatMark(ruleset, family).filter(
    ({ verdict }) =>
      isFromElsewhere(verdict) || makesMark(verdict, firewallMark),
  );
}

/** The hooks in the order in which the kernel calls them */
const HOOKS: readonly Hook[] = [
  "prerouting",
  "input",
  "forward",
  "output",
  "postrouting",
];

/** A rule that sets any mark. */
export interface MarkSetter extends MarkingRule {
  readonly verdict: Verdict;
}

/** All rules that set any mark, in the order in which packets meet them. */
export function rulesThatMark(
  { tables }: Ruleset,
  family: Family,
): MarkSetter[] {
  const bases = tables
    .filter(({ families }) => families.includes(family))
    .flatMap((table) =>
      Array.from(table.chains.values()).flatMap((chain) =>
        chain.base ? [{ table, chain, base: chain.base }] : [],
      ),
    );
  bases.sort(
    (one, other) =>
      HOOKS.indexOf(one.base.hook) - HOOKS.indexOf(other.base.hook) ||
      one.base.priority - other.base.priority,
  );
  const found: MarkSetter[] = [];
  for (const { table, chain } of bases)
    collect({ table, base: chain, found }, chain, [], []);
  return found;
}

interface Search {
  readonly table: Table;
  readonly base: Chain;
  readonly found: MarkSetter[];
}

/** @param callers the chains that lead to this one */
function collect(
  search: Search,
  chain: Chain,
  above: readonly Condition[],
  callers: readonly Chain[],
): void {
  const { table, base, found } = search;
  if (callers.includes(chain)) return;
  for (const [at, rule] of chain.rules.entries()) {
    const conditions = [...above];
    const meets = (verdict: Verdict, own: readonly Condition[]) => {
      if (verdict.does === "jump" || verdict.does === "goto") {
        const target = table.chains.get(verdict.chain);
        if (target) collect(search, target, own, [...callers, chain]);
        return;
      }
      const isKnown = verdict.does === "mark";
      if (!isKnown && !isFromElsewhere(verdict)) return;
      const early = isBeforeIpvs(base.base);
      const { packets } = rule;
      const place = { table, base, chain, rule, position: at + 1, packets };
      found.push({
        ...place,
        certain: true,
        early,
        isKnown,
        conditions: own,
        verdict,
      });
    };
    for (const step of rule.steps)
      if ("if" in step) conditions.push(step.if);
      else if ("then" in step) meets(step.then, [...conditions]);
      else
        for (const one of step.cases) meets(one.then, [...conditions, one.if]);
  }
}

/** Whether packets pass a chain before IPVS takes them. */
function isBeforeIpvs(base: Base | undefined): boolean {
  return (
    base?.hook === "prerouting" ||
    (base?.hook === "input" && base.priority < IPVS_INPUT_PRIORITY)
  );
}

function isFromElsewhere({ does }: Verdict): boolean {
  return does === "mark-from-elsewhere";
}

/** Whether a change of bits, `(old & ~mask) ^ value`, helps to make a mark: it sets one of its bits, and no other. */
export function makesMark(verdict: Verdict, mark: number): boolean {
  if (verdict.does !== "mark") return false;
  const { value, mask } = verdict;
  return (value & mark) !== 0 && ((value ^ mark) & mask) === 0;
}

/** Why a rule matches no request. */
export interface Mismatch {
  readonly why: "interface" | "address";
  /** A sentence without a full stop */
  readonly text: string;
  /** The interfaces by which requests come in, if it is one of them that the rule does not match */
  readonly devices: readonly string[];
}

/**
 * Why a marking rule cannot match requests, as far as is known.
 *
 * @param client whose requests; undefined: those of any client
 */
export function mismatchOf(
  { conditions }: Pick<MarkingRule, "conditions">,
  { family, firewallMark }: FirewallMarkKey,
  network: Network,
  client?: Address,
): Mismatch | undefined {
  const targets = conditions.flatMap(destinationsOf);
  const devices = clientDevices(network, family, targets[0], client);
  const isOutside = (one: Condition) =>
    devices.length > 0 &&
    isAbout(one, "interface") &&
    devices.every((incoming) => judge(one, { family, incoming }) === "no");
  if (conditions.some(isOutside))
    return {
      why: "interface",
      text: `${client ? `requests of ${formatAddress(client)}` : "requests"} come in by ${devices.join(" or ")}, which the rule does not match`,
      devices,
    };
  // A rule for a single address must name one of this machine; what is for others does not reach IPVS.
  const lost = targets.find(
    (one) =>
      isLocal(network, one) === false &&
      !mayBeLocalMarked(network, { family, firewallMark }, one),
  );
  if (lost && targets.length === 1)
    return {
      why: "address",
      text: `the rule is for requests to ${formatAddress(lost)}, which is not an address of this machine`,
      devices: [],
    };
  return undefined;
}

/** Whether a routing rule for a mark makes an address local, or perhaps does because it was not tried. */
function mayBeLocalMarked(
  { marked = [], isMarkedPartial = false }: Network,
  { family, firewallMark }: FirewallMarkKey,
  address: Address,
): boolean {
  const tried = marked.find(
    (one) =>
      one.family === family &&
      one.mark === firewallMark &&
      compareAddresses(one.first, address) === 0 &&
      compareAddresses(one.last, address) === 0,
  );
  return tried?.isLocal ?? isMarkedPartial;
}

/** The addresses that all conditions allow as destination; undefined: any, or not known. */
export function targetsOf(
  conditions: readonly Condition[],
): readonly AddressRange[] | undefined {
  let allowed: readonly AddressRange[] | undefined;
  for (const condition of conditions.flatMap(flat)) {
    if (condition.about !== "address" || condition.end !== "destination")
      continue;
    const { ranges } = condition;
    allowed = allowed
      ? allowed.flatMap((one) => ranges.flatMap((other) => both(one, other)))
      : ranges;
  }
  return allowed;
}

function flat(condition: Condition): readonly Condition[] {
  return condition.about === "all"
    ? condition.conditions.flatMap(flat)
    : [condition];
}

/** The addresses in both ranges. */
function both(one: AddressRange, other: AddressRange): AddressRange[] {
  const first =
    compareAddresses(one.first, other.first) > 0 ? one.first : other.first;
  const last =
    compareAddresses(one.last, other.last) < 0 ? one.last : other.last;
  return compareAddresses(first, last) <= 0 ? [{ first, last }] : [];
}

/** The single addresses that a condition names as destination. */
export function destinationsOf(condition: Condition): Address[] {
  if (condition.about === "all")
    return condition.conditions.flatMap(destinationsOf);
  if (condition.about !== "address" || condition.end !== "destination")
    return [];
  return condition.ranges.flatMap(({ first, last }) =>
    first.every((byte, at) => byte === last[at]) ? [first] : [],
  );
}

/** The ports that a condition names as destination. */
export function destinationPorts(condition: Condition): NumberRange[] {
  if (condition.about === "all")
    return condition.conditions.flatMap(destinationPorts);
  return condition.about === "port" && condition.end === "destination"
    ? [...condition.ranges]
    : [];
}

function isAbout(condition: Condition, about: Condition["about"]): boolean {
  if (condition.about === "not") return isAbout(condition.condition, about);
  if (condition.about === "all")
    return condition.conditions.some((one) => isAbout(one, about));
  return condition.about === about;
}
