import { TCP } from "../../../ipvs/model.js";
import { decodeUtf8 } from "../../../text/utf8.js";
import type { Fix } from "../../finding.js";
import {
  acceptCommand,
  dropResetsCommand,
  type RulePlace,
} from "../../firewall/accept-rule.js";
import type { FlagMatch, FlowMatch, FlowStop } from "../../firewall/flow.js";
import { SYN, SYN_ACK, type Packet } from "../../firewall/packet.js";
import type { Chain, Table } from "../../firewall/ruleset.js";
import type { Blockage } from "./blockages.js";
import { KEEPALIVED_REPAIR, keepalivedEvidence } from "./keepalived-rules.js";
import type { DirectorFlow } from "./flows.js";

/** The chain that Docker leaves to the administrator */
const DOCKER_USER = "DOCKER-USER";

/**
 * The commands that let blocked packets pass a chain, each once. They accept what is stopped, ahead of the first rule
 * that stops it, so that the rules before it still apply.
 *
 * @param blockages of one base chain
 */
export function acceptBlocked(blockages: readonly Blockage[]): Fix[] {
  const flows = new Map<DirectorFlow, FlowStop[]>();
  for (const { flow, stop } of blockages)
    flows.set(flow, [...(flows.get(flow) ?? []), stop]);
  const rules = Array.from(flows, ([flow, stops]) =>
    acceptFlow(flow, stops),
  ).flat();
  const fixes = fromTheEnd(rules).map(({ fix }) => fix);
  return [...new Map(fixes.map((fix) => [fix.command, fix])).values()];
}

interface PlacedFix {
  readonly fix: Fix;
  readonly place: RulePlace;
}

/** Commands of one chain, the last place first: a new rule changes the positions of those behind it. */
function fromTheEnd(rules: readonly PlacedFix[]): PlacedFix[] {
  const chains = new Map<Chain, PlacedFix[]>();
  for (const rule of rules)
    chains.set(rule.place.chain, [
      ...(chains.get(rule.place.chain) ?? []),
      rule,
    ]);
  const positionOf = ({ place }: PlacedFix) => place.position ?? Infinity;
  return [...chains.values()].flatMap((some) =>
    some.toSorted((a, b) => {
      const [one, other] = [positionOf(a), positionOf(b)];
      return one === other ? 0 : other - one;
    }),
  );
}

function acceptFlow(
  flow: DirectorFlow,
  stops: readonly FlowStop[],
): PlacedFix[] {
  return rulesFor(flow, stops).flatMap(({ flags, before }) =>
    interfacesOf(flow, before).map((interfaces) => {
      const place = placeBefore(before);
      const match = { ...flow.match, ...interfaces, flags };
      return {
        fix: {
          command: acceptCommand(match, place),
          effect: effectOf(flow, match, place, before),
        },
        place,
      };
    }),
  );
}

/** A rule that accepts packets with these flags, before all rules that stop them */
interface AcceptingRule {
  readonly flags: FlagMatch | undefined;
  readonly before: readonly FlowStop[];
}

/** Packets that open connections and those after them are often stopped by different rules, so each get their own. */
function rulesFor(
  { what }: DirectorFlow,
  stops: readonly FlowStop[],
): AcceptingRule[] {
  const stopsSome = (wanted: (packet: Packet) => boolean) =>
    stops.filter(({ stopped }) => stopped.some(wanted));
  const byFlags =
    stops.every(({ does }) => does !== "redirect") &&
    stopsSome(
      ({ protocol, tcpFlags }) => protocol === TCP && tcpFlags !== undefined,
    ).length > 0;
  if (!byFlags) return [{ flags: undefined, before: stops }];
  if (what === "answers") {
    const first = stopsSome(({ tcpFlags }) => tcpFlags === SYN_ACK);
    return [{ flags: first.length > 0 ? "not-syn" : "ack", before: stops }];
  }
  const opening = stopsSome(({ tcpFlags }) => tcpFlags === SYN);
  const later = stopsSome(({ tcpFlags }) => tcpFlags !== SYN);
  if (later.length === 0) return [{ flags: "syn", before: opening }];
  if (opening.length === 0) return [{ flags: "ack", before: later }];
  if (stops.length === 1) return [{ flags: undefined, before: stops }];
  return [
    { flags: "syn", before: opening },
    { flags: "ack", before: later },
  ];
}

/** The interfaces of the packets, where the routes tell them. Requests may come in by any. */
function interfacesOf(
  { what }: DirectorFlow,
  stops: readonly FlowStop[],
): Pick<FlowMatch, "incoming" | "outgoing">[] {
  if (what === "requests") return [{}];
  const found = new Map(
    stops
      .flatMap(({ stopped }) => stopped)
      .map(({ incoming, outgoing }) => [
        `${incoming ?? ""} ${outgoing ?? ""}`,
        { incoming, outgoing },
      ]),
  );
  return [...found.values()];
}

/** The place before the first of some stops; with a policy alone, behind all rules. */
function placeBefore(stops: readonly FlowStop[]): RulePlace {
  const [first] = stops;
  if (!first) throw new Error("nothing is stopped");
  const { table, base, chain } = first;
  const positions = stops.flatMap(({ position }) => position ?? []);
  if (positions.length === 0)
    return dockerPlace(table, base) ?? { table, chain, position: undefined };
  if (stops.every((one) => one.chain === chain))
    return { table, chain, position: Math.min(...positions) };
  const calls = stops.flatMap(({ path = [] }) => path.slice(0, 1));
  return { table, chain: base, position: Math.min(...calls) };
}

/** The place in Docker's chain for rules of others, if all packets of the chain pass it. */
function dockerPlace(table: Table, base: Chain): RulePlace | undefined {
  const chain = table.chains.get(DOCKER_USER);
  const isCalled = base.rules.some(({ steps: [step, ...more] }) => {
    const verdict = step && "then" in step ? step.then : undefined;
    return (
      more.length === 0 &&
      verdict?.does === "jump" &&
      verdict.chain === DOCKER_USER
    );
  });
  if (!chain || !isCalled) return undefined;
  const last = chain.rules.at(-1)?.steps[0];
  const returns = last && "then" in last && last.then.does === "return";
  return {
    table,
    chain,
    position: returns === true ? chain.rules.length : undefined,
  };
}

/** Whether Docker keeps rules in the table. */
export function isDockers({ chains }: Table): boolean {
  return chains.has("DOCKER") || chains.has(DOCKER_USER);
}

/** What a rule lets in, and how to keep it. */
function effectOf(
  { text, what }: DirectorFlow,
  match: FlowMatch,
  { table, chain, position }: RulePlace,
  before: readonly FlowStop[],
): string {
  const { flags, incoming, outgoing, protocol } = match;
  const name = decodeUtf8(chain.name);
  const where =
    position === undefined
      ? `behind all rules of chain ${name}`
      : `ahead of rule ${position} of chain ${name}`;
  const way = [
    ...(incoming === undefined ? [] : [`come in by ${decodeUtf8(incoming)}`]),
    ...(outgoing === undefined ? [] : [`leave by ${decodeUtf8(outgoing)}`]),
  ].join(" and ");
  const packets = way === "" ? text : `${text} that ${way}`;
  const keep =
    name === DOCKER_USER
      ? "Docker leaves this chain alone; add it to the machine's configuration to keep it over a reboot"
      : before.some((stop) => keepalivedEvidence(stop) !== undefined)
        ? KEEPALIVED_REPAIR
        : "add it to the firewall's configuration to keep it";
  const answer =
    flags === "ack" && what !== "answers" ? resetText(match, table) : "";
  return `${accepted(packets, where, { flags, what, protocol })}${answer}; ${keep}`;
}

/** What the machine does with an ACK of no connection, which a scan sends, and how to prevent it. */
function resetText(match: FlowMatch, { program }: Table): string {
  const silent =
    program === "nft" ? undefined : dropResetsCommand(match, program);
  return silent === undefined
    ? ", and this machine answers it with a reset"
    : `, and this machine answers it with a reset; "${silent}" drops these resets, also those for clients whose connection has expired`;
}

function accepted(
  packets: string,
  where: string,
  {
    flags,
    what,
    protocol,
  }: Pick<FlowMatch, "flags" | "protocol"> & Pick<DirectorFlow, "what">,
): string {
  switch (flags) {
    case "syn":
      return `accepts the SYN of ${packets}, ${where}; other packets meet the existing rules`;
    case "not-syn":
      return `accepts ${packets}, ${where}; new connections from there (SYN) meet the existing rules`;
    case "ack":
      return what === "answers"
        ? `accepts the packets of ${packets} with ACK and without SYN, ${where}; other packets meet the existing rules`
        : `accepts the packets of ${packets} with ACK and without SYN, ${where}; other packets, such as SYN and scans with FIN alone, meet the existing rules; an ACK that belongs to no connection gets in, too`;
    case undefined: {
      const all = `accepts ${packets}, ${where}`;
      if (what === "answers") return `${all}, and new connections from there`;
      return protocol === TCP ? `${all}, whatever their TCP flags` : all;
    }
  }
}
