import {
  DIRECT_ROUTING,
  TCP,
  TUNNELING,
  UDP,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import {
  ACK,
  FIN_ACK,
  SYN,
  SYN_ACK,
  type ConntrackState,
} from "../../firewall/packet.js";
import { CONNTRACK, sysctlNumber, type Sysctls } from "../../sysctls.js";

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
export function requestStates(
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
export function forwardedStates(
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
export function answerStates(
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
