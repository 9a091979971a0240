import {
  formatAddress,
  parseAddress,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import {
  formatEndpoint,
  MASQUERADING,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { isWithin } from "../../../rtnl/address-owners.js";
import { decodeUtf8 } from "../../../text/utf8.js";
import { check, type Known } from "../../check.js";
import type { Finding, Fix } from "../../finding.js";
import { describePlace } from "../../firewall/describe.js";
import type { Rule, Ruleset } from "../../firewall/ruleset.js";
import type { Place } from "../../firewall/walk.js";
import {
  deviceOf,
  isLocal,
  nextHopTo,
  wayTo,
  type Network,
} from "../../network.js";
import { shellWord } from "../../shell.js";
import { CONNTRACK, sysctlNumber } from "../../sysctls.js";
import { possibleTranslations, translations } from "./beside-clients.js";
import { markedAddresses } from "../marks/marks.js";
import { PLAIN_RULE } from "../../firewall/plain-rule.js";
import { isPassive, isServing } from "../reach/reach.js";

type Facts = Known<
  "allServices" | "network" | "sysctls" | "connections" | "firewall"
>;

/** SNAT rules that give requests a source to which no answer comes back. */
export const snatAddresses = check(
  ["snat-address-elsewhere"],
  [
    "table",
    "daemons",
    "allServices",
    "network",
    "sysctls",
    "connections",
    "firewall",
  ],
  (facts) => {
    const { table, daemons } = facts;
    // A backup gets the address when it takes over.
    if (isPassive(daemons)) return [];
    const found = new Map<Rule | undefined, Lost[]>();
    for (const service of table) {
      if (!isActiveFor(service, facts)) continue;
      for (const server of service.servers.filter(isServing)) {
        const lost = lostSource(service, server, facts);
        if (lost)
          found.set(lost.rule.rule, [
            ...(found.get(lost.rule.rule) ?? []),
            lost,
          ]);
      }
    }
    return [...found.values()].map((all) => findingOf(all, facts));
  },
);

/** Whether this machine has the virtual address. Of a firewall mark: one of those that get the mark. */
function isActiveFor(
  { key }: ServiceWithServers,
  { network, firewall }: Facts,
): boolean {
  return "firewallMark" in key
    ? markedAddresses(firewall, [key]).some((one) => isLocal(network, one))
    : isLocal(network, key.address) !== false;
}

/** A rule that gives the requests to a server a source that leads elsewhere. */
interface Lost {
  readonly server: ServerEntry;
  readonly rule: Place;
  readonly source: Address;
}

/** The rule that gives requests to a masqueraded server a source in its network that this machine does not have. */
export function lostSource(
  service: ServiceWithServers,
  server: ServerEntry,
  facts: Facts,
): Lost | undefined {
  const { network, sysctls } = facts;
  const { address } = server.key;
  const device = nextHopTo(network, address)?.device;
  const [first] = snatRules(service, server, facts);
  const source = first && singleSource(first.rule);
  if (!source || isLocal(network, source) !== false) return undefined;
  if (network.addresses.some((own) => sameAddress(own.address, source)))
    return undefined;
  // Elsewhere, routes of the servers may lead to this machine.
  const isNear = network.addresses.some(
    (own) =>
      own.device === device &&
      own.address.length === source.length &&
      isWithin(source, own.address, own.prefixBits) &&
      isWithin(address, own.address, own.prefixBits),
  );
  const name = deviceOf(network, device)?.name ?? "";
  const proxy = (one: string) =>
    source.length === 4
      ? `net/ipv4/conf/${one}/proxy_arp`
      : `net/ipv6/conf/${one}/proxy_ndp`;
  const answersForOthers = ["all", name].some(
    (one) => sysctlNumber(sysctls, proxy(one)) === 1,
  );
  if (!isNear || answersForOthers) return undefined;
  return { server, rule: first, source };
}

/** The address that a rule gives to requests to a real server; undefined if it is not a single one. */
export function sourceOfRule(
  { rule }: Place,
  { key }: ServerEntry,
  network: Network,
): Address | undefined {
  return translatedTo(rule) === "the interface's address"
    ? wayTo(network, key.address)?.source
    : singleSource(rule);
}

/** The single addresses that rules give to packets as their source. */
export function sourcesOfRules({ tables }: Ruleset): Address[] {
  return tables.flatMap(({ chains }) =>
    Array.from(chains.values()).flatMap(({ rules }) =>
      rules.flatMap((rule) => singleSource(rule) ?? []),
    ),
  );
}

/** The SNAT rules that requests to a masqueraded server meet, as far as doctor can tell. */
export function snatRules(
  service: ServiceWithServers,
  server: ServerEntry,
  facts: Facts,
  client?: Address,
): Place[] {
  if (server.settings.forwarding !== MASQUERADING) return [];
  // Otherwise no rule of the table nat sees packets of IPVS.
  if (sysctlNumber(facts.sysctls, CONNTRACK) !== 1) return [];
  return translations(service, server, facts, client).filter(
    ({ certain, packets, rule }) =>
      certain
        ? packets !== 0n
        : packets !== undefined && isForService(rule?.text ?? "", service),
  );
}

/** The SNAT rules with the match `ipvs` for requests to a masqueraded server, which see no packet of IPVS now. */
export function unseenRules(
  service: ServiceWithServers,
  server: ServerEntry,
  facts: Facts,
  client?: Address,
): Place[] {
  if (server.settings.forwarding !== MASQUERADING) return [];
  if (sysctlNumber(facts.sysctls, CONNTRACK) !== 0) return [];
  return possibleTranslations(service, server, facts, client).filter(
    ({ rule }) => isForService(rule?.text ?? "", service),
  );
}

/** Whether a rule has the match `ipvs` of iptables, and that fits the service. */
function isForService(text: string, { key }: ServiceWithServers): boolean {
  if (!text.includes("-m ipvs ") || text.includes(" ! --v")) return false;
  const value = (option: string) =>
    new RegExp(`--${option} (\\S+)`).exec(text)?.[1];
  if (value("vmethod") !== undefined && value("vmethod") !== "MASQ")
    return false;
  const address = value("vaddr");
  const port = value("vport");
  if ("firewallMark" in key) return address === undefined;
  const [host = "", bits] = address?.split("/") ?? [];
  const network = parseAddress(host);
  return (
    (address === undefined ||
      (network?.length === key.address.length &&
        isWithin(
          key.address,
          network,
          bits === undefined ? network.length * 8 : Number(bits),
        ))) &&
    (port === undefined || port === String(key.port))
  );
}

function translatedTo(rule: Rule | undefined): string | undefined {
  for (const step of rule?.steps ?? [])
    if ("then" in step && step.then.does === "translate") return step.then.to;
  return undefined;
}

/** Undefined: several addresses, or none that is known. */
function singleSource(rule: Rule | undefined): Address | undefined {
  const to = translatedTo(rule) ?? "";
  const [, host = to] =
    /^\[?([^\]]+?)\]?:[\d-]+$/.exec(
      to.includes(".") || to.startsWith("[") ? to : "",
    ) ?? [];
  return parseAddress(host);
}

function findingOf(
  all: readonly Lost[],
  { network }: Facts,
): Finding<"snat-address-elsewhere"> {
  const [first] = all;
  if (!first) throw new Error("a rule without servers");
  const { rule, source } = first;
  const servers = new Set(
    all.map(({ server: { key } }) => formatEndpoint(key.address, key.port)),
  );
  const own = new Map(
    all.map(({ server }) => {
      const address = wayTo(network, server.key.address)?.source;
      return [address ? formatAddress(address) : "", address] as const;
    }),
  );
  const [[text, address] = ["", undefined]] = own;
  const right = own.size === 1 && address ? text : undefined;
  return {
    id: "snat-address-elsewhere",
    subject: formatAddress(source),
    seen: `${describePlace(rule)}, gives requests to ${[...servers].join(", ")} the source ${formatAddress(source)}, which is not an address of this machine`,
    certainty: (rule.packets ?? 0n) > 0n ? "proven" : "likely",
    evidence: [
      `the servers look for ${formatAddress(source)} in their own network, and this machine does not answer there for it`,
    ],
    cure: `Change the rule: --to-source ${right ?? "with an address of this machine in the servers' network"}.${right === undefined ? "" : ` ${right} is this machine's address in the servers' network.`}`,
    fix: right === undefined ? [] : correctedRule(rule, source, right),
  };
}

/** The same rule with another source, ahead of the one that is there. */
function correctedRule(
  { table, chain, rule, position = 1 }: Place,
  source: Address,
  right: string,
): Fix[] {
  const text = rule?.text ?? "";
  if (!/^ip6?tables/.test(table.program) || !PLAIN_RULE.test(text)) return [];
  const old = `--to-source ${formatAddress(source)}`;
  if (!`${text} `.includes(`${old} `)) return [];
  return [
    {
      command: `${table.program} -t ${table.name} -I ${shellWord(decodeUtf8(chain.name))} ${position} ${text.replace(old, `--to-source ${right}`)}`,
      effect: `the servers see clients of new connections with the address ${right}; the rule that is there stays, and no packet reaches it; add the new one to the firewall's configuration instead of it`,
    },
  ];
}
