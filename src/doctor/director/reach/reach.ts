import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import {
  BACKUP,
  DIRECT_ROUTING,
  MASQUERADING,
  LOCAL_NODE,
  MASTER,
  ONE_PACKET,
  type Daemon,
  type ServerEntry,
  type ServiceKey,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import type { DeviceAddress } from "../../../rtnl/model.js";
import { isWithin } from "../../../rtnl/address-owners.js";
import { check, type Known } from "../../check.js";
import { ofServer, ofService, serviceName } from "../../commands.js";
import type { Finding } from "../../finding.js";
import {
  deviceOf,
  isLocal,
  nextHopTo,
  type Network,
  type Stations,
} from "../../network.js";
import { shellWord } from "../../shell.js";
import type { Sysctls } from "../../sysctls.js";
import { askedFromVirtual, mergeAsked } from "./asked-from-vip.js";
import { ignoredRouters } from "./ignored-routers.js";
import { parentOf, setUp } from "./interface-below.js";
import { missing } from "./missing-address.js";
import { collisionAt } from "./server-collisions.js";
import { keepLastServers, withSilentInterfaces } from "./silent-interface.js";
import { bindsClients, takeOut } from "./take-out.js";

/** Whether a machine is only a backup: another machine has the virtual addresses now. */
export function isPassive(daemons: readonly Daemon[]): boolean {
  return (
    daemons.some(({ state }) => state === BACKUP) &&
    !daemons.some(({ state }) => state === MASTER)
  );
}

/** Virtual addresses that are not local, or that the kernel does not use. */
export const virtualAddresses = check(
  ["vip-not-local", "vip-duplicate"],
  ["table", "daemons", "network"],
  (facts) => {
    const { table, daemons, network } = facts;
    if (isPassive(daemons)) return [];
    const found = new Map<string, Finding<"vip-not-local" | "vip-duplicate">>();
    for (const { key } of table) {
      if ("firewallMark" in key || isAny(key)) continue;
      const duplicate = network.addresses.find(
        (own) => own.duplicate && sameAddress(own.address, key.address),
      );
      const finding = duplicate
        ? taken(key.address, network, duplicate)
        : isLocal(network, key.address) === false
          ? missing(key.address, serviceName({ key }), facts)
          : undefined;
      // Adding the address would cut off a real server.
      if (finding?.id === "vip-not-local" && collisionAt(key.address, facts))
        continue;
      if (finding) found.set(formatAddress(key.address), finding);
    }
    return [...found.values()];
  },
);

function taken(
  address: Address,
  network: Network,
  { device, prefixBits }: DeviceAddress,
): Finding<"vip-duplicate"> {
  const subject = formatAddress(address);
  const name = deviceOf(network, device)?.name ?? "INTERFACE";
  const word = shellWord(name);
  const place = `${subject}/${prefixBits} dev`;
  return {
    id: "vip-duplicate",
    subject,
    seen: `the kernel does not use it on ${name}, because another machine had it when it was added`,
    fix: [
      {
        command: `ip address del ${place} INTERFACE`,
        on: "the other machine",
      },
      {
        command: `ip address del ${place} ${word} && ip address add ${place} ${word}`,
      },
      {
        command: `ip neighbor flush to ${subject}`,
        on: "the clients and routers of that network",
      },
    ],
  };
}

/** Services on an address that no packet has. */
export const anyAddress = check(["address-any"], ["table"], ({ table }) =>
  table.flatMap((service): Finding<"address-any">[] =>
    isAny(service.key)
      ? [
          {
            id: "address-any",
            ...ofService(service),
            seen: "no packet is addressed to it",
            fix: [],
          },
        ]
      : [],
  ),
);

/** Whether a service is on 0.0.0.0 or ::, which no packet has. */
export function isAny(key: ServiceKey): boolean {
  return !("firewallMark" in key) && key.address.every((byte) => byte === 0);
}

/** Real servers that cannot be reached. */
export const reach = check(
  [
    "server-network-down",
    "server-unroutable",
    "asked-from-vip",
    "persistence-to-dead-server",
    "one-packet-to-dead-server",
    "server-silent",
    "interface-silent",
    "direct-via-router",
  ],
  ["table", "network", "stations", "sysctls"],
  (facts) => {
    const serving = facts.table.map((service) => ({
      ...service,
      servers: service.servers.filter(isServing),
    }));
    const found = mergeAsked(
      serving.flatMap((service) =>
        service.servers.flatMap((server) => findingsOf(service, server, facts)),
      ),
    );
    return keepLastServers(
      withSilentInterfaces(found, serving, facts, SILENT),
      facts.table,
      DEAD,
    );
  },
);

/** The findings of a server that does not answer */
const SILENT: ReadonlySet<string> = new Set([
  "persistence-to-dead-server",
  "one-packet-to-dead-server",
  "server-silent",
] satisfies DeadId[]);
/** The findings whose fix takes the server out */
const DEAD: ReadonlySet<string> = new Set([...SILENT, "server-unroutable"]);

/** Whether a real server gets new connections and is another machine. */
export function isServing({ settings }: ServerEntry): boolean {
  return settings.weight > 0 && settings.forwarding !== LOCAL_NODE;
}

type DeadId =
  "persistence-to-dead-server" | "one-packet-to-dead-server" | "server-silent";

type Id =
  | "server-network-down"
  | "server-unroutable"
  | "asked-from-vip"
  | DeadId
  | "direct-via-router";

function findingsOf(
  service: ServiceWithServers,
  server: ServerEntry,
  facts: Known<"table" | "network" | "stations" | "sysctls">,
): Finding<Id>[] {
  const { network, stations, sysctls } = facts;
  const { address } = server.key;
  const subject = ofServer(service, server);
  if (isLocal(network, address) !== false) return [];
  const hop = nextHopTo(network, address);
  const down = interfaceDown(network, server);
  if (down) return [networkDown(subject, down, hop, network)];
  if (!hop) {
    const way = network.ways.get(formatAddress(address));
    const seen = `there is no route to it (${typeof way === "string" ? way : "a route without a next hop"})`;
    const fix = takeOut(service, server, sysctls);
    const ignored = ignoredRouters(address, facts);
    if (ignored)
      return [
        {
          id: "server-unroutable",
          ...subject,
          seen,
          evidence: [ignored.text],
          fix: [ignored.fix],
        },
      ];
    return [{ id: "server-unroutable", ...subject, seen, fix }];
  }
  const found: Finding<Id>[] = [];
  const device = deviceOf(network, hop.device)?.name ?? `${hop.device}`;
  const direct = sameAddress(hop.address, address);
  if (!direct && server.settings.forwarding === DIRECT_ROUTING)
    found.push({
      id: "direct-via-router",
      ...subject,
      seen: `it has -g, and the route to it goes through ${formatAddress(hop.address)} on ${device}`,
      fix: [],
    });
  if (isSilent(network, stations, hop))
    found.push(
      askedFromVirtual(service, server, network, stations) ??
        deadServer(
          service,
          server,
          sysctls,
          `${direct ? "it does" : `the router to it, ${formatAddress(hop.address)}, does`} not answer on ${device}`,
        ),
    );
  return found;
}

/** The address of an interface that is down, in the network of a server that no other interface has. */
export function interfaceDown(
  network: Network,
  { key, settings, stats }: ServerEntry,
): DeviceAddress | undefined {
  const server = key.address;
  const near = network.addresses.filter(
    (own) =>
      own.prefixBits < server.length * 8 &&
      own.peer === undefined &&
      isWithin(server, own.address, own.prefixBits),
  );
  if (near.some(({ device }) => deviceOf(network, device)?.up !== false))
    return undefined;
  if (near.length === 0) return undefined;
  const hop = nextHopTo(network, server);
  if (!hop) return near[0];
  // It answers, so the other route is right. The rate falls to zero half a minute after the last packet.
  if (settings.forwarding === MASQUERADING && stats.outPacketsPerSecond > 0n)
    return undefined;
  const isAttached =
    sameAddress(hop.address, server) &&
    deviceOf(network, hop.device)?.asksNeighbors === true;
  return isAttached ? undefined : near[0];
}

function networkDown(
  subject: Pick<Finding, "subject" | "service" | "server">,
  down: DeviceAddress,
  hop: ReturnType<typeof nextHopTo>,
  network: Network,
): Finding<"server-network-down"> {
  const device = deviceOf(network, down.device);
  const name = device?.name ?? "INTERFACE";
  const parent = device && parentOf(network, device);
  const other = deviceOf(network, hop?.device)?.name;
  const instead =
    hop && other !== undefined
      ? `packets to it leave by ${other}, through ${formatAddress(hop.address)}`
      : "there is no route to it";
  return {
    id: "server-network-down",
    ...subject,
    seen: `${name}, which has ${formatAddress(down.address)}/${down.prefixBits} in its network, is down, and ${instead}`,
    ...(hop
      ? {
          certainty: "likely" as const,
          evidence: [
            `it is no fault if ${name} is down on purpose and that route is meant`,
          ],
        }
      : {}),
    fix: [
      // The kernel refuses to bring up a VLAN whose parent is down.
      ...(parent?.up === false ? [setUp([parent])] : []),
      {
        command: `ip link set ${shellWord(name)} up`,
        effect: `this machine uses ${formatAddress(down.address)} there again; routes through routers behind ${name} do not come back with it`,
      },
    ],
  };
}

/** A server that does not answer, and what sends clients to it again and again. */
function deadServer(
  service: ServiceWithServers,
  server: ServerEntry,
  sysctls: Sysctls,
  silence: string,
): Finding<DeadId> {
  const subject = ofServer(service, server);
  const fix = takeOut(service, server, sysctls, true);
  if (bindsClients(service, server, sysctls)) {
    const count = server.persistentConnections;
    return {
      id: "persistence-to-dead-server",
      ...subject,
      seen: `${silence}, and ${count} persistence ${count === 1 ? "template binds" : "templates bind"} clients to it`,
      evidence: [
        "weight 0 alone does not free these clients: net.ipv4.vs.expire_quiescent_template is 0",
      ],
      fix,
    };
  }
  if (service.settings.flags & ONE_PACKET)
    return {
      id: "one-packet-to-dead-server",
      ...subject,
      // With one-packet scheduling the kernel counts each packet as a connection.
      seen: `${silence}, and it got ${server.stats.connections} datagrams since it was added`,
      fix,
    };
  return { id: "server-silent", ...subject, seen: silence, fix };
}

/** Whether the next hop to a real server does not answer. */
export function isSilent(
  network: Network,
  stations: Stations,
  hop: NonNullable<ReturnType<typeof nextHopTo>>,
): boolean {
  const text = formatAddress(hop.address);
  // If the next hop was not asked for, use what the kernel knows.
  if (stations.nextHops.has(text))
    return stations.nextHops.get(text) === undefined;
  return network.neighbors.some(
    ({ address, device, state }) =>
      device === hop.device &&
      state === "failed" &&
      sameAddress(address, hop.address),
  );
}
