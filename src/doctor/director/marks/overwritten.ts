import type { Address } from "../../../ipvs/address.js";
import type { ServiceWithServers } from "../../../ipvs/model.js";
import { check } from "../../check.js";
import { ofService } from "../../commands.js";
import type { Finding, Fix } from "../../finding.js";
import { describePlace } from "../../firewall/describe.js";
import { judgeAll } from "../../firewall/judge.js";
import type { Packet } from "../../firewall/packet.js";
import type {
  Condition,
  Rule,
  Ruleset,
  Verdict,
} from "../../firewall/ruleset.js";
import { walk, type Marking } from "../../firewall/walk.js";
import { isLocal, type Network } from "../../network.js";
import { shellWord } from "../../shell.js";
import { clientDevices } from "../firewall/flow-clients.js";
import { IPVS_INPUT_PRIORITY } from "../firewall/flows.js";
import {
  destinationsOf,
  makesMark,
  rulesThatMark,
  type FirewallMarkKey,
  type MarkSetter,
} from "./marking-rules.js";
import { PLAIN_RULE } from "../../firewall/plain-rule.js";

/** Services by firewall mark whose mark another rule replaces. */
export const overwrittenMarks = check(
  ["mark-overwritten"],
  ["table", "firewall", "network"],
  ({ table, firewall, network }) =>
    table.flatMap((service): Finding<"mark-overwritten">[] =>
      overwritten(firewall, service, network).map((one) => ({
        id: "mark-overwritten",
        ...ofService(service),
        seen: one.isEarlier
          ? `${describePlace(one.by)}, sets bits of the mark; then ${describePlace(one.rule)}, sets mark ${one.mark} and keeps these bits, so packets get ${one.kept === undefined ? "another mark" : `mark ${one.kept}`}`
          : `${describePlace(one.rule)}, sets mark ${one.mark}; then ${describePlace(one.by)}, sets ${markAfter(one)}`,
        certainty: one.certain ? "proven" : "likely",
        evidence: [
          "no packet reaches the service now",
          "requests without the mark are not for the service: this machine handles them as any others, and mostly refuses them",
        ],
        fix: setAgain(one, firewall),
      })),
    ),
);

/** A rule whose mark does not last. */
interface Overwritten {
  readonly mark: number;
  readonly rule: MarkSetter;
  /** The rule that sets another mark */
  readonly by: Marking;
  /** Whether it comes first, and the rule of the service keeps bits of it */
  readonly isEarlier: boolean;
  /** The mark behind both, if it is known */
  readonly kept: number | undefined;
  /** Whether the same packets meet both for certain, and reach IPVS with another mark */
  readonly certain: boolean;
  /** The packets that lose the mark */
  readonly packets: readonly Packet[];
}

/** The rules that set the mark of a service without traffic, if another rule replaces the mark of each before IPVS sees it; else none. */
export function overwritten(
  firewall: Ruleset,
  { key, stats }: Pick<ServiceWithServers, "key" | "stats">,
  network: Network,
): Overwritten[] {
  if (!("firewallMark" in key) || stats.inPacketsPerSecond > 0n) return [];
  const mark = key.firewallMark;
  const early = rulesThatMark(firewall, key.family).filter((one) => one.early);
  // A rule that takes the mark from elsewhere may set it.
  if (early.some(({ isKnown }) => !isKnown)) return [];
  const found: Overwritten[] = [];
  let certain = true;
  for (const rule of early) {
    if (!makesMark(rule.verdict, mark)) continue;
    const lost = packetsOf(rule, key, network).flatMap((packet) => {
      const fate = fateOf(mark, rule, packet, firewall);
      if (fate === "unmarked") certain = false;
      return fate === "unmarked" ? [] : [{ packet, fate }];
    });
    const packets = lost.map(({ packet }) => packet);
    for (const { fate } of lost) {
      if (fate === "marked") return [];
      certain &&= fate.certain;
    }
    const [first] = lost;
    if (first && first.fate !== "marked")
      found.push({ ...first.fate, mark, rule, certain: true, packets });
  }
  // A service that got packets had its mark.
  if (!certain && stats.inPackets > 0n) return [];
  return found.map((one) => ({ ...one, certain }));
}

/** What becomes of a packet that a rule marks: it does not meet the rule, it keeps the mark, or it loses it. */
type Fate =
  | "unmarked"
  | "marked"
  | Pick<Overwritten, "by" | "isEarlier" | "kept" | "certain">;

function fateOf(
  mark: number,
  rule: MarkSetter,
  packet: Packet,
  firewall: Ruleset,
): Fate {
  const way = wayToIpvs(rule, packet, firewall);
  const at = way.marks.findIndex(
    (one) => one.rule === rule.rule && one.base.base === rule.base.base,
  );
  const set = way.marks[at];
  if (!set) return "unmarked";
  // Several rules may make the mark together.
  const last = way.marks.findLastIndex(
    (one, index) => index >= at && one.mark === mark,
  );
  if (last < 0 && set.mark !== undefined)
    return spoilt(mark, way, at) ?? "unmarked";
  if (way.mark === mark) return "marked";
  const by = way.marks
    .slice(Math.max(at, last) + 1)
    .find(
      ({ packets, verdict }) => packets !== 0n && changesMark(verdict, mark),
    );
  if (!by) return "marked";
  const certain = set.certain && by.certain && way.mark !== undefined;
  return { by, isEarlier: false, kept: way.mark, certain };
}

/** An earlier rule whose bits remain behind a rule that sets the whole mark of the service, and nothing clears. */
function spoilt(
  mark: number,
  way: Way,
  at: number,
): Exclude<Fate, string> | undefined {
  const set = way.marks[at];
  if (set?.verdict.does !== "mark" || way.mark === mark) return undefined;
  if (changed(set.verdict, 0) !== mark) return undefined;
  const { mask } = set.verdict;
  const by = way.marks
    .slice(0, at)
    .findLast(
      ({ packets, verdict }) =>
        packets !== 0n &&
        verdict.does === "mark" &&
        (verdict.value & ~mask) !== 0,
    );
  if (!by) return undefined;
  const certain = set.certain && by.certain && way.mark !== undefined;
  return { by, isEarlier: true, kept: set.mark, certain };
}

interface Way {
  readonly marks: readonly Marking[];
  readonly mark: number | undefined;
}

/** What sets the mark of a packet on its way to IPVS, and the mark that IPVS sees, if it is known. */
function wayToIpvs(rule: MarkSetter, packet: Packet, firewall: Ruleset): Way {
  const given = new Set(rule.conditions);
  const first = walk(firewall, "prerouting", packet, { given });
  if (first.stops.some(({ certain }) => certain))
    return { marks: first.marks, mark: first.packet.mark };
  const before = IPVS_INPUT_PRIORITY;
  const second = walk(firewall, "input", first.packet, { before, given });
  return {
    marks: [...first.marks, ...second.marks],
    mark: second.packet.mark,
  };
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

/** More values of one kind are not tried. A multiport match has at most 15. */
const MOST_VALUES = 16;

/** Packets that meet a marking rule: one for each value that its conditions name, such as a port. */
function packetsOf(
  { conditions }: MarkSetter,
  { family }: FirewallMarkKey,
  network: Network,
): Packet[] {
  const all = conditions.flatMap(flat);
  const destinations = all.flatMap(destinationsOf);
  const protocols = all.flatMap((one) =>
    one.about === "protocol" ? one.numbers : [],
  );
  const ports = all.flatMap((one) =>
    one.about === "port" && one.end === "destination" ? one.ranges.flat() : [],
  );
  const devices = clientDevices(network, family, destinations[0], undefined);
  const device = devices.length === 1 ? devices[0] : undefined;
  const comesIn = judgeAll(conditions, { family, incoming: device }) !== "no";
  const incoming = comesIn ? device : undefined;
  return values(destinations)
    .flatMap((destination) =>
      values(protocols).flatMap((protocol) =>
        values(ports).map((destinationPort): Packet => ({
          family,
          incoming,
          destination,
          protocol,
          destinationPort,
          destinationIsLocal: isOwn(network, destination),
        })),
      ),
    )
    .filter((packet) => judgeAll(conditions, packet) !== "no")
    .map((packet) => ({ ...packet, mark: 0 }));
}

/** Undefined: not known. A routing rule for the mark can make an address local. */
function isOwn(
  network: Network,
  address: Address | undefined,
): true | undefined {
  return address && isLocal(network, address) === true ? true : undefined;
}

function values<T>(some: readonly T[]): readonly (T | undefined)[] {
  const each = [...new Set(some)];
  return each.length === 0 || each.length > MOST_VALUES ? [undefined] : each;
}

function flat(condition: Condition): readonly Condition[] {
  return condition.about === "all"
    ? condition.conditions.flatMap(flat)
    : [condition];
}

/** The target of a rule that sets a mark, as iptables-save prints it */
const TARGET = /-j MARK --\S+ \S+$/;

/** The same rule once more, behind the one that replaces the mark, if that makes the mark of the service again. */
function setAgain(one: Overwritten, firewall: Ruleset): Fix[] {
  const { rule, by, mark } = one;
  const { table, base } = by;
  // The conditions of a rule in another chain are not all in its text.
  if (rule.chain !== rule.base || rule.table !== table || !rule.rule) return [];
  const { text } = rule.rule;
  if (!/^ip6?tables/.test(table.program)) return [];
  if (!PLAIN_RULE.test(text) || !TARGET.test(text)) return [];
  const again = [rule.rule, wholeMark(rule.rule, mark)].find((added) =>
    makesMarkAgain(added, one, firewall),
  );
  if (!again) return [];
  return [
    {
      command: `${table.program} -t ${table.name} -A ${shellWord(base.name)} ${again.text}`,
      effect: `these packets carry mark ${mark} when they reach IPVS; what uses the other mark afterwards, such as tc or a routing rule, does not see them any more; add the rule to the firewall's configuration to keep it`,
    },
  ];
}

/** The rule with a target that sets all bits of the mark. */
function wholeMark({ text, packets, steps }: Rule, mark: number): Rule {
  const mask = 0xffffffff;
  return {
    text: text.replace(
      TARGET,
      `-j MARK --set-xmark 0x${mark.toString(16)}/0x${mask.toString(16)}`,
    ),
    packets,
    steps: steps.map((step) =>
      "then" in step ? { then: { does: "mark", value: mark, mask } } : step,
    ),
  };
}

/** Whether the packets that lose the mark have it again with a rule at the end of the chain that replaces it. */
function makesMarkAgain(
  added: Rule,
  { mark, rule, by, packets }: Overwritten,
  { tables }: Ruleset,
): boolean {
  if (rule.verdict.does !== "mark" || changed(rule.verdict, 0) !== mark)
    return false;
  const base = { ...by.base, rules: [...by.base.rules, added] };
  const chains = new Map(by.table.chains).set(base.name, base);
  const changedTables = tables.map((table) =>
    table === by.table ? { ...table, chains } : table,
  );
  return packets.every(
    (packet) =>
      wayToIpvs(rule, packet, { tables: changedTables }).mark === mark,
  );
}
