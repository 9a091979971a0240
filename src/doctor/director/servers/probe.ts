import { formatAddress, type Address } from "../../../ipvs/address.js";
import {
  DIRECT_ROUTING,
  formatEndpoint,
  MASQUERADING,
  TCP,
  TUNNELING,
  UDP,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { probeTcp } from "../../../system/tcp-probe.js";
import { probeUdp } from "../../../system/udp-probe.js";
import type { Probe } from "../../probe-result.js";
import { sysctlNumber, type Sysctls } from "../../sysctls.js";
import {
  directorAddress,
  virtualSourceTo,
  type AddressFacts,
} from "../nat/director-address.js";
import { isDrainedInUse } from "./drained-in-use.js";
import { isServing } from "../reach/reach.js";

/** More servers are not probed. */
const MOST_SERVERS = 256;
const AT_ONCE = 16;
const LONGEST_MILLISECONDS = 2000;
/** A refusal takes no longer than a ping. Most datagrams get no answer at all, and that is waited for. */
const LONGEST_UDP_MILLISECONDS = 1000;

/** A server that a probe does not judge. */
export interface Skipped extends Pick<Probe, "service" | "server"> {
  readonly reason: string;
}

/**
 * Connects to each real server that gets packets, at its own address and port; with UDP it sends an empty datagram. Each
 * endpoint is probed once.
 *
 * @param around with it, a server is never probed from a virtual address that it has as well
 */
export async function probeServers(
  table: readonly ServiceWithServers[],
  sysctls: Sysctls | undefined,
  around?: AddressFacts,
): Promise<{ probes: Probe[]; skipped: Skipped[] }> {
  const targets = new Map<string, Omit<Probe, "result">[]>();
  const skipped: Skipped[] = [];
  for (const service of table)
    for (const server of service.servers) {
      if (!isServing(server) && !isDrainedInUse(service, server)) continue;
      const { address, port } = server.key;
      const text = formatEndpoint(address, port);
      const reason =
        whyNot(service, server, sysctls) ??
        (around ? whyNotFromHere(server, around) : undefined);
      if (reason !== undefined) {
        skipped.push({ service, server, reason });
        continue;
      }
      const place = `${isUdp(service) ? "udp" : "tcp"} ${text}`;
      const known = targets.get(place);
      if (known) known.push({ service, server });
      else if (targets.size < MOST_SERVERS)
        targets.set(place, [{ service, server }]);
      else
        skipped.push({
          ...{ service, server },
          reason: `only ${MOST_SERVERS} servers are probed`,
        });
    }
  const waiting = [...targets.values()];
  const results = new Map<Omit<Probe, "result">, Probe["result"]>();
  const worker = async () => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      const [first] = next;
      if (!first) continue;
      const { address, port } = first.server.key;
      const text = formatAddress(address);
      const source = around && probeSource(address, around);
      const from = source ? formatAddress(source) : undefined;
      const result = isUdp(first.service)
        ? await probeUdp(text, port, LONGEST_UDP_MILLISECONDS, from)
        : await probeTcp(text, port, LONGEST_MILLISECONDS, from);
      for (const one of next) results.set(one, result);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  const probes = [...targets.values()].flat().flatMap((one) => {
    const result = results.get(one);
    return result === undefined ? [] : [{ ...one, result }];
  });
  for (const { service, server, result } of probes) {
    const reason = whyUnjudged({ service, server, result });
    if (reason !== undefined) skipped.push({ service, server, reason });
  }
  return { probes, skipped };
}

/** Why the result of a probe says nothing; undefined if it says something. */
function whyUnjudged(probe: Probe): string | undefined {
  const { service, result } = probe;
  if (result === "refused" && isIndirect(probe))
    return "it refuses its own address; requests go to the virtual address there, which a probe does not try";
  if (!isUdp(service)) return undefined;
  if (result === "no answer")
    return "an empty datagram got no answer, and programs rarely answer one";
  return result === "unreachable"
    ? "the director could not send an empty datagram, or got an ICMP error other than port unreachable; a firewall here or there perhaps rejects it"
    : undefined;
}

/** More servers of a reason are not named. */
const MOST_NAMED = 3;

/** What a probe does not judge, a line for each reason. */
export function skippedTexts(skipped: readonly Skipped[]): string[] {
  const byReason = new Map<string, Skipped[]>();
  for (const one of skipped) {
    const known = byReason.get(one.reason);
    if (known) known.push(one);
    else byReason.set(one.reason, [one]);
  }
  return Array.from(byReason, ([reason, some]) => {
    const names = [
      ...new Set(
        some.map(({ server: { key } }) =>
          formatEndpoint(key.address, key.port),
        ),
      ),
    ];
    const left = names.length - MOST_NAMED;
    const named =
      left > 0 ? [...names.slice(0, MOST_NAMED), `${left} more`] : names;
    const servers = [named.slice(0, -1).join(", "), ...named.slice(-1)]
      .filter((text) => text !== "")
      .join(" and ");
    const verb = names.length === 1 ? "accepts" : "accept";
    const what = [
      ...(some.every(({ service }) => isUdp(service)) ? [] : ["connections"]),
      ...(some.some(({ service }) => isUdp(service)) ? ["datagrams"] : []),
    ].join(" or ");
    return `whether ${servers} ${verb} ${what} (${reason})`;
  });
}

/** Whether requests reach a server at the virtual address, not at its own. */
export function isIndirect({
  server: { settings },
}: Pick<Probe, "server">): boolean {
  return (
    settings.forwarding === DIRECT_ROUTING || settings.forwarding === TUNNELING
  );
}

/** Why a server is not probed; undefined if it is. */
function whyNot(
  { key }: ServiceWithServers,
  server: ServerEntry,
  sysctls: Sysctls | undefined,
): string | undefined {
  // The kernel drops what such a server sends outside of a connection of IPVS. @see ip_vs_out_hook() in net/netfilter/ipvs/ip_vs_core.c
  if (
    server.settings.forwarding === MASQUERADING &&
    sysctls &&
    sysctlNumber(sysctls, "net/ipv4/vs/nat_icmp_send") === 1
  )
    return "net.ipv4.vs.nat_icmp_send is 1, so this machine refuses the server's answers to it";
  if (!("firewallMark" in key) && key.protocol !== TCP && key.protocol !== UDP)
    return "neither TCP nor UDP";
  if (server.key.port === 0) return "its port is that of the request";
  return undefined;
}

/** The address from which a server is probed, if that is not the one that the kernel chooses. */
export function probeSource(server: Address, around: AddressFacts) {
  return virtualSourceTo(server, around)
    ? directorAddress(server, around)
    : undefined;
}

/** Why a probe would get no answer that says something; undefined if it would. */
function whyNotFromHere(
  server: ServerEntry,
  around: AddressFacts,
): string | undefined {
  if (!isIndirect({ server })) return undefined;
  const { address } = server.key;
  const source = virtualSourceTo(address, around);
  return source && !directorAddress(address, around)
    ? `this machine's interface to it has only virtual addresses; the server has ${formatAddress(source)} as well, so it does not answer packets from there`
    : undefined;
}

/** Whether a service is of UDP. A firewall mark has no protocol, and is probed with TCP. */
export function isUdp({ key }: Pick<ServiceWithServers, "key">): boolean {
  return "protocol" in key && key.protocol === UDP;
}

/** What a probe proves, as evidence. */
export function probeEvidence({ service, server, result }: Probe): string {
  const { address, port } = server.key;
  const udp = isUdp(service);
  const what = {
    accepted: "was accepted",
    answered: "was answered",
    refused: udp ? "was refused (ICMP port unreachable)" : "was refused",
    "no answer": `got no answer in ${(udp ? LONGEST_UDP_MILLISECONDS : LONGEST_MILLISECONDS) / 1000} s`,
    unreachable: "could not be sent",
  }[result];
  const text = `${udp ? "an empty datagram" : "a connection"} from the director's address to ${formatEndpoint(address, port)} ${what}`;
  return server.settings.forwarding === MASQUERADING
    ? text
    : `${text}; requests go to the virtual address there, which this does not try`;
}
