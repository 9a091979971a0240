import {
  familyOf,
  formatAddress,
  type Address,
  type Family,
} from "../../../ipvs/address.js";
import {
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
import { serverName, serviceName } from "../../commands.js";
import type { Flow, FlowMatch } from "../../firewall/flow.js";
import type { Packet, ReversePath } from "../../firewall/packet.js";
import { deviceOf, isLocal, nextHopTo, type Network } from "../../network.js";
import type { Sysctls } from "../../sysctls.js";
import {
  anyClients,
  candidateOf,
  clientsOf,
  type ClientFacts,
} from "./flow-clients.js";
import { answerStates, forwardedStates, requestStates } from "./flow-states.js";

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
export interface FlowFacts extends ClientFacts {
  readonly sysctls: Sysctls;
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
        reversePath: reversePathTo(source, network),
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

/** The way back to a real server; undefined if it was not asked for. */
function reversePathTo(
  source: Address,
  network: Network,
): ReversePath | undefined {
  const way = network.ways.get(formatAddress(source));
  if (way === undefined) return undefined;
  if (typeof way === "string") return { type: "none", devices: [] };
  return {
    type: way.type === "unicast" || way.type === "local" ? way.type : "none",
    devices: way.hops.flatMap(
      ({ device }) => deviceOf(network, device)?.name ?? [],
    ),
  };
}

function protocolOf({ key }: ServiceWithServers): number | undefined {
  return "firewallMark" in key ? undefined : key.protocol;
}
