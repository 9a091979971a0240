import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import { MASQUERADING } from "../../../ipvs/model.js";
import type { ServerEntry } from "../../../ipvs/model.js";
import type { Fix } from "../../finding.js";
import { deviceOf, nextHopTo } from "../../network.js";
import { OPENING, type SeenConnection } from "./connections.js";
import { serverOf, serviceOf } from "./servers.js";
import { diversionOf, leavingText } from "../ways/answer-rules.js";
import type { ClientSightings, TraceFacts } from "./trace-step.js";

/** Whether a server has more connections than those that wait. */
function hasOthers(server: ServerEntry | undefined, waiting: number): boolean {
  return (
    server !== undefined &&
    server.activeConnections + server.inactiveConnections > waiting
  );
}

/** Shows by which way answers to a client leave. */
export function routeCommand(virtual: Address, client: Address): Fix {
  return {
    command: `ip route get ${formatAddress(client)} from ${formatAddress(virtual)}`,
    effect: "changes nothing; shows the way of the answers",
  };
}

/** What is known of answers that come back to the director and are not confirmed; undefined if none came back. */
export function lostAnswers(
  { connection }: SeenConnection,
  server: ServerEntry,
  { network, sysctls }: TraceFacts,
  { client, after, connections }: ClientSightings,
): string | undefined {
  if (server.settings.forwarding !== MASQUERADING) return undefined;
  const later = serverOf(serviceOf(after, connection), connection);
  const waiting = connections.filter(
    (seen) =>
      seen.connection.state === OPENING &&
      seen.connection.serverPort === connection.serverPort &&
      sameAddress(seen.connection.server, connection.server),
  ).length;
  // Other connections, perhaps of other clients, get answers from the server, too.
  if ([server, later].some((one) => hasOthers(one, waiting))) return undefined;
  const packets = (later?.stats.outPackets ?? 0n) - server.stats.outPackets;
  if (packets <= 0n) return undefined;
  const answered = `the server answered meanwhile (${packets} packets out, all clients), and the client never confirmed`;
  const diversion = diversionOf(client, connection.server, connection.virtual, {
    network,
    sysctls,
  });
  if (diversion)
    return `${answered}: ${leavingText(diversion, network)}, because of routing rule ${diversion.rule.priority}. 'ipvsadm doctor' prints the fix`;
  const hop = nextHopTo(network, client);
  const name = deviceOf(network, hop?.device)?.name ?? "INTERFACE";
  const through =
    hop && !sameAddress(hop.address, client)
      ? `, through ${formatAddress(hop.address)}`
      : "";
  return `${answered}: answers to it leave by ${name}${through}. If they are its own, they are lost from there on: look whether that is the way to the client ("tcpdump -n -i ${name} host ${formatAddress(client)}")`;
}
