import {
  formatAddress,
  INET6,
  familyOf,
  sameAddress,
} from "../../../ipvs/address.js";
import type { ServiceWithServers } from "../../../ipvs/model.js";
import { formatHardwareAddress } from "../../../rtnl/model.js";
import { check } from "../../check.js";
import type { Finding, Fix } from "../../finding.js";
import { deviceOf, type Network, type Stations } from "../../network.js";
import { sysctlFix } from "../../sysctls.js";
import { examineThere } from "../nat/examine-there.js";
import { isPassive } from "../reach/reach.js";
import { collisionAt } from "../reach/server-collisions.js";

/** Other machines that answer for a virtual address of this machine. */
export const strangers = check(
  ["vip-answered-elsewhere"],
  ["table", "daemons", "network", "stations"],
  (facts) => {
    const { table, daemons, network, stations } = facts;
    return (isPassive(daemons) ? [] : stations.strangers).flatMap(
      (stranger): Finding<"vip-answered-elsewhere">[] => {
        // That machine has the address as its own.
        if (collisionAt(stranger.address, facts)) return [];
        const text = formatAddress(stranger.address);
        const hardware = formatHardwareAddress(stranger.hardwareAddress);
        const server = ownerOf(
          stranger.hardwareAddress,
          table,
          network,
          stations,
        );
        const device = deviceOf(network, stranger.device)?.name ?? "";
        const who =
          server === undefined ? "no real server's" : `real server ${server}`;
        return [
          {
            id: "vip-answered-elsewhere",
            subject: text,
            seen: `on ${device}, ${hardware} answers for it: ${who}`,
            next: server === undefined ? [] : lookThere(server, table, network),
            fix: [
              server === undefined
                ? giveUp(stranger.address, hardware)
                : keepSilent(server),
              {
                command: `ip neighbor flush to ${text}`,
                on: "the clients and routers of that network",
              },
            ],
          },
        ];
      },
    );
  },
);

/** The real server with a hardware address. */
function ownerOf(
  hardwareAddress: Uint8Array,
  table: readonly ServiceWithServers[],
  network: Network,
  { nextHops }: Stations,
): string | undefined {
  const has = (other: Uint8Array | undefined) =>
    other !== undefined && sameAddress(other, hardwareAddress);
  const owned = new Set([
    ...network.neighbors
      .filter((neighbor) => has(neighbor.hardwareAddress))
      .map(({ address }) => formatAddress(address)),
    ...Array.from(nextHops)
      .filter(([, answer]) => has(answer))
      .map(([text]) => text),
  ]);
  return table
    .flatMap(({ servers }) => servers)
    .map(({ key }) => formatAddress(key.address))
    .find((text) => owned.has(text));
}

/** Why a real server answers only it can tell: the virtual address may be on the interface itself. */
function lookThere(
  address: string,
  table: readonly ServiceWithServers[],
  network: Network,
): Fix[] {
  for (const service of table)
    for (const server of service.servers)
      if (formatAddress(server.key.address) === address)
        return [examineThere(service, server, { table, network })];
  return [];
}

function keepSilent(server: string): Fix {
  return sysctlFix(
    { "net/ipv4/conf/all/arp_ignore": 1, "net/ipv4/conf/all/arp_announce": 2 },
    "the server answers ARP only for addresses of the interface that is asked, and asks with an address of the outgoing interface; this is enough only if the virtual address is on lo there, which the command above tells",
    `real server ${server}`,
  );
}

function giveUp(address: Uint8Array, hardware: string): Fix {
  const whole = familyOf(address) === INET6 ? 128 : 32;
  return {
    command: `ip address del ${formatAddress(address)}/${whole} dev INTERFACE`,
    on: `the machine with ${hardware}`,
    effect:
      "INTERFACE is the one that has the address; the machine no longer gets packets for it. If no interface there has it, the machine answers for others (proxy ARP): set proxy_arp, or with IPv6 proxy_ndp, to 0 on the interface in this network instead",
  };
}
