import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../ipvs/address.js";
import {
  DIRECT_ROUTING,
  IPIP,
  MASQUERADING,
  TUNNEL_IPIP,
  TUNNELING,
  type ServerEntry,
  type ServiceWithServers,
  type Timeouts,
} from "../../ipvs/model.js";
import { check } from "../check.js";
import { editServer, serverName } from "../commands.js";
import { groupsOf, type ConnectionGroup } from "../connections.js";
import type { Finding, Fix } from "../finding.js";
import { nextHopTo, wayTo, type Network } from "../network.js";
import { isServing, isSilent } from "./reach.js";

/** Fewer may have been begun by a scanner, or be on their way just now. */
const FEWEST = 3;

/**
 * After how long without a packet the kernel forgets a TCP connection in a state.
 *
 * @see tcp_timeouts in net/netfilter/ipvs/ip_vs_proto_tcp.c
 */
const FORGOTTEN_SECONDS: Readonly<Record<string, number>> = {
  SYN_SENT: 120,
  SYN_RECV: 60,
  TIME_WAIT: 120,
  CLOSE: 10,
  CLOSE_WAIT: 60,
  LAST_ACK: 30,
  SYNACK: 120,
};

type Id = "nat-unanswered" | "direct-unanswered" | "tunnel-unanswered";

const ID_OF: ReadonlyMap<number, Id> = new Map([
  [MASQUERADING, "nat-unanswered"],
  [DIRECT_ROUTING, "direct-unanswered"],
  [TUNNELING, "tunnel-unanswered"],
]);

/** Real servers whose connections all stay half open. */
export const unanswered = check(
  ["nat-unanswered", "direct-unanswered", "tunnel-unanswered"],
  ["table", "network", "stations", "connections", "timeouts"],
  ({ table, network, stations, connections, timeouts }) =>
    table.flatMap((service) =>
      service.servers.flatMap((server): Finding<Id>[] => {
        const id = ID_OF.get(server.settings.forwarding);
        if (id === undefined || !isServing(server)) return [];
        const hop = nextHopTo(network, server.key.address);
        // What is known to be amiss on the way is told as such.
        if (!hop || isSilent(network, stations, hop)) return [];
        if (
          id === "direct-unanswered" &&
          !sameAddress(hop.address, server.key.address)
        )
          return [];
        const groups = groupsOf(connections, service, server);
        const count = waiting(groups, timeouts);
        if (count < FEWEST) return [];
        return [
          {
            id,
            subject: serverName(service, server),
            seen: `${count} connections wait in SYN_RECV, and none has come further since the first of them began`,
            fix: fixOf(id, service, server, network),
          },
        ];
      }),
    ),
);

/** How many connections wait for an answer, all of which began after any other had its last packet. */
function waiting(
  groups: readonly ConnectionGroup[],
  timeouts: Timeouts,
): number {
  let idle = Infinity;
  for (const { states } of groups)
    for (const [state, { longestSeconds }] of states)
      if (state !== "SYN_RECV")
        idle = Math.min(idle, forgotten(state, timeouts) - longestSeconds);
  let count = 0;
  for (const { opening } of groups)
    for (const [seconds, some] of opening)
      if (forgotten("SYN_RECV", timeouts) - seconds < idle) count += some;
  return count;
}

function forgotten(state: string, timeouts: Timeouts): number {
  if (state === "ESTABLISHED") return timeouts.tcpSeconds;
  if (state === "FIN_WAIT") return timeouts.tcpFinSeconds;
  return FORGOTTEN_SECONDS[state] ?? 0;
}

function fixOf(
  id: Id,
  service: ServiceWithServers,
  server: ServerEntry,
  network: Network,
): Fix[] {
  const { address } = server.key;
  const on = `real server ${formatAddress(address)}`;
  switch (id) {
    case "nat-unanswered": {
      const own = wayTo(network, address)?.source;
      const via = own ? formatAddress(own) : "DIRECTOR";
      const ip = address.length === 4 ? "ip" : "ip -6";
      return [{ command: `${ip} route replace default via ${via}`, on }];
    }
    case "direct-unanswered":
      return [
        tunnelEnd(address, on),
        editServer(service, server, { forwarding: TUNNELING, tunnel: IPIP }),
      ];
    case "tunnel-unanswered":
      return server.settings.tunnel.type === TUNNEL_IPIP
        ? [tunnelEnd(address, on)]
        : [];
  }
}

/** What takes IP out of IP on a real server. Answers go by another device, which rp_filter 1 does not take, nor 2 of a device without an address. */
function tunnelEnd(server: Address, on: string): Fix {
  const command =
    server.length === 4
      ? "modprobe ipip && ip link set tunl0 up && sysctl -w net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.tunl0.rp_filter=0"
      : "modprobe ip6_tunnel && ip link set ip6tnl0 up";
  return { command, on };
}
