import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import type { ServiceWithServers } from "../../../ipvs/model.js";
import { isWithin } from "../../../rtnl/address-owners.js";
import type { Device } from "../../../rtnl/model.js";
import { check } from "../../check.js";
import { groupsOf } from "../../connections.js";
import type { Facts } from "../../facts.js";
import type { Finding, Fix } from "../../finding.js";
import { isLocal, type Network } from "../../network.js";
import { arpAnswers, levelOf } from "../../real-server/arp.js";
import { shellWord } from "../../shell.js";
import { sysctlNumber, type Sysctls } from "../../sysctls.js";
import { isAny, isPassive } from "../reach/reach.js";
import { expirySeconds } from "../reach/silence.js";

/** Virtual addresses for which this machine has all but an answer to ARP or neighbor discovery. */
export const silentAddresses = check(
  ["vip-unanswered"],
  ["table", "allServices", "daemons", "network", "stations", "sysctls"],
  (facts) => {
    const { table, allServices, daemons, network, stations, sysctls } = facts;
    if (isPassive(daemons)) return [];
    const found: Finding<"vip-unanswered">[] = [];
    const busy = busyAddresses(allServices, facts);
    const examined = new Set<string>();
    for (const { key } of table) {
      if ("firewallMark" in key || isAny(key)) continue;
      const { address } = key;
      const text = formatAddress(address);
      // Packets come by a route of the routers, or another machine has the address now.
      if (busy.has(text) || examined.has(text)) continue;
      examined.add(text);
      if (stations.strangers.some((one) => sameAddress(one.address, address)))
        continue;
      const finding = silenceOf(address, network, sysctls);
      if (finding) found.push(finding);
    }
    return found;
  },
);

/** The addresses, as text, of services that get packets now. The kernel's rate falls to zero only half a minute after the last one. */
function busyAddresses(
  services: readonly ServiceWithServers[],
  facts: Facts,
): Set<string> {
  return new Set(
    services.flatMap((service) =>
      "firewallMark" in service.key ||
      service.stats.inPacketsPerSecond === 0n ||
      isIdle(service, facts)
        ? []
        : [formatAddress(service.key.address)],
    ),
  );
}

const IDLE_SECONDS = 5;

/** Whether the last packet of each connection of a service is some seconds old. Without connections that is not known. */
function isIdle(
  service: ServiceWithServers,
  { connections, timeouts, allServices = [] }: Facts,
): boolean {
  if (!connections || !timeouts) return false;
  const groups = service.servers.flatMap((server) =>
    groupsOf(connections, service, server, allServices),
  );
  return (
    groups.length > 0 &&
    groups.every(({ states }) =>
      Array.from(states).every(
        ([state, { longestSeconds }]) =>
          expirySeconds(state, timeouts) - longestSeconds >= IDLE_SECONDS,
      ),
    )
  );
}

/** Whether this machine has a virtual address and answers nobody in its network who asks for it. */
export function isUnanswered(
  address: Address,
  {
    network,
    sysctls,
  }: { readonly network: Network; readonly sysctls: Sysctls },
): boolean {
  return silenceOf(address, network, sysctls) !== undefined;
}

function silenceOf(
  address: Address,
  network: Network,
  sysctls: Sysctls,
): Finding<"vip-unanswered"> | undefined {
  if (isLocal(network, address) !== true) return undefined;
  // kube-proxy adds an address for each service: no list for each of them.
  const owned = network.addresses.filter((own) =>
    sameAddress(own.address, address),
  );
  const places = owned.flatMap((own) => {
    const device = network.devices.find(({ index }) => index === own.device);
    return device ? [{ own, device }] : [];
  });
  // A local route without an address is meant for routed packets.
  if (places.length === 0) return undefined;
  const near = askedHere(address, network);
  const answers = (device: Device) => {
    const here = places.filter((place) => place.device === device);
    return address.length === 4
      ? arpAnswers(
          levelOf(sysctls, "arp_ignore", device),
          places.map(({ own }) => own),
          here.map(({ own }) => own),
        )
      : here.length > 0 || isProxy(sysctls, device);
  };
  const [device] = near;
  // An interface that has it in a network of its own is among the near ones.
  if (!device || near.some(answers)) return undefined;
  if (
    places.some((place) => place.device.asksNeighbors && answers(place.device))
  )
    return undefined;
  const text = formatAddress(address);
  const where = [...new Set(places.map((place) => place.device.name))];
  const level = levelOf(sysctls, "arp_ignore", device);
  const why =
    address.length === 4
      ? `arp_ignore is ${level} there (the larger of all and ${device.name})`
      : "neighbor discovery answers only for addresses of the interface that is asked";
  return {
    id: "vip-unanswered",
    subject: text,
    seen: `${device.name} is in its network and does not answer for it: ${where.join(", ")} has the address, and ${why}`,
    certainty: "likely",
    evidence: [
      "no service at this address gets packets now",
      "it is no fault if this machine should not be the active director now, or if routers have a route for the address through this machine",
    ],
    fix: [addHere(text, address, device)],
  };
}

/** The interfaces in whose network a virtual address is. */
function askedHere(
  address: Address,
  { devices, addresses }: Network,
): Device[] {
  return devices.filter(
    (device) =>
      device.up &&
      device.asksNeighbors &&
      addresses.some(
        (own) =>
          own.device === device.index &&
          own.prefixBits < address.length * 8 &&
          !sameAddress(own.address, address) &&
          isWithin(address, own.peer ?? own.address, own.prefixBits),
      ),
  );
}

function isProxy(sysctls: Sysctls, device: Device): boolean {
  return ["all", device.name].some(
    (name) => sysctlNumber(sysctls, `net/ipv6/conf/${name}/proxy_ndp`) === 1,
  );
}

function addHere(text: string, address: Address, device: Device): Fix {
  return {
    command: `ip address add ${text}/${address.length === 4 ? 32 : 128} dev ${shellWord(device.name)}`,
    effect:
      "this machine answers for the address on this interface and so becomes the active director; no other machine may answer for it",
  };
}
