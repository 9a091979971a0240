import type { Timeouts } from "../../../ipvs/model.js";
import { check } from "../../check.js";
import type { Connections } from "../../connections.js";
import type { Finding } from "../../finding.js";
import { sysctlFix } from "../../sysctls.js";

type LimitId = "connections-at-limit" | "connections-near-limit";

const NEARLY_FULL = 0.9;
/** The kernel accepts no higher net.ipv4.vs.conn_max. */
const MOST_CONNECTIONS = 2 ** 30;

/** Tables of connections that are full, or almost. */
export const limits = check(
  ["connections-at-limit", "connections-near-limit"],
  ["table", "connections", "limits"],
  ({ connections, limits: known }) => {
    const found: Finding<LimitId>[] = [];
    const look = (
      path: string,
      count?: number,
      most?: number,
      highest = Infinity,
    ) => {
      if (count === undefined || most === undefined || most <= 0) return;
      if (count < most * NEARLY_FULL) return;
      const name = path.replaceAll("/", ".");
      found.push({
        id: count >= most ? "connections-at-limit" : "connections-near-limit",
        subject: name,
        seen: `there are ${count} entries, and ${name} allows ${most}`,
        fix:
          most < highest
            ? [
                sysctlFix(
                  { [path]: Math.min(2 * most, highest) },
                  "more entries take more memory",
                ),
              ]
            : [],
      });
    };
    look(
      "net/ipv4/vs/conn_max",
      known.entries ?? connections.entries,
      known.most,
      MOST_CONNECTIONS,
    );
    // Connection tracking sees requests before IPVS does, and drops those of new connections if it is full.
    look("net/netfilter/nf_conntrack_max", known.tracked, known.mostTracked);
    return found;
  },
);

/** After so long the first TCP keepalive is sent, unless the program wants otherwise. @see tcp(7) */
const USUAL_KEEPALIVE_SECONDS = 7200;

/** Connections that are idle and will break. */
export const idleConnections = check(
  ["idle-connections-expire"],
  ["table", "connections", "timeouts"],
  ({ connections, timeouts }) => {
    const idle = longestIdle(connections, timeouts);
    if (
      timeouts.tcpSeconds >= USUAL_KEEPALIVE_SECONDS ||
      idle < timeouts.tcpSeconds / 2
    )
      return [];
    return [
      {
        id: "idle-connections-expire" as const,
        seen: `an established connection has been idle for ${idle} s; IPVS forgets it after ${timeouts.tcpSeconds} s, and TCP keepalive begins after ${USUAL_KEEPALIVE_SECONDS} s by default`,
        certainty: "likely" as const,
        fix: [
          {
            command: `ipvsadm --set ${USUAL_KEEPALIVE_SECONDS + 60} 0 0`,
            effect:
              "entries of clients that vanished stay for two hours, and take memory",
          },
        ],
      },
    ];
  },
);

/** For how many seconds the most idle established TCP connection has had no packet. */
function longestIdle({ byServer }: Connections, timeouts: Timeouts): number {
  let idle = 0;
  for (const groups of byServer.values())
    for (const { protocol, states } of groups) {
      const established = states.get("ESTABLISHED");
      if (protocol === "TCP" && established)
        idle = Math.max(
          idle,
          timeouts.tcpSeconds - established.shortestSeconds,
        );
    }
  return idle;
}
