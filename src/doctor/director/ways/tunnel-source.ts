import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import {
  MASQUERADING,
  TUNNEL_GRE,
  TUNNELING,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { check } from "../../check.js";
import { editServer, serverName } from "../../commands.js";
import type { Finding, Fix } from "../../finding.js";
import { deviceOf, wayTo, type Network } from "../../network.js";
import { shellWord } from "../../shell.js";

type Id = "tunnel-from-vip";

/** Tunnels that begin at a virtual address that the real server has as well. */
export const tunnelSource = check(
  ["tunnel-from-vip"],
  ["table", "allServices", "network"],
  ({ table, allServices, network }) => {
    const bySource = new Map<string, Refused[]>();
    for (const service of table)
      for (const server of service.servers) {
        const source = refusedSource(server, allServices, network);
        if (!source) continue;
        const text = formatAddress(source);
        const some = bySource.get(text) ?? [];
        bySource.set(text, [...some, { source, service, server }]);
      }
    return [...bySource.values()].flatMap((some) =>
      findingOf(some, allServices, network),
    );
  },
);

/** A server that refuses the source of its tunnel. */
interface Refused {
  readonly source: Address;
  readonly service: ServiceWithServers;
  readonly server: ServerEntry;
}

function findingOf(
  some: readonly Refused[],
  table: readonly ServiceWithServers[],
  network: Network,
): Finding<Id>[] {
  const [first] = some;
  if (!first) return [];
  const names = some.map(({ service, server }) => serverName(service, server));
  const deprecated = deprecate(first.source, table, network);
  return [
    {
      id: "tunnel-from-vip",
      subject: formatAddress(first.source),
      seen: `it is the source of the tunnel's packets to ${names.join(", ")}`,
      certainty: "likely",
      fix: deprecated
        ? [
            deprecated,
            ...some.map(({ service, server }) => ({
              ...editServer(service, server, {}),
              effect:
                "changes nothing but that the kernel looks up the source again",
            })),
          ]
        : [],
    },
  ];
}

/** Whether the packets of a tunnel to this server are dropped because of their source. */
export function isSentFromVirtual(
  server: ServerEntry,
  table: readonly ServiceWithServers[],
  network: Network,
): boolean {
  return refusedSource(server, table, network) !== undefined;
}

/**
 * The IPv6 source of a tunnel's packets that the server does not accept. A tunnel over IPv6 drops packets whose source is
 * an address of the receiving machine.
 *
 * @see ip6_tnl_rcv_ctl() in net/ipv6/ip6_tunnel.c. ip6_gre does not call it
 */
function refusedSource(
  server: ServerEntry,
  table: readonly ServiceWithServers[],
  network: Network,
): Address | undefined {
  if (server.key.address.length === 4) return undefined;
  if (server.settings.tunnel.type === TUNNEL_GRE) return undefined;
  return virtualSource(server, table, network);
}

/** The source of a tunnel's packets, if it is a virtual address that the server must have. */
export function virtualSource(
  { key, settings }: ServerEntry,
  table: readonly ServiceWithServers[],
  network: Network,
): Address | undefined {
  if (settings.forwarding !== TUNNELING) return undefined;
  const source = wayTo(network, key.address)?.source;
  if (!source) return undefined;
  const isThere = table.some(
    (service) =>
      !("firewallMark" in service.key) &&
      sameAddress(service.key.address, source) &&
      service.servers.some(
        (one) =>
          one.settings.forwarding !== MASQUERADING &&
          sameAddress(one.key.address, key.address),
      ),
  );
  return isThere ? source : undefined;
}

/** The kernel chooses a deprecated address as a source only if there is no other. IPVS keeps the source of a server until the server is edited. */
function deprecate(
  source: Address,
  table: readonly ServiceWithServers[],
  network: Network,
): Fix | undefined {
  const isVirtual = (address: Address) =>
    table.some(
      ({ key }) =>
        !("firewallMark" in key) && sameAddress(key.address, address),
    );
  const own = network.addresses.find(({ address }) =>
    sameAddress(address, source),
  );
  const device = deviceOf(network, own?.device);
  const another = network.addresses.some(
    ({ address, scope, duplicate }) =>
      address.length === source.length &&
      scope === "global" &&
      !duplicate &&
      !isVirtual(address),
  );
  if (!own || !device || !another) return undefined;
  return {
    command: `ip address change ${formatAddress(source)}/${own.prefixBits} dev ${shellWord(device.name)} preferred_lft 0`,
    effect:
      "new connections of this machine and its tunnels no longer use the virtual address as their source; requests to it are served as before",
  };
}
