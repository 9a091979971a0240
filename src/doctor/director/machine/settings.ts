import { formatAddress } from "../../../ipvs/address.js";
import { CONNECTION_STATES } from "../../../ipvs/connection-states.js";
import {
  formatEndpoint,
  SCTP,
  TCP,
  TUNNELING,
  type Timeouts,
} from "../../../ipvs/model.js";
import { check } from "../../check.js";
import { ofService, serverName, serviceName } from "../../commands.js";
import {
  MOST_CLIENTS,
  orphanedConnections,
  type ConnectionGroup,
} from "../../connections.js";
import type { ConnectionLimits } from "../../connection-limits.js";
import type { Finding, Fix } from "../../finding.js";
import { CONNTRACK, sysctlFix, sysctlNumber } from "../../sysctls.js";
import { isServing } from "../reach/reach.js";

const REUSE = "net/ipv4/vs/conn_reuse_mode";
export const NODEST = "net/ipv4/vs/expire_nodest_conn";

/** New connections that are treated as old ones. */
export const reuse = check(
  ["conn-reuse-off"],
  ["table", "sysctls"],
  ({ table, sysctls }) => {
    const service = table.find(
      ({ key }) =>
        "firewallMark" in key || key.protocol === TCP || key.protocol === SCTP,
    );
    return service && sysctlNumber(sysctls, REUSE) === 0
      ? [
          {
            id: "conn-reuse-off",
            seen: `net.ipv4.vs.conn_reuse_mode is 0, and ${serviceName(service)} has connections that end and whose ports are reused`,
            fix: [
              sysctlFix(
                { [REUSE]: 1 },
                "a new connection from a port that is still known is scheduled anew, in all services",
              ),
            ],
          },
        ]
      : [];
  },
);

/** Connections with servers that were removed. */
export const orphans = check(
  ["connections-to-nobody"],
  ["table", "connections", "sysctls"],
  ({ table, connections, sysctls, timeouts }) =>
    sysctlNumber(sysctls, NODEST) === 0
      ? orphanedConnections(connections, table).map(
          ({ group, service, count }): Finding<"connections-to-nobody"> => ({
            id: "connections-to-nobody",
            ...ofService(service),
            seen: `${count} connection${count === 1 ? " is" : "s are"} with ${formatEndpoint(group.server, group.serverPort)}, which is not one of its real servers`,
            evidence: [orphanText(group, timeouts)],
            fix: [endWithNextPacket()],
          }),
        )
      : [],
);

/** Whose the connections are, and how long they stay. */
function orphanText(
  { protocol, clients, states }: ConnectionGroup,
  timeouts: Timeouts | undefined,
): string {
  const longest = Math.max(
    ...Array.from(states, ([state, { longestSeconds }]) =>
      CONNECTION_STATES.get(state) === "open" ? longestSeconds : 0,
    ),
  );
  const timeout =
    timeouts &&
    { TCP: timeouts.tcpSeconds, UDP: timeouts.udpSeconds }[protocol];
  const inForce =
    timeout === undefined
      ? ""
      : ` (the timeout of ${protocol} is ${timeout} s)`;
  const more = clients.length < MOST_CLIENTS ? "" : " and perhaps others";
  const whose =
    clients.length === 0
      ? ""
      : `clients: ${clients.map(formatAddress).join(", ")}${more}; `;
  return `${whose}the last of these connections expires in ${longest} s${inForce}`;
}

/** Has connection tracking see the packets of IPVS. */
export function trackConnections(): Fix {
  return sysctlFix(
    { [CONNTRACK]: 1 },
    "connection tracking handles all packets of IPVS, which takes time for each of them; with direct routing and tunneling it sees no answers, so a rule that drops packets in state INVALID then drops those after the SYN",
  );
}

/** Ends the connections with servers that are gone. */
export function endWithNextPacket(): Fix {
  return sysctlFix(
    { [NODEST]: 1 },
    "connections of all removed servers end with their next packet: TCP clients get a reset, UDP clients get another server",
  );
}

const PMTU = "net/ipv4/vs/pmtu_disc";

/** Tunnels whose packets are fragmented. */
export const fragments = check(
  ["tunnel-fragments"],
  ["table", "sysctls"],
  ({ table, sysctls }) => {
    if (sysctlNumber(sysctls, PMTU) !== 0) return [];
    for (const service of table)
      for (const server of service.servers)
        if (server.settings.forwarding === TUNNELING && isServing(server))
          return [
            {
              id: "tunnel-fragments",
              seen: `net.ipv4.vs.pmtu_disc is 0, and real server ${serverName(service, server)} gets its packets through a tunnel`,
              fix: [
                sysctlFix(
                  { [PMTU]: 1 },
                  "clients get ICMP messages that ask for smaller packets; a firewall must let them pass",
                ),
              ],
            },
          ];
    return [];
  },
);

/** So many entries per bucket make the search slow. */
const LONG_CHAIN = 8;
/** The kernel accepts 8 to 20, and up to 27 since Linux 6.4. */
const MOST_BITS = 20;
/** The default of newer kernels: 16 buckets for each entry */
const USUAL_LOAD_FACTOR = -4;

/** A connection table that has outgrown its hash table. */
export const hashing = check(
  ["hash-small"],
  ["info", "connections", "limits"],
  ({ info, connections, limits }) => {
    const { connectionTableSize: buckets } = info;
    const { entries } = connections;
    // Newer kernels report 0 before the first connection.
    if (buckets === 0 || entries < buckets * LONG_CHAIN) return [];
    const fix = hashFix(entries, buckets, limits);
    if (!fix) return [];
    return [
      {
        id: "hash-small" as const,
        seen: `${entries} entries are in ${buckets} buckets, ${Math.floor(entries / buckets)} in each`,
        fix,
      },
    ];
  },
);

/** Undefined if there is no larger hash table. */
function hashFix(
  entries: number,
  buckets: number,
  { loadFactor }: ConnectionLimits,
): Fix[] | undefined {
  if (loadFactor !== undefined)
    return [
      sysctlFix(
        {
          "net/ipv4/vs/conn_lfactor": Math.min(
            USUAL_LOAD_FACTOR,
            loadFactor - 1,
          ),
        },
        "more buckets take more memory",
      ),
    ];
  const bits = Math.min(Math.ceil(Math.log2(entries)), MOST_BITS);
  return 2 ** bits > buckets
    ? [
        {
          command: `echo options ip_vs conn_tab_bits=${bits} >/etc/modprobe.d/ip_vs-conn_tab_bits.conf`,
        },
      ]
    : undefined;
}
