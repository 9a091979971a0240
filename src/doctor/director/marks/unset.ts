import { formatAddress, type Address } from "../../../ipvs/address.js";
import {
  PROTOCOL_NAMES,
  PROTOCOLS,
  type Protocol,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { decodeUtf8 } from "../../../text/utf8.js";
import { check, type Known } from "../../check.js";
import { ofService } from "../../commands.js";
import { groupsOf } from "../../connections.js";
import type { Facts as AllFacts } from "../../facts.js";
import type { Finding, Fix } from "../../finding.js";
import { describePlace } from "../../firewall/describe.js";
import { iptablesProgram } from "../../firewall/iptables-program.js";
import { PLAIN_RULE } from "../../firewall/plain-rule.js";
import { markingCommands } from "./marking-commands.js";
import {
  markingRules,
  type FirewallMarkKey,
  type MarkingRule,
} from "./marking-rules.js";
import { isMarkSet, tcEvidence } from "./marks.js";
import {
  correctRules,
  misreading,
  otherMarks,
  renameService,
  type OtherMark,
} from "./other-marks.js";

type Facts = AllFacts & Known<"table" | "firewall">;
type Marked = ServiceWithServers & { readonly key: FirewallMarkKey };

/** Services by firewall mark whose mark no rule sets. */
export const marks = check(["mark-unset"], ["table", "firewall"], (facts) => {
  const isUnset = (service: ServiceWithServers): service is Marked =>
    "firewallMark" in service.key && !isMarkSet(facts.firewall, service.key);
  const unset = facts.table.filter(isUnset);
  const all = (facts.allServices ?? facts.table).filter(isUnset);
  return unset.map((service) => findingOf(service, all, facts));
});

function findingOf(
  service: Marked,
  unset: readonly Marked[],
  facts: Facts,
): Finding<"mark-unset"> {
  const { key, servers } = service;
  const mark = key.firewallMark;
  const [late] = markingRules(facts.firewall, key);
  const nothing = late
    ? `only chain ${decodeUtf8(late.base.name)} sets mark ${mark}, and requests do not pass it before IPVS`
    : `no rule sets mark ${mark}`;
  const others = late ? [] : otherMarks(key, facts);
  const [meant, ...more] = others;
  const base = { id: "mark-unset", ...ofService({ key }) } as const;
  if (!meant) {
    const fix = (late && earlier(late)) ?? knownRequests(service, facts) ?? [];
    return {
      ...base,
      seen: nothing,
      evidence: tcEvidence(servers),
      ...(fix.length === 0 && { cure: addRule(key, facts) }),
      fix,
    };
  }
  const misread = misreading(mark, meant.mark);
  const isSure =
    more.length === 0 &&
    (misread !== undefined ||
      unset.filter((one) => one.key.family === key.family).length === 1);
  const fix = isSure
    ? (correctRules(key, meant) ?? renameService(service, meant) ?? [])
    : [];
  const texts = others.map(
    (one) => `${settersText(one)}, which no service has`,
  );
  return {
    ...base,
    seen: isSure ? `${nothing}; ${texts.join()}` : nothing,
    evidence: [
      ...(isSure ? [] : texts),
      ...(isSure && misread !== undefined ? [misread] : []),
      ...tcEvidence(servers),
    ],
    ...(fix.length === 0 && {
      cure: `Find out which rule is for this service: let it set mark ${mark}, or give the service the mark of the rule. Keep it in the configuration of the firewall.`,
    }),
    fix,
  };
}

/** Names the rules that set a mark. */
function settersText({ mark, rules: [rule, ...others] }: OtherMark): string {
  const more =
    others.length === 0
      ? ""
      : `, and ${others.length} more ${others.length === 1 ? "rule" : "rules"}`;
  return `${describePlace(rule)}${more}, ${others.length === 0 ? "sets" : "set"} mark ${mark} (0x${mark.toString(16)})`;
}

/** What to do if nothing shows which packets are meant. Words in capitals are no part of a command that can be run. */
function addRule(
  { family, firewallMark: mark }: FirewallMarkKey,
  { firewall }: Facts,
): string {
  const program = iptablesProgram(firewall, family);
  return `Add a rule that sets mark ${mark}, with the address, the protocol and the port that clients use: "${program} -t mangle -A PREROUTING -d ADDRESS -p PROTOCOL --dport PORT -j MARK --set-mark ${mark}". For several ports write "-m multiport --dports PORT,PORT". Keep it in the configuration of the firewall.`;
}

/** The same rule where requests pass it before IPVS; undefined if it cannot be printed for a shell, or is about where packets leave. */
function earlier({ table, chain, base, rule }: MarkingRule): Fix[] | undefined {
  const text = rule?.text ?? "";
  // Rules that call the chain have conditions, too.
  if (chain !== base || !/^ip6?tables/.test(table.program)) return undefined;
  if (!PLAIN_RULE.test(text) || /(?:^| )-o /.test(text)) return undefined;
  return [
    {
      command: `${table.program} -t mangle -A PREROUTING ${text}`,
      effect:
        "these packets carry the mark, which routing rules may also use; add the rule to the firewall's configuration to keep it",
    },
  ];
}

/** More rules are not printed. */
const MOST_RULES = 4;

/** The rules for the requests that the service had, by its connections that are still in the table; undefined if there are none. */
function knownRequests(
  service: Marked,
  { connections, allServices, table, firewall }: Facts,
): Fix[] | undefined {
  if (!connections) return undefined;
  const byAddress = new Map<string, [Address, Map<Protocol, Set<number>>]>();
  for (const server of service.servers)
    for (const group of groupsOf(
      connections,
      service,
      server,
      allServices ?? table,
    )) {
      const { virtual, virtualPort } = group;
      const protocol = PROTOCOLS.find(
        (one) => PROTOCOL_NAMES[one] === group.protocol,
      );
      if (protocol === undefined) continue;
      const name = formatAddress(virtual);
      const [, ports] = byAddress.get(name) ?? [
        virtual,
        new Map<Protocol, Set<number>>(),
      ];
      ports.set(protocol, (ports.get(protocol) ?? new Set()).add(virtualPort));
      byAddress.set(name, [virtual, ports]);
    }
  const program = iptablesProgram(firewall, service.key.family);
  const commands = Array.from(byAddress.values(), ([address, ports]) =>
    markingCommands(program, address, ports, service.key.firewallMark),
  ).flat();
  if (commands.length === 0 || commands.length > MOST_RULES) return undefined;
  return commands.map((command) => ({
    command,
    effect:
      "these are the addresses and ports of the service's connections in the connection table: compare them with those that clients use; these packets carry the mark, which routing rules may also use",
  }));
}
