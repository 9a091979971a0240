import { formatEndpoint, SCTP, TCP, TUNNELING } from "../../ipvs/model.js";
import { check } from "../check.js";
import { serverName, serviceName } from "../commands.js";
import { orphanedConnections } from "../connections.js";
import type { Finding } from "../finding.js";
import { sysctlFix, sysctlNumber } from "../sysctls.js";
import { isServing } from "./reach.js";

const CONNTRACK = "net/ipv4/vs/conntrack";
const REUSE = "net/ipv4/vs/conn_reuse_mode";
const EXPIRE = "net/ipv4/vs/expire_nodest_conn";

/** Rules of the firewall that match connections of IPVS, which it hides from them. */
export const conntrack = check(
  ["conntrack-off"],
  ["matcher", "sysctls", "table"],
  ({ matcher, sysctls, table }) =>
    (matcher.references ?? 0) > 0 &&
    table.length > 0 &&
    sysctlNumber(sysctls, CONNTRACK) === 0
      ? [
          {
            id: "conntrack-off",
            seen: "rules of the firewall use the match ipvs (module xt_ipvs), and net.ipv4.vs.conntrack is 0",
            fix: [sysctlFix({ [CONNTRACK]: 1 })],
          },
        ]
      : [],
);

/** New connections that are taken for old ones. */
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
            seen: `net.ipv4.vs.conn_reuse_mode is 0, and ${serviceName(service)} has connections that end`,
            fix: [sysctlFix({ [REUSE]: 1 })],
          },
        ]
      : [];
  },
);

/** Connections with servers that have been removed. */
export const orphans = check(
  ["connections-to-nobody"],
  ["table", "connections", "sysctls"],
  ({ table, connections, sysctls }) =>
    sysctlNumber(sysctls, EXPIRE) === 0
      ? orphanedConnections(connections, table).map(
          ({ group, service, count }): Finding<"connections-to-nobody"> => ({
            id: "connections-to-nobody",
            subject: serviceName(service),
            seen: `${count} connection${count === 1 ? " is" : "s are"} with ${formatEndpoint(group.server, group.serverPort)}, which is none of its real servers`,
            fix: [sysctlFix({ [EXPIRE]: 1 })],
          }),
        )
      : [],
);

const PMTU = "net/ipv4/vs/pmtu_disc";

/** Tunnels whose packets are cut in pieces. */
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
              seen: `net.ipv4.vs.pmtu_disc is 0, and real server ${serverName(service, server)} is tunnelled to`,
              fix: [sysctlFix({ [PMTU]: 1 })],
            },
          ];
    return [];
  },
);

/** So many connections in a row of the hash table are a long way to look. */
const LONG_ROW = 8;
/** The kernel takes 8 to 20, and to 27 since Linux 6.4. */
const MOST_BITS = 20;

/** A table of connections that has outgrown its hash. */
export const hashing = check(
  ["hash-small"],
  ["info", "connections"],
  ({ info, connections }) => {
    const { connectionTableSize: rows } = info;
    const { entries } = connections;
    const bits = Math.min(
      Math.ceil(Math.log2(Math.max(entries, 1))),
      MOST_BITS,
    );
    return rows > 0 && entries >= rows * LONG_ROW && 2 ** bits > rows
      ? [
          {
            id: "hash-small",
            seen: `${entries} entries are in ${rows} rows, ${Math.floor(entries / rows)} in each`,
            fix: [
              {
                command: `echo options ip_vs conn_tab_bits=${bits} >/etc/modprobe.d/ip_vs-conn_tab_bits.conf`,
              },
            ],
          },
        ]
      : [];
  },
);
