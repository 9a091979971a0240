import {
  familyOf,
  formatAddress,
  INET6,
  sameAddress,
  type Address,
  type Family,
} from "../../ipvs/address.js";
import { TCP, UDP } from "../../ipvs/model.js";
import type { Flow } from "../firewall/flow.js";
import {
  SYN,
  SYN_ACK,
  type ConntrackState,
  type Packet,
  type ReversePath,
} from "../firewall/packet.js";
import { isWithin } from "../../rtnl/address-owners.js";
import type { Route } from "../../rtnl/model.js";
import type { Way } from "../network.js";
import { servicesThere } from "./listening.js";
import { isTunnel, type TunnelMethod } from "./methods.js";
import {
  decapsulatorFor,
  endpointName,
  guePorts,
  INSIDE,
  tunnelsUp,
  unpackersUp,
  type RealServer,
  type VirtualService,
} from "./real-server.js";

/** The packets that a real server receives and sends. */
export function realServerFlows(server: RealServer): Flow[] {
  return [...tunnelFlows(server), ...serviceFlows(server)];
}

/** Requests and answers, as they are outside of tunnels. */
export function serviceFlows(server: RealServer): Flow[] {
  return servicesThere(server).flatMap((service) => [
    requests(server, service),
    answers(server, service),
  ]);
}

/** Requests as they are outside of tunnels. */
export function requestFlows(server: RealServer): Flow[] {
  return servicesThere(server).map((service) => requests(server, service));
}

/** The packets of the director's tunnel; of every possible tunnel, if the method is not known. */
export function tunnelFlows(server: RealServer): Flow[] {
  const { director } = server;
  const kinds = new Map(
    server.services.flatMap(({ address }) =>
      tunnelsFor(server, address).map(({ method, outer, inner }) => {
        // The protocol of IP in IP tells the family of the packets inside.
        const protocol = { tunnel: INSIDE[inner], gre: 47, gue: UDP }[method];
        return [`${outer} ${protocol}`, { family: outer, protocol }] as const;
      }),
    ),
  );
  return [...kinds.values()].flatMap(({ family, protocol }) => {
    const ports =
      protocol === UDP
        ? server.tunnelPort === undefined
          ? guePorts(server, family)
          : [server.tunnelPort]
        : [undefined];
    return ports.map((destinationPort): Flow => {
      const source =
        director && familyOf(director) === family ? director : undefined;
      const packet: Packet = {
        family,
        incoming: deviceTo(server),
        source,
        destination: undefined,
        protocol,
        destinationPort,
        mark: 0,
        destinationIsLocal: true,
        states: ["new"],
        reversePath: source
          ? pathOf(server, server.toDirector, source)
          : undefined,
      };
      return {
        text: `the tunnel's packets from ${source ? formatAddress(source) : "the director"}`,
        stages: [
          { hook: "prerouting", packets: [packet] },
          { hook: "input", packets: [packet] },
        ],
        match: { family, source, protocol, destinationPort },
      };
    });
  });
}

/** The tunnels by which packets for a virtual address can come. */
function tunnelsFor(
  server: RealServer,
  address: Address,
): { method: TunnelMethod; outer: Family; inner: Family }[] {
  const { method } = server;
  if (isTunnel(method))
    return [{ method, ...decapsulatorFor(server, method, address) }];
  if (method !== undefined) return [];
  return unpackersUp(server, address).flatMap((one) => {
    const families = one.decapsulator;
    const isGue =
      one.method === "tunnel" && guePorts(server, families.outer).length > 0;
    return [
      { method: one.method, ...families },
      ...(isGue ? [{ method: "gue" as const, ...families }] : []),
    ];
  });
}

/** The interface to the director, if there is only one possible. */
function deviceTo({ devices }: RealServer): string | undefined {
  const real = devices.filter(
    ({ up, asksNeighbors, master }) =>
      up && asksNeighbors && master === undefined,
  );
  return real.length === 1 ? real[0]?.name : undefined;
}

function requests(server: RealServer, service: VirtualService): Flow {
  const packets = entrances(server, service).flatMap((incoming) =>
    packetsOf(service, server.client, [
      { states: ["new"], tcpFlags: SYN },
      { states: ["established"], tcpFlags: 0x10 },
    ]).map((packet): Packet => ({
      ...packet,
      incoming,
      reversePath: server.client
        ? pathOf(server, wayBackOf(server, service), server.client)
        : undefined,
    })),
  );
  const { protocol, address, port } = service;
  return {
    text: `requests to ${endpointName(service)}`,
    stages: [
      { hook: "prerouting", packets },
      { hook: "input", packets },
    ],
    match: {
      family: familyOf(address),
      destination: address,
      protocol: protocol ?? TCP,
      destinationPort: port,
    },
  };
}

/** The route of answers to the client. */
function wayBackOf(
  { ways, method }: RealServer,
  { address }: VirtualService,
): Way | undefined {
  // The service of a masqueraded server is there at another address.
  return ways.find(
    (one) => method === "masq" || sameAddress(one.service.address, address),
  )?.back;
}

function pathOf(
  { devices, routes }: RealServer,
  way: Way | undefined,
  to: Address,
): ReversePath | undefined {
  if (way === undefined) return undefined;
  if (typeof way === "string") return { type: "none", devices: [] };
  const namesOf = ({ hops }: Route) =>
    hops.flatMap(
      ({ device }) => devices.find(({ index }) => index === device)?.name ?? [],
    );
  const { type } = way;
  return {
    type: type === "unicast" || type === "local" ? type : "none",
    devices: namesOf(way),
    others: routes
      .filter(
        (one) =>
          one.type === "unicast" &&
          one.family === INET6 &&
          isWithin(to, one.target, one.prefixBits),
      )
      .flatMap(namesOf),
  };
}

function answers(server: RealServer, service: VirtualService): Flow {
  const { protocol, address, port } = service;
  const family = familyOf(address);
  const ways = server.ways.find((one) => one.back !== undefined);
  const back = typeof ways?.back === "object" ? ways.back : undefined;
  const device = server.devices.find(
    ({ index }) => index === back?.hops[0]?.device,
  );
  const packet: Packet = {
    family,
    outgoing: device?.name ?? deviceTo(server),
    source: address,
    destination: server.client,
    protocol,
    sourcePort: port,
    tcpFlags: protocol === TCP ? SYN_ACK : undefined,
    states: ["established"],
    mark: 0,
  };
  return {
    text: `answers from ${endpointName(service)}`,
    stages: [
      { hook: "output", packets: [packet] },
      { hook: "postrouting", packets: [packet] },
    ],
    match: {
      family,
      source: address,
      protocol: protocol ?? TCP,
      sourcePort: port,
    },
  };
}

/** The interfaces by which requests come in; [undefined] if that is not known. */
function entrances(
  server: RealServer,
  { address }: VirtualService,
): (string | undefined)[] {
  const tunnels = tunnelsUp(server, address).map(({ name }) => name);
  if (isTunnel(server.method) && tunnels.length > 0) return tunnels;
  return [...tunnels, deviceTo(server)];
}

function packetsOf(
  { protocol, address, port }: VirtualService,
  client: Address | undefined,
  variants: readonly {
    states: readonly ConntrackState[];
    tcpFlags: number;
  }[],
): Packet[] {
  const some = protocol === TCP ? variants : variants.slice(0, 1);
  return some.map(({ states, tcpFlags }) => ({
    family: familyOf(address),
    source: client,
    destination: address,
    protocol,
    destinationPort: port,
    tcpFlags: protocol === TCP ? tcpFlags : undefined,
    states,
    mark: 0,
    destinationIsLocal: true,
  }));
}
