import {
  familyOf,
  formatAddress,
  INET,
  INET6,
  sameAddress,
  type Address,
} from "../ipvs/address.js";
import {
  DIRECT_ROUTING,
  MASQUERADING,
  TUNNEL_CHECKSUM,
  TUNNEL_GRE,
  TUNNEL_GUE,
  type Tunnel,
} from "../ipvs/model.js";
import type { ServiceRule } from "../ipvs/table.js";
import { addressOfFamily, virtualAddressesOf } from "./director.js";
import type { Site } from "./site.js";
import type { Machine, Step, TunnelDevice } from "./step.js";

/** The addresses of all real servers, each once, in the order of the table. */
export function serverAddresses({ table }: Site): Address[] {
  const found: Address[] = [];
  for (const { servers } of table.services)
    for (const { key } of servers)
      if (!found.some((one) => sameAddress(one, key.address)))
        found.push(key.address);
  return found;
}

/** A real server's set-up, for all services that it belongs to. */
export function realServerMachine(site: Site, address: Address): Machine {
  const name = formatAddress(address);
  const remarks: string[] = [];
  const here = [...site.directors, ...site.backups].some((director) =>
    sameAddress(director, address),
  );
  if (here)
    remarks.push(
      "This machine is a director. It answers for its own share of the connections, so its programs must listen on the virtual address.",
    );
  // Without a backup, the director gets no packets from another one.
  const alone = here && site.backups.length === 0;
  let fromOther = false;
  const steps = new Map<string, Step>();
  const add = (...more: readonly Step[]) => {
    for (const step of more) steps.set(JSON.stringify(step), step);
  };
  for (const service of site.table.services)
    for (const { key, settings } of service.servers) {
      if (!sameAddress(key.address, address)) continue;
      switch (settings.forwarding) {
        case MASQUERADING:
          if (site.fullNat) break;
          if (here) fromOther = site.backups.length > 0;
          else
            add({
              kind: "default-route",
              gateway: addressOfFamily(
                site.directors,
                service.key.family,
                "masqueraded servers answer through the director",
              ),
            });
          break;
        case DIRECT_ROUTING:
          if (!alone) add(...ownAddressSteps(site, service, "lo"));
          break;
        default:
          if (alone) break;
          add(...tunnelSteps(service, address, settings.tunnel));
          add(
            ...ownAddressSteps(
              site,
              service,
              tunnelName(tunnelDevice(service, address, settings.tunnel)),
            ),
          );
      }
    }
  if (fromOther)
    remarks.push(
      "The other director masquerades connections to this machine, and the answers must go back through it. Use direct routing for the directors, or --full-nat.",
    );
  const ordered = [...steps.values()].sort(byOrder);
  if (ordered.some(({ kind }) => kind === "default-route"))
    remarks.push(
      "This replaces the default route. --undo restores the present one, if it is before a reboot.",
    );
  return { name, remarks, steps: ordered };
}

/** Settings come before the addresses that they hide, and devices before their settings. */
const ORDER: readonly Step["kind"][] = [
  "module",
  "gue-port",
  "tunnel",
  "sysctl",
  "address",
  "default-route",
];

function byOrder(a: Step, b: Step): number {
  return ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind);
}

/** The virtual address on a device, hidden from the network. */
function ownAddressSteps(
  site: Site,
  service: ServiceRule,
  device: string,
): Step[] {
  const addresses = virtualAddressesOf(site, [service]);
  const quiet: Step[] = addresses.some((one) => familyOf(one) === INET)
    ? [
        sysctl("net.ipv4.conf.all.arp_ignore", 1, 0),
        sysctl("net.ipv4.conf.all.arp_announce", 2, 0),
      ]
    : [];
  return [
    ...quiet,
    ...addresses.map((address): Step => ({
      kind: "address",
      address,
      device,
    })),
  ];
}

function tunnelSteps(
  service: ServiceRule,
  local: Address,
  tunnel: Tunnel,
): Step[] {
  const device = tunnelDevice(service, local, tunnel);
  const ipv6 = familyOf(local) === INET6;
  const gre = tunnel.type === TUNNEL_GRE;
  return [
    ...(tunnel.type === TUNNEL_GUE
      ? ([
          { kind: "module", name: ipv6 ? "fou6" : "fou" },
          { kind: "gue-port", port: tunnel.port, ipv6 },
        ] as const)
      : []),
    { kind: "module", name: MODULES[device] },
    {
      kind: "tunnel",
      device,
      local,
      checksum: gre && (tunnel.flags & TUNNEL_CHECKSUM) !== 0,
    },
    // The packets of clients come out of the tunnel, but the route to clients is another one. 2 accepts that, if the
    // device has an address: without one the kernel drops all packets that it would have to check.
    ...(service.key.family === INET
      ? [sysctl(`net.ipv4.conf.${tunnelName(device)}.rp_filter`, 2, 0)]
      : []),
  ];
}

const MODULES: Readonly<Record<TunnelDevice, string>> = {
  ipip: "ipip",
  sit: "sit",
  ip6tnl: "ip6_tunnel",
  gre: "ip_gre",
  ip6gre: "ip6_gre",
};

function tunnelDevice(
  { key }: ServiceRule,
  local: Address,
  { type }: Tunnel,
): TunnelDevice {
  const outer = familyOf(local);
  if (type === TUNNEL_GRE) return outer === INET6 ? "ip6gre" : "gre";
  if (outer === INET6) return "ip6tnl";
  return key.family === INET6 ? "sit" : "ipip";
}

/** The name of the tunnel's interface. */
export function tunnelName(device: TunnelDevice): string {
  return `ipvs-${device}`;
}

function sysctl(name: string, value: number, usual: number): Step {
  return { kind: "sysctl", name, value, usual };
}
