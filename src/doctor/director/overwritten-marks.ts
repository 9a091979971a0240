import type { ServiceWithServers } from "../../ipvs/model.js";
import { check } from "../check.js";
import { ofService } from "../commands.js";
import type { Finding, Fix } from "../finding.js";
import { describePlace } from "../firewall/describe.js";
import { judgeAll } from "../firewall/judge.js";
import type { Packet } from "../firewall/packet.js";
import type { Condition, Ruleset, Verdict } from "../firewall/ruleset.js";
import type { Network } from "../network.js";
import { shellWord } from "../shell.js";
import { clientDevices } from "./flows.js";
import {
  destinationsOf,
  makesMark,
  rulesThatMark,
  type FirewallMarkKey,
  type MarkingRule,
  type MarkSetter,
} from "./marking-rules.js";
import { PLAIN_RULE } from "./plain-rule.js";

/** Services by firewall mark whose mark another rule replaces. */
export const overwrittenMarks = check(
  ["mark-overwritten"],
  ["table", "firewall", "network"],
  ({ table, firewall, network }) =>
    table.flatMap((service): Finding<"mark-overwritten">[] =>
      overwritten(firewall, service, network).map((one) => ({
        id: "mark-overwritten",
        ...ofService(service),
        seen: `${describePlace(one.rule)}, sets mark ${one.mark}; then ${describePlace(one.by)}, sets ${markAfter(one)}`,
        certainty: one.certain ? "proven" : "likely",
        evidence: [
          "no packet reaches the service now",
          "requests without the mark are not for the service: this machine handles them as any others, and mostly refuses them",
        ],
        fix: setAgain(one),
      })),
    ),
);

/** A rule whose mark does not last. */
interface Overwritten {
  readonly mark: number;
  readonly rule: MarkingRule;
  /** The rule that sets another mark */
  readonly by: MarkSetter;
  /** Whether the same packets meet both for certain */
  readonly certain: boolean;
}

/** The rules that set the mark of a service without traffic, if another rule replaces the mark of each before IPVS sees it; else none. */
export function overwritten(
  firewall: Ruleset,
  { key, stats }: Pick<ServiceWithServers, "key" | "stats">,
  network: Network,
): Overwritten[] {
  if (!("firewallMark" in key) || stats.inPacketsPerSecond > 0n) return [];
  const neverUsed = stats.inPackets === 0n;
  const early = rulesThatMark(firewall, key.family).filter((one) => one.early);
  // A rule that takes the mark from elsewhere may set it.
  if (early.some(({ isKnown }) => !isKnown)) return [];
  const found: Overwritten[] = [];
  for (const [at, rule] of early.entries()) {
    if (!makesMark(rule.verdict, key.firewallMark)) continue;
    const packet = packetOf(rule, key, network);
    const by = early.slice(at + 1).find((other) => {
      if (other.packets === 0n || !changesMark(other.verdict, key.firewallMark))
        return false;
      const meets = judgeAll(other.conditions, packet);
      return meets === "yes" || (meets === "perhaps" && neverUsed);
    });
    if (!by) return [];
    const certain = judgeAll(by.conditions, packet) === "yes";
    found.push({ mark: key.firewallMark, rule, by, certain });
  }
  return found;
}

/** Whether a verdict makes another mark of a mark. */
function changesMark(verdict: Verdict, mark: number): boolean {
  return verdict.does === "mark" && changed(verdict, mark) !== mark;
}

function changed(
  { value, mask }: { readonly value: number; readonly mask: number },
  mark: number,
): number {
  return ((mark & ~mask) ^ value) >>> 0;
}

function markAfter({ by: { verdict }, mark }: Overwritten): string {
  return verdict.does === "mark"
    ? `mark ${changed(verdict, mark)} instead`
    : "another mark";
}

/** A packet that has just got the mark, as far as the conditions of the rule tell. */
function packetOf(
  { conditions }: MarkingRule,
  { family, firewallMark }: FirewallMarkKey,
  network: Network,
): Packet {
  const all = conditions.flatMap(flat);
  const [destination] = all.flatMap(destinationsOf);
  const devices = clientDevices(network, family, destination, undefined);
  const protocols = all.flatMap((one) =>
    one.about === "protocol" ? one.numbers : [],
  );
  const ports = all.flatMap((one) =>
    one.about === "port" && one.end === "destination" ? one.ranges : [],
  );
  return {
    family,
    incoming: devices.length === 1 ? devices[0] : undefined,
    destination,
    protocol: protocols[0],
    destinationPort: ports[0]?.[0],
    mark: firewallMark,
  };
}

function flat(condition: Condition): readonly Condition[] {
  return condition.about === "all"
    ? condition.conditions.flatMap(flat)
    : [condition];
}

/** The same rule once more, behind the one that replaces the mark. */
function setAgain({ rule, by, mark }: Overwritten): Fix[] {
  const { table, base } = by;
  const text = rule.rule?.text ?? "";
  // The conditions of a rule in another chain are not all in its text.
  if (rule.chain !== rule.base || rule.table !== table) return [];
  if (!/^ip6?tables/.test(table.program) || !PLAIN_RULE.test(text)) return [];
  return [
    {
      command: `${table.program} -t ${table.name} -A ${shellWord(base.name)} ${text}`,
      effect: `these packets carry mark ${mark} when they reach IPVS; what uses the other mark afterwards, such as tc or a routing rule, does not see them any more; add the rule to the firewall's configuration to keep it`,
    },
  ];
}
