import {
  familyOf,
  formatAddress,
  sameAddress,
  type Address,
  type Family,
} from "../../../ipvs/address.js";
import {
  DIRECT_ROUTING,
  formatEndpoint,
  LOCAL_NODE,
  MASQUERADING,
  TCP,
  TUNNEL_GRE,
  TUNNEL_GUE,
  TUNNELING,
  UDP,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { isWithin } from "../../../rtnl/address-owners.js";
import { serverName, serviceName } from "../../commands.js";
import { groupsOf, type Connections } from "../../connections.js";
import type { Flow, FlowMatch } from "../../firewall/flow.js";
import {
  ACK,
  FIN_ACK,
  SYN,
  SYN_ACK,
  type ConntrackState,
  type Packet,
} from "../../firewall/packet.js";
import {
  ANYWHERE,
  deviceOf,
  isLocal,
  nextHopTo,
  type Network,
} from "../../network.js";
import { CONNTRACK, sysctlNumber, type Sysctls } from "../../sysctls.js";

/** IPVS takes requests in the hook input, behind the chains of lower priority. @see ip_vs_ops4 in ip_vs_core.c */
export const IPVS_INPUT_PRIORITY = 98;
/** IPVS takes answers of masqueraded servers in the hook forward. */
export const IPVS_FORWARD_PRIORITY = 99;

/** Packets of a service on their way through the director. */
export interface DirectorFlow extends Flow {
  readonly what: "requests" | "forwarded requests" | "answers";
  readonly service: ServiceWithServers;
  /** Undefined: before a server is chosen */
  readonly server: ServerEntry | undefined;
}

/** What flows depend on */
export interface FlowFacts {
  readonly network: Network;
  readonly sysctls: Sysctls;
  readonly connections: Connections;
  readonly allServices: readonly ServiceWithServers[];
}

/** A client, or clients in general, by the interface to them. */
export interface Candidate {
  readonly address: Address | undefined;
  readonly device: string | undefined;
}

/** The flows of a service on the director. A service by firewall mark has flows of its servers only. */
export function flowsOf(
  service: ServiceWithServers,
  facts: FlowFacts,
  client?: Address,
): DirectorFlow[] {
  return [
    ...requests(service, facts, client),
    ...service.servers.flatMap((server) => [
      ...forwardedRequests(service, server, facts, client),
      ...answers(service, server, facts, client),
    ]),
  ];
}

/** Requests of clients up to IPVS. */
function requests(
  service: ServiceWithServers,
  facts: FlowFacts,
  client: Address | undefined,
): DirectorFlow[] {
  const { key } = service;
  if ("firewallMark" in key) return [];
  const family = key.family;
  const clients =
    client === undefined
      ? anyClients(facts.network, family, key.address)
      : [candidateOf(client, facts.network)];
  const port = key.port === 0 ? undefined : key.port;
  const packets = clients.flatMap(({ address, device }) =>
    requestStates(service, key.protocol, facts.sysctls).map(
      ({ states, tcpFlags }): Packet => ({
        family,
        incoming: device,
        source: address,
        destination: key.address,
        protocol: key.protocol,
        sourcePort: undefined,
        destinationPort: port,
        tcpFlags,
        states,
        mark: 0,
        destinationIsLocal: true,
      }),
    ),
  );
  return [
    {
      what: "requests",
      text: `requests to ${serviceName(service)}`,
      service,
      server: undefined,
      stages: [
        { hook: "prerouting", packets },
        { hook: "input", packets, range: { before: IPVS_INPUT_PRIORITY } },
      ],
      match: {
        family,
        destination: key.address,
        protocol: key.protocol,
        destinationPort: port,
      },
    },
  ];
}

/** Requests that IPVS sends to a real server. */
export function forwardedRequests(
  service: ServiceWithServers,
  server: ServerEntry,
  facts: FlowFacts,
  client: Address | undefined,
): DirectorFlow[] {
  const { network, sysctls } = facts;
  const { forwarding, tunnel } = server.settings;
  const target = server.key.address;
  const hop = nextHopTo(network, target);
  const outgoing = deviceOf(network, hop?.device)?.name;
  if (forwarding === LOCAL_NODE || isLocal(network, target) !== false || !hop)
    return [];
  const protocol = protocolOf(service);
  if (forwarding === TUNNELING) {
    const outer = outerProtocol(tunnel.type, service.key.family);
    const port = tunnel.type === TUNNEL_GUE ? tunnel.port : undefined;
    const match: FlowMatch = {
      family: familyOf(target),
      destination: target,
      protocol: outer,
      destinationPort: port,
    };
    const packet: Packet = { ...match, outgoing, mark: 0 };
    return [
      {
        what: "forwarded requests",
        text: `the tunnel's packets to ${formatAddress(target)}`,
        service,
        server,
        stages: [{ hook: "output", packets: [packet] }],
        match,
      },
    ];
  }
  const masqueraded = forwarding === MASQUERADING;
  const virtual = "firewallMark" in service.key ? undefined : service.key;
  const destination = masqueraded ? target : virtual?.address;
  const port = masqueraded ? server.key.port : virtual?.port;
  const destinationPort = port === 0 ? undefined : port;
  const family = familyOf(target);
  const packets = clientsOf(service, server, facts, client).flatMap(
    ({ address }) =>
      forwardedStates(server, protocol, sysctls).map(
        ({ states, tcpFlags }): Packet => ({
          family,
          outgoing,
          source: address,
          destination,
          protocol,
          destinationPort,
          tcpFlags,
          states,
          mark: "firewallMark" in service.key ? service.key.firewallMark : 0,
        }),
      ),
  );
  return [
    {
      what: "forwarded requests",
      text: `requests to real server ${formatEndpoint(target, server.key.port)}`,
      service,
      server,
      stages: [
        { hook: "output", packets },
        { hook: "postrouting", packets },
      ],
      match: {
        family,
        destination,
        protocol: protocol ?? TCP,
        destinationPort,
      },
    },
  ];
}

/** The protocol of a tunnel's packets. That of IP in IP tells the family of the packets inside. */
function outerProtocol(type: number, inside: Family): number {
  if (type === TUNNEL_GRE) return 47;
  if (type === TUNNEL_GUE) return UDP;
  return inside === 2 ? 4 : 41;
}

/** Answers of masqueraded servers, which come back through the director. */
function answers(
  service: ServiceWithServers,
  server: ServerEntry,
  facts: FlowFacts,
  client: Address | undefined,
): DirectorFlow[] {
  const { network, sysctls } = facts;
  const source = server.key.address;
  const hop = nextHopTo(network, source);
  const incoming = deviceOf(network, hop?.device)?.name;
  if (server.settings.forwarding !== MASQUERADING || !hop) return [];
  const protocol = protocolOf(service);
  const family = familyOf(source);
  const sourcePort = server.key.port === 0 ? undefined : server.key.port;
  const packets = clientsOf(service, server, facts, client).flatMap(
    ({ address, device }) =>
      answerStates(protocol, sysctls).map(({ states, tcpFlags }): Packet => ({
        family,
        incoming,
        outgoing: device,
        source,
        destination: address,
        protocol,
        sourcePort,
        destinationPort: undefined,
        tcpFlags,
        states,
        mark: 0,
        destinationIsLocal: false,
      })),
  );
  return [
    {
      what: "answers",
      text: `answers of real server ${serverName(service, server).split(" ")[0] ?? ""}`,
      service,
      server,
      stages: [
        {
          hook: "prerouting",
          packets: packets.map((packet) => ({
            ...packet,
            outgoing: undefined,
          })),
        },
        { hook: "forward", packets, range: { before: IPVS_FORWARD_PRIORITY } },
      ],
      match: { family, source, protocol: protocol ?? TCP, sourcePort },
    },
  ];
}

const LOOSE = "net/netfilter/nf_conntrack_tcp_loose";

interface Variant {
  readonly states: readonly ConntrackState[];
  readonly tcpFlags: number | undefined;
}

/** The servers that answer clients past the director. Connection tracking of the director sees no answer of them. */
export function answersElsewhere({ settings }: ServerEntry): boolean {
  return (
    settings.forwarding === DIRECT_ROUTING || settings.forwarding === TUNNELING
  );
}

/**
 * How connection tracking sees requests. Without net.ipv4.vs.conntrack IPVS takes every packet out of it, so that each
 * one is the first of a connection. With it, a client's first ACK is invalid if the answer before it was not seen.
 *
 * @see net/netfilter/nf_conntrack_proto_tcp.c, table of states, rows ack and fin of the original direction
 */
function requestStates(
  { servers }: ServiceWithServers,
  protocol: number,
  sysctls: Sysctls,
): Variant[] {
  if (protocol !== TCP) return [{ states: ["new"], tcpFlags: undefined }];
  const first: Variant = { states: ["new"], tcpFlags: SYN };
  if (sysctlNumber(sysctls, CONNTRACK) !== 1)
    return [first, ...untrackedLater(sysctls)];
  const used = servers.filter(({ settings }) => settings.weight > 0);
  return [
    first,
    ...(used.length > 0 && used.every(answersElsewhere)
      ? []
      : laterPackets("established")),
    ...(used.some(answersElsewhere) ? laterPackets("invalid") : []),
  ];
}

/** The packets of a TCP connection behind its first one, if connection tracking calls them all the same. */
function laterPackets(state: ConntrackState): Variant[] {
  return [
    { states: [state], tcpFlags: ACK },
    { states: [state], tcpFlags: FIN_ACK },
  ];
}

/** The same if it has seen no packet before. It begins connections with an ACK, unless told otherwise, but never with a FIN. */
function untrackedLater(sysctls: Sysctls): Variant[] {
  const strict = sysctlNumber(sysctls, LOOSE) === 0;
  return [
    { states: [strict ? "invalid" : "new"], tcpFlags: ACK },
    { states: ["invalid"], tcpFlags: FIN_ACK },
  ];
}

/** How it sees requests when IPVS has chosen a server. */
function forwardedStates(
  server: ServerEntry,
  protocol: number | undefined,
  sysctls: Sysctls,
): Variant[] {
  const tracked = sysctlNumber(sysctls, CONNTRACK) === 1;
  const first: Variant = {
    states: [tracked ? "new" : "untracked"],
    tcpFlags: SYN,
  };
  if (protocol !== TCP) return [first];
  if (!tracked) return [first, ...laterPackets("untracked")];
  const later = answersElsewhere(server) ? "invalid" : "established";
  return [first, ...laterPackets(later)];
}

/** How it sees answers. An answer without its request is invalid for TCP, new for UDP, and one of them for SCTP. */
function answerStates(
  protocol: number | undefined,
  sysctls: Sysctls,
): Variant[] {
  if (sysctlNumber(sysctls, CONNTRACK) === 1)
    return protocol === TCP
      ? [
          { states: ["established"], tcpFlags: SYN_ACK },
          ...laterPackets("established"),
        ]
      : [{ states: ["established"], tcpFlags: undefined }];
  if (protocol === TCP)
    return [
      { states: ["invalid"], tcpFlags: SYN_ACK },
      ...untrackedLater(sysctls),
    ];
  if (protocol === UDP) return [{ states: ["new"], tcpFlags: undefined }];
  return [{ states: ["new", "invalid"], tcpFlags: undefined }];
}

function protocolOf({ key }: ServiceWithServers): number | undefined {
  return "firewallMark" in key ? undefined : key.protocol;
}

/** The clients of a real server that the connection table shows; else clients in general. */
export function clientsOf(
  service: ServiceWithServers,
  server: ServerEntry,
  { network, connections, allServices }: FlowFacts,
  client: Address | undefined,
): Candidate[] {
  if (client !== undefined) return [candidateOf(client, network)];
  const groups = groupsOf(connections, service, server, allServices);
  const seen = groups.flatMap(({ clients, openingClients }) =>
    openingClients.length > 0 ? openingClients : clients,
  );
  return seen.length > 0
    ? seen.map((address) => candidateOf(address, network))
    : anyClients(
        network,
        service.key.family,
        "firewallMark" in service.key ? undefined : service.key.address,
      );
}

/**
 * The interfaces by which requests come in: of a client, or of clients in general if none is given. None if not known.
 */
export function clientDevices(
  network: Network,
  family: Family,
  virtual: Address | undefined,
  client: Address | undefined,
): string[] {
  const clients =
    client === undefined
      ? anyClients(network, family, virtual)
      : [candidateOf(client, network)];
  return clients.flatMap(({ device }) =>
    device === undefined ? [] : [device],
  );
}

function candidateOf(address: Address, network: Network): Candidate {
  const hop = nextHopTo(network, address);
  return { address, device: deviceOf(network, hop?.device)?.name };
}

/** Clients in general: behind the default route, and in the network of the virtual address. */
function anyClients(
  network: Network,
  family: Family,
  virtual: Address | undefined,
): Candidate[] {
  const devices = new Set<number>();
  const hop = nextHopTo(network, ANYWHERE[family]);
  if (hop) devices.add(hop.device);
  if (virtual)
    for (const own of network.addresses) {
      const device = deviceOf(network, own.device);
      const near =
        sameAddress(own.address, virtual) ||
        (own.prefixBits < virtual.length * 8 &&
          own.address.length === virtual.length &&
          isWithin(virtual, own.address, own.prefixBits));
      if (near && device?.up === true && device.asksNeighbors)
        devices.add(own.device);
    }
  if (devices.size === 0) return [{ address: undefined, device: undefined }];
  return Array.from(devices, (index) => ({
    address: undefined,
    device: deviceOf(network, index)?.name,
  }));
}
