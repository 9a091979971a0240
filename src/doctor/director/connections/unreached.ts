import { formatAddress, INET, sameAddress } from "../../../ipvs/address.js";
import {
  BACKUP,
  ONE_PACKET,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { assess } from "../../../ipvs/state.js";
import { check, type Known } from "../../check.js";
import { ofService } from "../../commands.js";
import type { Facts as AllFacts } from "../../facts.js";
import type { Finding, Fix } from "../../finding.js";
import { describePlace } from "../../firewall/describe.js";
import { isLocal } from "../../network.js";
import { sysctlNumber } from "../../sysctls.js";
import { announce, announcedOn } from "../ways/announce.js";
import { isUnanswered } from "../ways/arp-silence.js";
import { blockagesOf } from "../firewall/blockages.js";
import { deletedServices } from "./deleted-services.js";
import { notLocal } from "../marks/not-local.js";
import { markingRules, type FirewallMarkKey } from "../marks/marking-rules.js";
import { followClient, isMarkSet, unmatchedRules } from "../marks/marks.js";
import { overwritten } from "../marks/overwritten.js";
import { blockedClients } from "../firewall/neighbor-discovery.js";
import { isAny } from "../reach/reach.js";

/** Without it the kernel does not refresh its counters. */
const ESTIMATION = "net/ipv4/vs/run_estimation";
const BACKUP_ONLY = "net/ipv4/vs/backup_only";

type Facts = AllFacts &
  Known<
    | "table"
    | "allServices"
    | "daemons"
    | "network"
    | "connections"
    | "sysctls"
    | "firewall"
  >;

/** Services that no packet ever reached. A service that is not in use yet is alike, so all of them must be so. */
export const unreached = check(
  ["service-unreached"],
  [
    "table",
    "allServices",
    "daemons",
    "network",
    "connections",
    "sysctls",
    "firewall",
  ],
  (facts) => {
    const { table, daemons, sysctls } = facts;
    // Another machine gets the packets, unless this one has taken the addresses over.
    const isBackup = daemons.some(({ state }) => state === BACKUP);
    // IPVS then handles no packet, which is backup-only-active.
    if (isBackup && sysctlNumber(sysctls, BACKUP_ONLY) === 1) return [];
    if (sysctlNumber(sysctls, ESTIMATION) === 0) return [];
    // Connections that come by synchronization had their packets elsewhere.
    if (table.some(isBackup ? hasPackets : hasTraffic)) return [];
    // Old connections take the packets before any service does.
    if (deletedServices.examine(facts).length > 0) return [];
    return table
      .filter((service) => !isBackup || isTakenOver(service, facts))
      .filter((service) => couldBeReached(service, facts))
      .map((service): Finding<"service-unreached"> => ({
        id: "service-unreached",
        ...ofService(service),
        seen: `no packet has reached it since it was added or its counters were reset; ${whatIsKnown(service, facts)}`,
        evidence: isBackup
          ? [
              "this machine has a backup sync daemon and the virtual address: if it has taken the address over, neighbors perhaps still have the hardware address of the machine before it",
            ]
          : [],
        next: nextSteps(service, facts),
        fix: [],
      }));
  },
);

/** Whether another machine must be able to find the service here. */
function isTakenOver({ key }: ServiceWithServers, { network }: Facts): boolean {
  return (
    !("firewallMark" in key) && announcedOn(network, key.address) !== undefined
  );
}

function hasPackets({ stats }: ServiceWithServers): boolean {
  return stats.connections > 0n || stats.inPackets > 0n;
}

/** Whether a service has counted a packet, or has a connection: the counters are up to two seconds old. */
function hasTraffic(service: ServiceWithServers): boolean {
  return (
    hasPackets(service) ||
    service.servers.some(
      ({ activeConnections, inactiveConnections, persistentConnections }) =>
        activeConnections + inactiveConnections + persistentConnections > 0,
    )
  );
}

/** Whether no other finding explains that packets do not reach a service. */
function couldBeReached(service: ServiceWithServers, facts: Facts): boolean {
  const { key, settings } = service;
  // One-packet scheduling leaves no connections, and the counters can be too old.
  if (settings.flags & ONE_PACKET) return false;
  if (assess(service).state !== "ok" || settings.scheduler === "none")
    return false;
  if ("firewallMark" in key)
    return (
      isMarkSet(facts.firewall, key) &&
      unmatchedRules(facts.firewall, service, facts.network).length === 0 &&
      overwritten(facts.firewall, service, facts.network).length === 0 &&
      notLocal(service, facts).length === 0
    );
  if (isAny(key) || isLocal(facts.network, key.address) !== true) return false;
  // Another machine gets the packets, which is a finding of its own.
  if (
    facts.stations?.strangers.some(({ address }) =>
      sameAddress(address, key.address),
    )
  )
    return false;
  if (isUnanswered(key.address, facts)) return false;
  if (blockedClients(service, facts).length > 0) return false;
  return !blockagesOf(service, facts, facts.firewall).some(
    ({ flow, stop }) => flow.what === "requests" && stop.certain,
  );
}

/** What this machine does with requests to a service, as far as is known. */
function whatIsKnown({ key }: ServiceWithServers, { firewall }: Facts): string {
  if (!("firewallMark" in key))
    return firewall.unread.length === 0
      ? "no firewall rule of this machine stops packets to it"
      : "no firewall rule that doctor could read stops packets to it";
  const rules = markingRules(firewall, key).filter(({ early }) => early);
  const who =
    rules.length === 0
      ? `no rule that doctor could read sets mark ${key.firewallMark}`
      : `mark ${key.firewallMark} is set by ${rules.map(describePlace).join(", and by ")}`;
  const marked = rules.some(({ packets }) => (packets ?? 0n) > 0n)
    ? "If they came after the service was added, the mark was changed behind the rule, the packets are not local, or they were dropped"
    : "Requests without the mark do not belong to it: this machine handles them as any others, and mostly refuses them";
  return `${who}. ${marked}`;
}

function nextSteps(
  { key }: ServiceWithServers,
  { firewall, network }: Pick<Facts, "firewall" | "network">,
): Fix[] {
  if ("firewallMark" in key)
    return [
      followClient(),
      {
        command: showMarks(key, firewall),
        effect:
          "changes nothing; shows what each rule matches, and how many packets",
      },
      {
        command: `ip route get ADDRESS mark ${key.firewallMark}`,
        effect:
          "changes nothing; ADDRESS is the one that clients use; IPVS gets the packets only if the answer begins with local",
      },
    ];
  const address = formatAddress(key.address);
  return [
    followClient(),
    // Packets that ask for the hardware address are not addressed to it.
    {
      command: `tcpdump -n -i any host ${address} or ${key.family === INET ? "arp" : "icmp6"}`,
    },
    ...announce(network, key.address),
    { command: `ip route get ${address}`, on: "a client and its routers" },
  ];
}

/** The command that prints the rules that set the mark of a service, with the program that manages them. */
function showMarks(key: FirewallMarkKey, firewall: Facts["firewall"]): string {
  const [rule] = markingRules(firewall, key).filter(({ early }) => early);
  const usual = key.family === INET ? "iptables" : "ip6tables";
  const program = rule?.table.program ?? usual;
  return program === "nft"
    ? "nft list ruleset"
    : `${program}-save -c -t ${rule?.table.name ?? "mangle"}`;
}
