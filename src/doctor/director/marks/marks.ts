import type { Address } from "../../../ipvs/address.js";
import type { ServiceKey, ServiceWithServers } from "../../../ipvs/model.js";
import { decodeUtf8 } from "../../../text/utf8.js";
import { check } from "../../check.js";
import { ofService } from "../../commands.js";
import type { Finding, Fix } from "../../finding.js";
import { describePlace } from "../../firewall/describe.js";
import type { Firewall } from "../../firewall/read-firewall.js";
import type { Network } from "../../network.js";
import { shellWord } from "../../shell.js";
import {
  destinationsOf,
  markingRules,
  mismatchOf,
  type FirewallMarkKey,
  type MarkingRule,
  type Mismatch,
} from "./marking-rules.js";
import { PLAIN_RULE } from "../../firewall/plain-rule.js";

/** Services by firewall mark with a rule that sets the mark and cannot match requests. */
export const unmatchedMarks = check(
  ["mark-unmatched"],
  ["table", "firewall", "network"],
  ({ table, firewall, network }) =>
    table.flatMap((service): Finding<"mark-unmatched">[] => {
      const { key, servers } = service;
      if (!("firewallMark" in key)) return [];
      const unmatched = unmatchedRules(firewall, service, network);
      return unmatched.map(({ rule, mismatch }) => ({
        id: "mark-unmatched",
        ...ofService({ key }),
        seen: `${describePlace(rule)}, sets mark ${key.firewallMark}: ${mismatch.text}`,
        certainty: "likely",
        evidence: [
          ...chainEvidence(rule),
          "requests without the mark are not for the service: this machine handles them as any others, and mostly refuses them",
          ...tcEvidence(servers),
        ],
        next: [followClient()],
        fix: unmatched.length === 1 ? interfaceFix(rule, mismatch) : [],
      }));
    }),
);

/** The rules that set the mark of a service, if none of them can match a request; else none. */
export function unmatchedRules(
  firewall: Firewall,
  { key, stats }: Pick<ServiceWithServers, "key" | "stats">,
  network: Network,
): { readonly rule: MarkingRule; readonly mismatch: Mismatch }[] {
  if (!("firewallMark" in key) || stats.inPacketsPerSecond > 0) return [];
  const rules = markingRules(firewall, key).filter(({ early }) => early);
  const unmatched = rules.flatMap((rule) => {
    if (!rule.isKnown || (rule.packets ?? stats.inPackets) > 0n) return [];
    const mismatch = mismatchOf(rule, key, network);
    return mismatch ? [{ rule, mismatch }] : [];
  });
  return unmatched.length === rules.length ? unmatched : [];
}

/** Whether a rule sets a mark before IPVS sees it, as far as is known: a rule that could not be read may do so. */
export function isMarkSet(firewall: Firewall, key: FirewallMarkKey): boolean {
  return (
    firewall.unread.length > 0 ||
    markingRules(firewall, key).some(({ early }) => early)
  );
}

/** The single addresses for which rules set the marks of services. */
export function markedAddresses(
  firewall: Firewall,
  keys: readonly ServiceKey[],
): Address[] {
  return keys.flatMap((key) =>
    "firewallMark" in key
      ? markingRules(firewall, key).flatMap(({ conditions }) =>
          conditions.flatMap(destinationsOf),
        )
      : [],
  );
}

/** Follows a client. */
export function followClient(): Fix {
  return {
    command: "ipvsadm doctor --client CLIENT --for 30s",
    effect:
      "CLIENT is the address of a client, which must make requests meanwhile",
  };
}

function chainEvidence({ base, packets }: MarkingRule): string[] {
  const passed = base.base?.policyPackets;
  return packets === 0n && passed !== undefined && passed > 0n
    ? [
        `${passed} ${passed === 1n ? "packet has" : "packets have"} passed chain ${decodeUtf8(base.name)}, and the rule has matched none of them`,
      ]
    : [];
}

/** The same rule for the interface by which requests come in, ahead of the one that is there. */
function interfaceFix(
  { table, chain, rule, position = 1 }: MarkingRule,
  { why, devices }: Mismatch,
): Fix[] {
  const [device, ...others] = devices;
  const text = rule?.text ?? "";
  const named = /(?:! )?-i \S+/;
  if (why !== "interface" || device === undefined || others.length > 0)
    return [];
  if (!/^ip6?tables/.test(table.program) || !PLAIN_RULE.test(text)) return [];
  // The interface may also be in a rule that calls the chain.
  if (!named.test(text)) return [];
  const changed = text.replace(named, () => `-i ${shellWord(device)}`);
  return [
    {
      command: `${table.program} -t ${table.name} -I ${shellWord(decodeUtf8(chain.name))} ${position} ${changed}`,
      effect: `these packets carry the mark if they come in by ${device}; the rule that is there stays; add the new one to the firewall's configuration to keep it`,
    },
  ];
}

/** Something that is no firewall rule may have set the mark. */
export function tcEvidence(servers: ServiceWithServers["servers"]): string[] {
  const packets = servers.reduce(
    (sum, { stats }) => sum + Number(stats.inPackets),
    0,
  );
  return packets === 0
    ? ["its servers never got a packet"]
    : [
        `its servers got ${packets} packets before: a rule was removed or changed, or tc sets the mark`,
      ];
}
