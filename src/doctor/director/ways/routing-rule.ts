import { formatAddress, type Address } from "../../../ipvs/address.js";
import { isWithin } from "../../../rtnl/address-owners.js";
import type { Rule } from "../../../rtnl/model.js";
import { deviceOf, type Network, type RuledAnswer } from "../../network.js";

/**
 * The first routing rule that leads a packet to the table of its route. Rules ahead of it that match lead to tables without
 * a route, or leave it out.
 *
 * @see fib_rules_lookup() in net/core/fib_rules.c
 */
export function choosingRule(
  answer: Omit<RuledAnswer, "rule" | "main">,
  network: Network,
  rules: readonly Rule[],
): Rule | undefined {
  const { to, source, server, device, way } = answer;
  // The kernel looks up packets that it sends itself as if they came in by lo.
  const incoming = source === server ? deviceOf(network, device)?.name : "lo";
  return rules
    .filter(
      ({ family, action, table, vrf }) =>
        (family === 2) === (to.length === 4) &&
        action === "table" &&
        (vrf === true || table === way.table),
    )
    .sort((a, b) => a.priority - b.priority)
    .find((rule) => rule.vrf === true || matches(rule, source, to, incoming));
}

/** Whether a rule matches a packet without a firewall mark. */
function matches(
  rule: Rule,
  source: Address,
  to: Address,
  incoming: string | undefined,
): boolean {
  // It is not known which packets such a rule takes, inverted or not.
  if (rule.hasMore) return false;
  const fits =
    (rule.from === undefined ||
      isWithin(source, rule.from.address, rule.from.bits)) &&
    (rule.to === undefined || isWithin(to, rule.to.address, rule.to.bits)) &&
    (rule.incoming === undefined || rule.incoming === incoming) &&
    rule.outgoing === undefined &&
    (rule.mark === undefined || rule.mark.value === 0);
  return fits !== rule.inverted;
}

export function ruleName({ priority, family }: Rule): string {
  return `${family === 2 ? "" : "IPv6 "}routing rule ${priority}`;
}

/** A rule as `ip rule` prints it. */
export function ruleText(rule: Rule, table: number): string {
  const { from, to, mark, incoming, outgoing } = rule;
  return [
    ...(rule.inverted ? ["not"] : []),
    `from ${from ? prefixText(from) : "all"}`,
    ...(to ? [`to ${prefixText(to)}`] : []),
    ...(mark ? [`fwmark ${markText(mark)}`] : []),
    ...(incoming === undefined ? [] : [`iif ${incoming}`]),
    ...(outgoing === undefined ? [] : [`oif ${outgoing}`]),
    rule.vrf ? "lookup [l3mdev-table]" : `lookup ${table}`,
  ].join(" ");
}

/** Which packets a rule takes, in words. */
export function takenText(rule: Rule): string {
  const { from, to, mark, incoming, outgoing } = rule;
  const what = [
    ...(mark ? [`with the mark ${markText(mark)}`] : []),
    ...(from ? [`from ${prefixText(from)}`] : []),
    ...(to ? [`to ${prefixText(to)}`] : []),
    ...(incoming === undefined
      ? []
      : incoming === "lo"
        ? ["that this machine sends"]
        : [`that come in by ${incoming}`]),
    ...(outgoing === undefined ? [] : [`bound to ${outgoing}`]),
    ...(rule.vrf ? ["of interfaces in a VRF"] : []),
  ].join(" ");
  if (what === "") return "all packets";
  return rule.inverted ? `all packets except those ${what}` : `packets ${what}`;
}

function prefixText(prefix: { address: Address; bits: number }): string {
  const text = formatAddress(prefix.address);
  return prefix.bits === prefix.address.length * 8
    ? text
    : `${text}/${prefix.bits}`;
}

function markText({ value, mask }: NonNullable<Rule["mark"]>): string {
  const hex = (number: number) => `0x${number.toString(16)}`;
  return mask === 0xffffffff ? hex(value) : `${hex(value)}/${hex(mask)}`;
}

/** The highest priority ahead of a rule that no rule has; undefined if there is none. */
export function freePriority(
  { priority, family }: Rule,
  rules: readonly Rule[],
): number | undefined {
  const used = new Set(
    rules.filter((rule) => rule.family === family).map((rule) => rule.priority),
  );
  for (let free = priority - 1; free > 0; free--)
    if (!used.has(free)) return free;
  return undefined;
}
