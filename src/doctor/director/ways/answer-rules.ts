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
import { freePriority, ruleName, ruleText, takenText } from "./routing-rule.js";
import { shellWord } from "../../shell.js";
import { sysctlNumber, type Sysctls } from "../../sysctls.js";
import { countedAnswers, countedText } from "../reach/counted-answers.js";
import { silences, waitingText, type Silence } from "../reach/silence.js";

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
      seen: `"${ruleText(rule, first.way.table)}" takes ${takenText(rule)}, so ${leavingText(first, network)}`,
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
export function diversionText(diversion: Diversion, network: Network): string {
  const { rule, way } = diversion;
  return `${leavingText(diversion, network)}, because of routing rule ${rule.priority}, "${ruleText(rule, way.table)}", which takes ${takenText(rule)}`;
}

/** `answers to 198.51.100.10 from 192.0.2.100 leave by vpn0, directly` */
export function leavingText(
  { to, virtual, way }: Diversion,
  network: Network,
): string {
  return `answers to ${formatAddress(to)} from ${formatAddress(virtual)} leave ${wayText(way, to, network)}`;
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

function commandFor(address: Address): string {
  return address.length === 4 ? "ip" : "ip -6";
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
