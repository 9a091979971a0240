import {
  MASQUERADING,
  ONE_PACKET,
  TCP,
  UDP,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { check } from "../../check.js";
import type { Finding } from "../../finding.js";
import { pinnedDatagrams } from "../reach/pinned-datagrams.js";
import { idleConnections } from "./limits.js";

/** Programs often need so long for an answer. */
const SHORTEST_TCP_SECONDS = 60;
const SHORTEST_UDP_SECONDS = 5;
/** The kernel's defaults. @see tcp_timeouts and udp_timeouts in net/netfilter/ipvs */
const USUAL = { tcp: 900, udp: 300 } as const;

/** Timeouts that end connections that are only idle. */
export const timeoutLengths = check(
  ["timeout-short"],
  ["table", "connections", "timeouts"],
  (facts) => {
    const { table } = facts;
    const { tcpSeconds, udpSeconds } = facts.timeouts;
    const found: Finding<"timeout-short">[] = [];
    // An idle connection is reported with the same cause.
    if (
      idleConnections.examine(facts).length === 0 &&
      tcpSeconds > 0 &&
      tcpSeconds < SHORTEST_TCP_SECONDS &&
      table.some((service) => has(service, TCP))
    )
      found.push({
        id: "timeout-short",
        subject: "TCP",
        seen: `IPVS forgets a TCP connection ${tcpSeconds} s after its last packet`,
        fix: [{ command: `ipvsadm --set ${USUAL.tcp} 0 0`, effect: EFFECT }],
      });
    if (
      udpSeconds > 0 &&
      udpSeconds < SHORTEST_UDP_SECONDS &&
      table.some(
        (service) =>
          has(service, UDP) &&
          isTranslated(service) &&
          !pinnedDatagrams(service, facts),
      )
    )
      found.push({
        id: "timeout-short",
        subject: "UDP",
        seen: `IPVS forgets a client ${udpSeconds} s after its last UDP packet, and then translates no answer of a masqueraded server`,
        fix: [
          {
            command: `ipvsadm --set 0 0 ${USUAL.udp}`,
            effect: `${EFFECT}; a client that always sends from the same port stays with its server for longer`,
          },
        ],
      });
    return found;
  },
);

const EFFECT =
  "the kernel's default, for all services; choose it above the longest silence of clients; entries stay longer, and take memory; until reboot: keep it in TIMEOUTS of /etc/default/ipvsadm, or in an ExecStartPost= of the unit that loads the table";

/** Whether the timeout matters to a service: one-packet scheduling leaves no entries. */
function has({ key, settings }: ServiceWithServers, protocol: number): boolean {
  return (
    "firewallMark" in key ||
    (key.protocol === protocol && !(settings.flags & ONE_PACKET))
  );
}

/** Whether answers need the entry: with other forwarding methods they do not pass the director. */
function isTranslated({ servers }: ServiceWithServers): boolean {
  return servers.some(({ settings }) => settings.forwarding === MASQUERADING);
}
