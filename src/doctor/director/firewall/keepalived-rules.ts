import { sameAddress } from "../../../ipvs/address.js";
import { describePlace } from "../../firewall/describe.js";
import type {
  AddressRange,
  Condition,
  Rule,
  Table,
} from "../../firewall/ruleset.js";
import type { Place, Stop } from "../../firewall/walk.js";

/** Where the lasting change belongs, if keepalived made a rule. */
export const KEEPALIVED_REPAIR =
  'in keepalived.conf put "accept" into the vrrp_instance, or remove vrrp_strict, and restart keepalived to repair it for good: it sets the rule that drops again each time it becomes master';

/**
 * What tells that keepalived made a rule that drops requests, as evidence: with vrrp_strict it drops all packets to and from
 * the addresses of a vrrp_instance that has no `accept`. @see RFC 5798, Accept_Mode
 */
export function keepalivedEvidence({
  table,
  base,
  rule,
}: Stop): string | undefined {
  if (base.base?.hook !== "input" || !rule) return undefined;
  const virtual = droppedAddresses(rule, "destination");
  const pair = virtual && outputRule(table, virtual);
  return pair
    ? `${describePlace(pair)}, is the other half of it: keepalived sets this pair with vrrp_strict or no_accept, if the vrrp_instance has no "accept"`
    : undefined;
}

/** The rule that drops what comes from these addresses, in a chain that the kernel calls for packets of this machine. */
function outputRule(
  table: Table,
  virtual: readonly AddressRange[],
): Place | undefined {
  for (const chain of table.chains.values()) {
    if (chain.base?.hook !== "output") continue;
    const at = chain.rules.findIndex((rule) => {
      const dropped = droppedAddresses(rule, "source");
      return dropped !== undefined && sameRanges(dropped, virtual);
    });
    const rule = chain.rules[at];
    if (rule)
      return {
        ...{ table, base: chain, chain, rule, position: at + 1 },
        ...{ packets: rule.packets, certain: true },
      };
  }
  return undefined;
}

/** The single addresses whose packets a rule drops, whatever else they are; undefined if it has other conditions. */
function droppedAddresses(
  { steps: [first, second, ...more] }: Rule,
  end: "source" | "destination",
): readonly AddressRange[] | undefined {
  if (!first || !second || more.length > 0) return undefined;
  if (!("if" in first) || !("then" in second)) return undefined;
  if (second.then.does !== "drop") return undefined;
  const ranges = rangesIn(first.if, end);
  return ranges?.every((one) => sameAddress(one.first, one.last))
    ? ranges
    : undefined;
}

/** The addresses that a condition asks for, if it asks for nothing else. A set of nft is a choice of several. */
function rangesIn(
  condition: Condition,
  end: "source" | "destination",
): readonly AddressRange[] | undefined {
  if (condition.about === "address")
    return condition.end === end ? condition.ranges : undefined;
  if (condition.about === "all") {
    const [one, ...more] = condition.conditions.filter(
      ({ about }) => about !== "family",
    );
    return one && more.length === 0 ? rangesIn(one, end) : undefined;
  }
  if (condition.about !== "any") return undefined;
  const choices = condition.conditions.map((one) => rangesIn(one, end));
  return choices.every((one) => one !== undefined) ? choices.flat() : undefined;
}

function sameRanges(
  some: readonly AddressRange[],
  others: readonly AddressRange[],
): boolean {
  return (
    some.length === others.length &&
    some.every(({ first }) =>
      others.some((other) => sameAddress(other.first, first)),
    )
  );
}
