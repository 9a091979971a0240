import {
  MASQUERADING,
  TCP,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { check, type Known } from "../../check.js";
import { ofServer } from "../../commands.js";
import { groupsOf, type ConnectionGroup } from "../../connections.js";
import type { Facts as AllFacts } from "../../facts.js";
import type { Finding } from "../../finding.js";
import { examineThere } from "../nat/examine-there.js";
import { isPassive, isServing } from "../reach/reach.js";
import { expirySeconds } from "../reach/silence.js";

type Facts = AllFacts &
  Known<"table" | "allServices" | "network" | "connections" | "timeouts">;

/** Fewer connections can be of clients that close their side first. */
const FEWEST = 3;
/** So many are enough if another server of the service ends connections meanwhile. */
const FEWEST_BESIDE_OTHERS = 2;
/** A program that works closes its side in much less time. */
const WAITING_SECONDS = 3;
/** States that a connection reaches if the server has closed its side, too, or if one side has reset it */
const ENDED = ["TIME_WAIT", "LAST_ACK", "CLOSE"];

/** Masqueraded servers that do not end the connections that clients have closed. */
export const hangingServers = check(
  ["server-hangs"],
  ["table", "allServices", "daemons", "network", "connections", "timeouts"],
  (facts) =>
    // A backup learns from the master how connections end, and messages can be lost.
    isPassive(facts.daemons)
      ? []
      : facts.table.flatMap((service) =>
          service.servers
            .filter(isServing)
            .flatMap((server) => findingsOf(service, server, facts)),
        ),
);

function findingsOf(
  service: ServiceWithServers,
  server: ServerEntry,
  facts: Facts,
): Finding<"server-hangs">[] {
  const { key, servers } = service;
  // The director sees both sides of a connection only with masquerading.
  if (server.settings.forwarding !== MASQUERADING) return [];
  if ("firewallMark" in key || key.protocol !== TCP) return [];
  const groupsAt = (one: ServerEntry) =>
    groupsOf(facts.connections, service, one, facts.allServices);
  const own = groupsAt(server);
  const { count, idleSeconds } = closedByClients(own, facts);
  if (idleSeconds < WAITING_SECONDS) return [];
  if (lastEnd(own, facts) < idleSeconds) return [];
  const others = servers.some(
    (other) =>
      other !== server && lastEnd(groupsAt(other), facts) < idleSeconds,
  );
  if (count < (others ? FEWEST_BESIDE_OTHERS : FEWEST)) return [];
  const [client] = own.flatMap(({ clients }) => clients);
  return [
    {
      id: "server-hangs",
      ...ofServer(service, server),
      seen: `clients have closed ${count} connections, which wait in CLOSE_WAIT for the server to close its side, the oldest for ${idleSeconds} s; it has ended none meanwhile`,
      certainty: "likely",
      evidence: others
        ? ["meanwhile another server of the service ended connections"]
        : [],
      next: [examineThere(service, server, facts, client)],
      fix: [],
    },
  ];
}

/** The connections that only clients have closed. */
function closedByClients(
  groups: readonly ConnectionGroup[],
  { timeouts }: Facts,
): { count: number; /** Of the oldest */ idleSeconds: number } {
  let count = 0;
  let idleSeconds = 0;
  for (const { states } of groups) {
    const state = states.get("CLOSE_WAIT");
    if (!state) continue;
    count += state.count;
    idleSeconds = Math.max(
      idleSeconds,
      expirySeconds("CLOSE_WAIT", timeouts) - state.shortestSeconds,
    );
  }
  return { count, idleSeconds };
}

/** Seconds since the last packet of a connection that both sides have closed. */
function lastEnd(
  groups: readonly ConnectionGroup[],
  { timeouts }: Facts,
): number {
  const ends = groups.flatMap(({ states }) =>
    ENDED.flatMap((name) => {
      const state = states.get(name);
      return state
        ? [expirySeconds(name, timeouts) - state.longestSeconds]
        : [];
    }),
  );
  return Math.min(Infinity, ...ends);
}
