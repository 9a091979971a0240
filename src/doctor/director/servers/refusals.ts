import type { Address } from "../../../ipvs/address.js";
import {
  MASQUERADING,
  TCP,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { check, type Known } from "../../check.js";
import { ofServer } from "../../commands.js";
import { groupsOf } from "../../connections.js";
import type { Facts } from "../../facts.js";
import type { Finding, Fix } from "../../finding.js";
import type { Sysctls } from "../../sysctls.js";
import { perhapsNotTcp } from "../marks/protocol.js";
import { examineThere, PROBE } from "../nat/examine-there.js";
import { hardwareAddressOf, sameHardware } from "../ways/hardware-address.js";
import type { Probe } from "../../probe-result.js";
import { isUdp, probeEvidence } from "./probe.js";
import { hasFixedNeighbor } from "../ways/fixed-neighbors.js";
import { isOnLoopback } from "../table/local-servers.js";
import { interfaceDown, isServing } from "../reach/reach.js";
import { collisionAt } from "../reach/server-collisions.js";
import { removeServer } from "./remove.js";
import { servedTraffic } from "./served-traffic.js";
import { takeOut } from "../reach/take-out.js";

/** Fewer connections can be a coincidence. */
const FEWEST = 3;
/** So many are enough if the server's address is that of a machine with other addresses. */
const FEWEST_ELSEWHERE = 2;
/** A SYN, with all options that clients use: 60 bytes with IPv4, 80 with IPv6 */
const LARGEST_SYN = 80;
/** A reset: 40 bytes with IPv4, 60 with IPv6 */
const LARGEST_RESET = 60;

type RefusalFacts = Known<"table" | "network" | "probes" | "sysctls"> & Facts;

type Id = "server-refuses" | "server-probe-failed";

/** Real servers that refuse connections, by the counters and by probes. */
export const refusals = check(
  ["server-refuses", "server-probe-failed"],
  ["table", "network", "probes", "sysctls"],
  (facts) =>
    facts.table.flatMap((service) =>
      service.servers.filter(isServing).flatMap((server): Finding<Id>[] => {
        const probe = facts.probes.find((one) => one.server === server);
        // These are reported as the cause.
        if (isOnLoopback(server)) return [];
        if (collisionAt(server.key.address, facts)) return [];
        if (interfaceDown(facts.network, server)) return [];
        if (probe?.result === "no answer" && hasFixedNeighbor(facts, server))
          return [];
        if (probe) return probeFinding(probe, facts);
        const { key } = service;
        // Datagrams are refused with ICMP messages, which look like answers in the counters.
        return "firewallMark" in key || key.protocol === TCP
          ? refusalOf(service, server, facts)
          : [];
      }),
    ),
);

function probeFinding(probe: Probe, facts: RefusalFacts): Finding<Id>[] {
  const { service, server, result } = probe;
  if (result === "accepted" || result === "answered") return [];
  // Programs need not answer an empty datagram, and other errors can come from this machine.
  if (result !== "refused" && isUdp(service)) return [];
  const masqueraded = server.settings.forwarding === MASQUERADING;
  if (result === "refused")
    return masqueraded
      ? refusalOf(service, server, facts, probe)
      : // The program may listen at the virtual address only.
        [];
  const doubt = masqueraded
    ? (servedTraffic(service, server) ?? perhapsNotTcp(service, facts))
    : undefined;
  return [
    {
      id: "server-probe-failed",
      ...ofServer(service, server),
      seen: probeEvidence(probe),
      certainty: masqueraded && doubt === undefined ? "proven" : "likely",
      evidence: [
        ...(doubt === undefined ? [] : [doubt]),
        ...sameHardware(server, facts),
      ],
      next: [
        examineThere(
          service,
          server,
          facts,
          clientOf(probe, facts),
          hardwareAddressOf(server, facts),
        ),
      ],
      fix: [],
    },
  ];
}

/** @param probe a connection of the director that was refused */
function refusalOf(
  service: ServiceWithServers,
  server: ServerEntry,
  facts: RefusalFacts,
  probe?: Probe,
): Finding<"server-refuses">[] {
  if (server.settings.forwarding !== MASQUERADING) return [];
  const counted = (fewest: number) =>
    isUdp(service) ? undefined : countersText(server, fewest);
  // Few servers refuse, and to compare hardware addresses takes long with many.
  if (counted(FEWEST_ELSEWHERE) === undefined && !probe) return [];
  const elsewhere = sameHardware(server, facts);
  const counters = counted(elsewhere.length > 0 ? FEWEST_ELSEWHERE : FEWEST);
  if (counters === undefined && !probe) return [];
  const client = clientOf({ service, server }, facts);
  const doubt = probe
    ? (servedTraffic(service, server) ?? perhapsNotTcp(service, facts))
    : undefined;
  const proven = probe !== undefined && doubt === undefined;
  return [
    {
      id: "server-refuses",
      ...ofServer(service, server),
      seen: probe ? probeEvidence(probe) : (counters ?? ""),
      certainty: proven ? "proven" : "likely",
      evidence: [
        ...(probe && counters !== undefined ? [counters] : []),
        ...(doubt === undefined ? [] : [doubt]),
        ...elsewhere,
      ],
      next: [
        examineThere(
          service,
          server,
          facts,
          client,
          hardwareAddressOf(server, facts),
        ),
        ...(probe ? [] : [PROBE]),
      ],
      // Counters fit other causes as well, so they are no reason to take a server out.
      fix: proven ? withoutServer(service, server, facts.sysctls) : [],
    },
  ];
}

/** Keeps clients away from a server. With UDP weight 0 is not enough: each packet of a client renews its entry. */
function withoutServer(
  service: ServiceWithServers,
  server: ServerEntry,
  sysctls: Sysctls,
): Fix[] {
  if (isUdp(service)) return removeServer(service, server, sysctls);
  return takeOut(service, server, sysctls);
}

/** The counters of a server that refuses; undefined if they show something else. */
function countersText(
  { stats }: ServerEntry,
  fewest: number,
): string | undefined {
  const total = {
    connections: Number(stats.connections),
    inPackets: Number(stats.inPackets),
    outPackets: Number(stats.outPackets),
    inBytes: Number(stats.inBytes),
    outBytes: Number(stats.outBytes),
  };
  const recent = {
    connections: Number(stats.connectionsPerSecond),
    inPackets: Number(stats.inPacketsPerSecond),
    outPackets: Number(stats.outPacketsPerSecond),
    inBytes: Number(stats.inBytesPerSecond),
    outBytes: Number(stats.outBytesPerSecond),
  };
  const counted = isRefusing(total, fewest)
    ? { ...total, when: "since it was added" }
    : isRefusing(recent, FEWEST)
      ? { ...recent, when: "per second" }
      : undefined;
  return counted
    ? `${counted.when} it had ${counted.connections} connections, ${counted.inPackets} packets in and ${counted.outPackets} out, of ${average(counted.inBytes, counted.inPackets)} and ${average(counted.outBytes, counted.outPackets)} bytes: one reset for each connection`
    : undefined;
}

/** One of the clients of a server, if the connection table shows any. */
function clientOf(
  { service, server }: Pick<Probe, "service" | "server">,
  { connections, allServices }: RefusalFacts,
): Address | undefined {
  if (!connections) return undefined;
  const [group] = groupsOf(connections, service, server, allServices);
  return group?.openingClients[0] ?? group?.clients[0];
}

interface Counts {
  readonly connections: number;
  readonly inPackets: number;
  readonly outPackets: number;
  readonly inBytes: number;
  readonly outBytes: number;
}

/** About one packet each way for a connection, and none with data. A client may repeat its request. */
function isRefusing(counts: Counts, fewest: number): boolean {
  const { connections, inPackets, outPackets, inBytes, outBytes } = counts;
  return (
    connections >= fewest &&
    inPackets >= connections &&
    inPackets <= connections * 1.5 &&
    outPackets >= connections * 0.8 &&
    outPackets <= inPackets &&
    inBytes <= inPackets * LARGEST_SYN &&
    outBytes <= outPackets * LARGEST_RESET
  );
}

function average(bytes: number, packets: number): number {
  return packets === 0 ? 0 : Math.round(bytes / packets);
}
