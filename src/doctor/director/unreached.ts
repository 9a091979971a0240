import { formatAddress } from "../../ipvs/address.js";
import {
  BACKUP,
  ONE_PACKET,
  type ServiceWithServers,
} from "../../ipvs/model.js";
import { assess } from "../../ipvs/state.js";
import { check, type Known } from "../check.js";
import { ofService } from "../commands.js";
import type { Finding, Fix } from "../finding.js";
import { isLocal } from "../network.js";
import { sysctlNumber } from "../sysctls.js";
import { blockagesOf } from "./blockages.js";
import { deletedServices } from "./deleted-services.js";
import { isMarkSet } from "./marks.js";
import { isAny } from "./reach.js";

/** Without it the kernel does not refresh its counters. */
const ESTIMATION = "net/ipv4/vs/run_estimation";

type Facts = Known<
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
    if (daemons.some(({ state }) => state === BACKUP)) return [];
    if (sysctlNumber(sysctls, ESTIMATION) === 0) return [];
    if (table.some(hasTraffic)) return [];
    // Old connections take the packets before any service does.
    if (deletedServices.examine(facts).length > 0) return [];
    return table
      .filter((service) => couldBeReached(service, facts))
      .map((service): Finding<"service-unreached"> => ({
        id: "service-unreached",
        ...ofService(service),
        seen: "no packet has reached it since it was added or its counters were reset, and nothing on this machine stops packets to it",
        next: nextSteps(service),
        fix: [],
      }));
  },
);

/** Whether a service has counted a packet, or has a connection: the counters are up to two seconds old. */
function hasTraffic({ stats, servers }: ServiceWithServers): boolean {
  return (
    stats.connections > 0n ||
    stats.inPackets > 0n ||
    servers.some(
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
    return isMarkSet(facts.firewall, key.family, key.firewallMark);
  if (isAny(key) || isLocal(facts.network, key.address) !== true) return false;
  return !blockagesOf(service, facts, facts.firewall).some(
    ({ flow, stop }) => flow.what === "requests" && stop.certain,
  );
}

function nextSteps({ key }: ServiceWithServers): Fix[] {
  const follow: Fix = {
    command: "ipvsadm doctor --client ADDRESS --for 30s",
    effect: "follows one client, which must make requests meanwhile",
  };
  if ("firewallMark" in key) return [follow];
  const address = formatAddress(key.address);
  return [
    follow,
    { command: `tcpdump -n -i any host ${address}` },
    { command: `ip route get ${address}`, on: "a client and its routers" },
  ];
}
