import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import {
  DIRECT_ROUTING,
  TUNNELING,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { askerOn, isWithin } from "../../../rtnl/address-owners.js";
import type { DeviceAddress } from "../../../rtnl/model.js";
import type { Finding } from "../../finding.js";
import {
  deviceOf,
  nextHopTo,
  type Network,
  type Stations,
} from "../../network.js";
import { shellWord } from "../../shell.js";
import { sysctlCommand } from "../../sysctls.js";

/**
 * A real server that does not answer ARP because the question comes from the virtual address, which it has as well: its
 * kernel takes that for a forged source. Undefined if the question comes from another address, or if another server of
 * the service answers it: then this one is silent for another reason.
 *
 * @see arp_process() and arp_solicit() in net/ipv4/arp.c
 */
export function askedFromVirtual(
  service: ServiceWithServers,
  server: ServerEntry,
  network: Network,
  { nextHops }: Stations,
): Finding<"asked-from-vip"> | undefined {
  const { key, servers } = service;
  if ("firewallMark" in key || key.address.length !== 4) return undefined;
  const asked = askedBy(key.address, server, network);
  if (!asked) return undefined;
  const { asker, device } = asked;
  const answers = (other: ServerEntry) =>
    nextHops.get(formatAddress(other.key.address)) !== undefined &&
    askedBy(key.address, other, network)?.asker === asker;
  if (servers.some(answers)) return undefined;
  const target = server.key.address;
  const deviceName = deviceOf(network, device)?.name ?? "INTERFACE";
  const name = shellWord(deviceName);
  const virtual = formatAddress(key.address);
  const others = network.addresses.filter(
    (own) =>
      own.device === device &&
      !sameAddress(own.address, key.address) &&
      own.prefixBits < 32 &&
      isWithin(target, own.address, own.prefixBits),
  );
  const own = formatAddress(others[0]?.address ?? key.address);
  const place = `${virtual}/${asker.prefixBits} dev ${name}`;
  return {
    id: "asked-from-vip",
    subject: `${virtual} on ${deviceName}`,
    seen: `this machine asks for real servers from ${virtual}/${asker.prefixBits}, the first address in their network`,
    certainty: "likely",
    evidence: [`${formatAddress(target)} does not answer`],
    ...(others.length === 0
      ? {
          cure: `Give ${name} an address of its own in this network, and the virtual address the prefix length 32: 'ip address add ADDRESS/${asker.prefixBits} dev ${name}', 'ip address add ${virtual}/32 dev ${name}', then 'ip address del ${place}'. In the network's configuration, list the machine's own address first, and the virtual address with /32.`,
        }
      : {}),
    fix:
      others.length === 0
        ? []
        : [
            {
              command: `${sysctlCommand({ [`net/ipv4/conf/${deviceName}/promote_secondaries`]: 1 })} && ip address add ${virtual}/32 dev ${name} && ip address del ${place}`,
              effect: `this machine asks from ${own}; without promote_secondaries the kernel would remove ${own} together with ${virtual}/${asker.prefixBits}; to keep it, list ${own} first in the network's configuration, and ${virtual} with /32`,
            },
          ],
  };
}

/** The virtual address of a service, if this machine uses it to ask for a server that has it as well. */
function askedBy(
  virtual: Address,
  { key: { address: target }, settings: { forwarding } }: ServerEntry,
  network: Network,
): { readonly asker: DeviceAddress; readonly device: number } | undefined {
  if (forwarding !== DIRECT_ROUTING && forwarding !== TUNNELING)
    return undefined;
  const hop = nextHopTo(network, target);
  if (!hop || !sameAddress(hop.address, target)) return undefined;
  const asker = askerOn(target, hop.device, network.addresses);
  return asker && sameAddress(asker.address, virtual)
    ? { asker, device: hop.device }
    : undefined;
}

/** One finding for each virtual address on an interface, with all servers that do not answer. */
export function mergeAsked<Id extends string>(
  findings: readonly Finding<Id>[],
): Finding<Id>[] {
  const merged: Finding<Id>[] = [];
  for (const finding of findings) {
    const at = merged.findIndex(
      ({ id, subject }) =>
        id === "asked-from-vip" &&
        id === finding.id &&
        subject === finding.subject,
    );
    const first = merged[at];
    if (first)
      merged[at] = {
        ...first,
        evidence: [
          ...new Set([...(first.evidence ?? []), ...(finding.evidence ?? [])]),
        ],
      };
    else merged.push(finding);
  }
  return merged;
}
