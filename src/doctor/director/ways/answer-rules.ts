import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import { MASQUERADING } from "../../../ipvs/model.js";
import { isWithin } from "../../../rtnl/address-owners.js";
import type { Route, Rule } from "../../../rtnl/model.js";
import { check, type Known } from "../../check.js";
import type { Finding, Fix } from "../../finding.js";
import { deviceOf, type Network, type RuledAnswer } from "../../network.js";
import { shellWord } from "../../shell.js";
import { sysctlNumber, type Sysctls } from "../../sysctls.js";
import { countedAnswers, countedText } from "../reach/counted-answers.js";
import { silences, waitingText, type Silence } from "../reach/silence.js";

type Unruled = Omit<RuledAnswer, "rule" | "main">;

/**
 * The first routing rule that leads a packet to the table of its route. Rules ahead of it that match lead to tables without
 * a route, or leave it out.
 *
 * @see fib_rules_lookup() in net/core/fib_rules.c
 */
export function choosingRule(
  answer: Unruled,
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
  const fits =
    !rule.hasMore &&
    (rule.from === undefined ||
      isWithin(source, rule.from.address, rule.from.bits)) &&
    (rule.to === undefined || isWithin(to, rule.to.address, rule.to.bits)) &&
    (rule.incoming === undefined || rule.incoming === incoming) &&
    rule.outgoing === undefined &&
    (rule.mark === undefined || rule.mark.value === 0);
  return fits !== rule.inverted;
}

/** An answer that leaves by another interface than requests come in by, because of a routing rule. */
export interface Diversion extends RuledAnswer {
  readonly rule: Rule;
  readonly main: Route;
  /** The interface with the network of the virtual address, if there is one; the main table leads there as well */
  readonly near: string | undefined;
}

/** Whether a routing rule leads the answer to a client past the interface by which its requests seem to come in. */
export function diversionOf(
  client: Address,
  server: Address,
  virtual: Address,
  { network, sysctls }: { network: Network; sysctls: Sysctls },
): Diversion | undefined {
  const reroutes = sysctlNumber(sysctls, "net/ipv4/vs/snat_reroute") !== 0;
  const found = (network.ruledAnswers ?? []).find(
    (one) =>
      sameAddress(one.to, client) &&
      sameAddress(one.server, server) &&
      sameAddress(one.virtual, virtual) &&
      sameAddress(one.source, reroutes ? virtual : server),
  );
  if (!found) return undefined;
  const { rule, main, way } = found;
  const device = way.hops[0]?.device;
  const usual = main?.type === "unicast" ? main.hops[0]?.device : undefined;
  if (!rule || !main || usual === undefined || usual === device)
    return undefined;
  const near = network.addresses.filter(
    (own) =>
      own.peer === undefined &&
      own.prefixBits < virtual.length * 8 &&
      isWithin(virtual, own.address, own.prefixBits) &&
      deviceOf(network, own.device)?.up === true &&
      deviceOf(network, own.device)?.loopback === false,
  );
  if (near.some((own) => own.device === device)) return undefined;
  const own = near.find((one) => one.device === usual);
  // Requests come in by a network of which the main table does not know.
  if (near.length > 0 && !own) return undefined;
  return {
    ...found,
    rule,
    main,
    near: own && deviceOf(network, own.device)?.name,
  };
}

/** The answers of a silent server that a routing rule leads past the interface of the requests. */
function diversionsOf(
  silence: Silence,
  facts: Known<"network" | "sysctls">,
): Diversion[] {
  const { server, clients } = silence;
  if (server.settings.forwarding !== MASQUERADING) return [];
  const virtuals = (facts.network.ruledAnswers ?? []).map(
    ({ virtual }) => virtual,
  );
  const { key } = silence.service;
  const own = "firewallMark" in key ? virtuals : [key.address];
  return clients.flatMap((client) =>
    [...new Map(own.map((one) => [formatAddress(one), one])).values()].flatMap(
      (virtual) =>
        diversionOf(client, server.key.address, virtual, facts) ?? [],
    ),
  );
}

/** Whether a routing rule explains that clients do not confirm the connections of a server. */
export function isDiverted(
  silence: Silence,
  facts: Known<"network" | "sysctls"> & Parameters<typeof countedAnswers>[1],
): boolean {
  return (
    countedAnswers(silence, facts)?.are === "answers" &&
    diversionsOf(silence, facts).length > 0
  );
}

/** Routing rules that lead answers away from the clients. */
export const answerRules = check(
  ["answers-elsewhere"],
  [
    "table",
    "allServices",
    "network",
    "stations",
    "connections",
    "timeouts",
    "sysctls",
  ],
  (facts) => {
    const found = new Map<
      Rule,
      { silences: Set<Silence>; diversions: Diversion[] }
    >();
    for (const silence of silences(facts)) {
      if (!isDiverted(silence, facts)) continue;
      for (const diversion of diversionsOf(silence, facts)) {
        const one = found.get(diversion.rule) ?? {
          silences: new Set(),
          diversions: [],
        };
        one.silences.add(silence);
        one.diversions.push(diversion);
        found.set(diversion.rule, one);
      }
    }
    return [...found.values()].flatMap((one) =>
      findingOf([...one.silences], one.diversions, facts),
    );
  },
);

function findingOf(
  silent: readonly Silence[],
  diversions: readonly Diversion[],
  facts: Known<"network"> & Parameters<typeof countedAnswers>[1],
): Finding<"answers-elsewhere">[] {
  const { network } = facts;
  const [first] = diversions;
  if (!first) return [];
  const { rule, to, source, server } = first;
  const ip = commandFor(to);
  const marks = (network.rules ?? []).some(
    ({ mark }) => mark !== undefined && mark.value !== 0 && !rule.mark,
  );
  return [
    {
      id: "answers-elsewhere",
      subject: ruleName(rule),
      seen: diversionText(first, network),
      certainty: "likely",
      evidence: [
        mainText(first, network),
        ...silent.flatMap((silence) => {
          const counted = countedAnswers(silence, facts);
          return counted
            ? [`${waitingText(silence)}; ${countedText(silence, counted)}`]
            : [];
        }),
        ...(marks
          ? [
              "a routing rule of this machine looks at firewall marks: answers with such a mark may have another route",
            ]
          : []),
      ],
      next: [
        {
          command: `${ip} rule`,
          effect: "changes nothing; shows the routing rules",
        },
        {
          command:
            source === server
              ? `${ip} route get ${formatAddress(to)} from ${formatAddress(source)} iif ${shellWord(deviceOf(network, first.device)?.name ?? "INTERFACE")}`
              : `${ip} route get ${formatAddress(to)} from ${formatAddress(source)}`,
          effect: "changes nothing; shows the route of the answers",
        },
      ],
      fix: fixOf(diversions, network),
    },
  ];
}

/** `answers to 198.51.100.10 from 192.0.2.100 leave by vpn0 …`, with the rule. */
export function diversionText(
  { to, virtual, rule, way }: Diversion,
  network: Network,
): string {
  return `answers to ${formatAddress(to)} from ${formatAddress(virtual)} leave ${wayText(way, to, network)}, because of routing rule ${rule.priority}, "${ruleText(rule, way.table)}", which takes ${takenText(rule)}`;
}

/** What the main table has for the same client. */
export function mainText(
  { main, near, to, virtual }: Diversion,
  network: Network,
): string {
  return `the main table leads there ${wayText(main, to, network)}${near === undefined ? "" : `, and ${formatAddress(virtual)} is in the network of ${near}: requests seem to come in there`}`;
}

/** `by eth0, through 192.0.2.1` */
function wayText({ hops }: Route, to: Address, network: Network): string {
  const [hop] = hops;
  const name = deviceOf(network, hop?.device)?.name ?? "INTERFACE";
  return `by ${name}, ${hop?.gateway && !sameAddress(hop.gateway, to) ? `through ${formatAddress(hop.gateway)}` : "directly"}`;
}

function ruleName({ priority, family }: Rule): string {
  return `${family === 2 ? "" : "IPv6 "}routing rule ${priority}`;
}

function commandFor(address: Address): string {
  return address.length === 4 ? "ip" : "ip -6";
}

/** A rule as `ip rule` prints it. */
function ruleText(rule: Rule, table: number): string {
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
function takenText(rule: Rule): string {
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

/** A rule ahead of the one that leads answers away, for these answers alone. */
function fixOf(diversions: readonly Diversion[], network: Network): Fix[] {
  const commands = new Map<string, Fix>();
  for (const { rule, to, source, server, device, main, way } of diversions) {
    const priority = freePriority(rule, network.rules ?? []);
    if (priority === undefined) return [];
    const isServer = source === server;
    const text = formatAddress(source);
    const name = deviceOf(network, device)?.name ?? "INTERFACE";
    const by = deviceOf(network, way.hops[0]?.device)?.name ?? "INTERFACE";
    const command = `${commandFor(to)} rule add from ${text}${isServer ? ` iif ${shellWord(name)}` : ""} lookup main priority ${priority}`;
    commands.set(command, {
      command,
      effect: `${isServer ? `all packets that come from ${text} by ${name}, not only answers,` : `all packets that this machine sends from ${text}`} follow the main table, now ${wayText(main, to, network)}; all others keep to rule ${rule.priority}; clients that only ${by} reaches need a route in the main table; it lasts until reboot: add it to the configuration of the network`,
    });
  }
  return [...commands.values()];
}

/** The highest priority ahead of a rule that no rule has; undefined if there is none. */
function freePriority(
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
