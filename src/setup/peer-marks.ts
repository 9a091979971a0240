import {
  familyOf,
  formatAddress,
  sameAddress,
  type Address,
  type Family,
} from "../ipvs/address.js";
import {
  DIRECT_ROUTING,
  MASQUERADING,
  type ServiceKey,
} from "../ipvs/model.js";
import type { ServiceRule } from "../ipvs/table.js";
import { SiteIncomplete, type Site } from "./site.js";
import type { Step } from "./step.js";

/*
 * Two directors that are real servers of each other, and both balance: a director would balance the packets that the other
 * one sends to it as to a real server. So the services get firewall marks, and these packets get none.
 */

export type PeerMarks = Extract<Step, { kind: "peer-marks" }>;

/** Whether the directors send connections to each other. */
export function directorsAreServers({
  services,
  directors,
  backups,
}: {
  readonly services: readonly ServiceRule[];
  readonly directors: readonly Address[];
  readonly backups: readonly Address[];
}): boolean {
  const machines = [...directors, ...backups];
  return (
    backups.length > 0 &&
    services.some(({ servers }) =>
      servers.some(({ key }) => isOneOf(machines, key.address)),
    )
  );
}

/** Replaces the services of an address and port by services of firewall marks. */
export function withFirewallMarks(
  services: readonly ServiceRule[],
  marks: Site["marks"],
): { readonly services: ServiceRule[]; readonly marks: Site["marks"] } {
  const taken = new Set(marks.map(({ mark }) => mark));
  for (const { key } of services)
    if ("firewallMark" in key) taken.add(key.firewallMark);
  let next = 1;
  const added: Site["marks"][number][] = [];
  const marked = services.map((service): ServiceRule => {
    const { key } = service;
    if ("firewallMark" in key) return service;
    while (taken.has(next)) next++;
    const firewallMark = next++;
    const { family, protocol, address, port } = key;
    added.push({ mark: firewallMark, service: { protocol, address, port } });
    return {
      ...service,
      key: { family, firewallMark } satisfies ServiceKey,
      // Without masquerading, the port of a server has no effect, and classic options require 0.
      servers: service.servers.map((server) =>
        server.settings.forwarding === MASQUERADING
          ? server
          : { ...server, key: { ...server.key, port: 0 } },
      ),
    };
  });
  // The last rule that matches a packet counts. As in the table, a service for all ports comes after the others.
  const all = [...marks, ...added].sort(
    (a, b) => Number(a.service.port !== 0) - Number(b.service.port !== 0),
  );
  return { services: marked, marks: all };
}

/** The marks of a director that is not to balance what the other ones send to it. */
export function peerMarks(site: Site, peers: readonly Address[]): PeerMarks {
  const direct = site.table.services.some(({ servers }) =>
    servers.some(
      ({ key, settings }) =>
        settings.forwarding === DIRECT_ROUTING &&
        isOneOf([...site.directors, ...site.backups], key.address),
    ),
  );
  return {
    kind: "peer-marks",
    device: site.interface,
    // Packets of other methods come from a tunnel's device, or to another address.
    peers: direct
      ? peers.map((address) => ({ address, mac: macOf(address, site, peers) }))
      : [],
    marks: site.marks,
  };
}

/** The MAC address of the other director. One that is given for its address of the other family is enough. */
function macOf(
  address: Address,
  { macs }: Site,
  peers: readonly Address[],
): string | undefined {
  const own = macs.find((one) => sameAddress(one.address, address));
  return (own ?? macs.find((one) => isOneOf(peers, one.address)))?.mac;
}

/** The addresses from which the other director sends packets of a family, each with its MAC address. */
export function peersOf(
  { peers }: PeerMarks,
  family: Family,
): PeerMarks["peers"] {
  const own = peers.filter(({ address }) => familyOf(address) === family);
  return own.length > 0 ? own : peers;
}

/** The MAC addresses for a file, which cannot look them up. @throws {SiteIncomplete} */
export function knownMacs(step: PeerMarks, family: Family): string[] {
  return peersOf(step, family).map(({ address, mac }) => {
    if (mac !== undefined) return mac;
    const name = formatAddress(address);
    throw new SiteIncomplete(
      `a file needs the MAC address of the other director, ${name}`,
      `give it with --mac ${name}=ADDRESS`,
    );
  });
}

function isOneOf(addresses: readonly Address[], wanted: Address): boolean {
  return addresses.some((address) => sameAddress(address, wanted));
}
