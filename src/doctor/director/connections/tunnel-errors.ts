import { INET } from "../../../ipvs/address.js";
import {
  TUNNEL_GRE,
  TUNNEL_GUE,
  TUNNELING,
  type ServerEntry,
  type ServiceWithServers,
  type Stats,
} from "../../../ipvs/model.js";

/** The packets of a tunnel as a firewall names them: `UDP port 6080 (GUE)`. */
export function tunnelPackets(
  { key }: Pick<ServiceWithServers, "key">,
  { settings: { tunnel } }: Pick<ServerEntry, "settings">,
): string {
  if (tunnel.type === TUNNEL_GUE) return `UDP port ${tunnel.port} (GUE)`;
  if (tunnel.type === TUNNEL_GRE) return "protocol 47 (GRE)";
  return key.family === INET
    ? "protocol 4 (IP in IP)"
    : "protocol 41 (IPv6 in IP)";
}

/** Larger packets on average are messages that a packet is too big, which a tunnel that works also gets. */
const SMALL_BYTES = 128n;

/**
 * What the packets out in the counters of a tunnel tell; undefined if there are none. Answers come from the virtual
 * address. The kernel drops packets from an address of its own, so answers do not pass the director. An ICMP error about
 * the tunnel's packets does: IPVS sends it on to the client and counts it.
 *
 * @param counted the counters, or how much they grew
 * @see ip_vs_in_icmp() in net/netfilter/ipvs/ip_vs_core.c: IPv4 in IPv4 only. It counts each error, and the message to
 * the client as well
 */
export function tunnelErrors(
  service: Pick<ServiceWithServers, "key">,
  server: Pick<ServerEntry, "settings">,
  { outPackets, outBytes }: Pick<Stats, "outPackets" | "outBytes">,
): string | undefined {
  // The virtual addresses of a firewall mark need not be this machine's own.
  if ("firewallMark" in service.key) return undefined;
  if (server.settings.forwarding !== TUNNELING) return undefined;
  if (outPackets === 0n || outBytes > outPackets * SMALL_BYTES)
    return undefined;
  return `answers do not pass the director, so packets out are ICMP errors about the tunnel's packets: nothing on the server unpacks ${tunnelPackets(service, server)}, a firewall rejects it, or a router does not reach the server`;
}
