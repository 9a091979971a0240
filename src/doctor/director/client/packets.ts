import type { Address } from "../../../ipvs/address.js";
import {
  TUNNEL_GUE,
  TUNNELING,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import {
  MOST_HIDDEN_SERVERS,
  type CaptureScope,
} from "../../packets/capture-filter.js";
import {
  directorPacketFacts,
  type DirectorPacketFact,
} from "../../packets/director-facts.js";
import { captureLimits } from "../../packets/packet-fact.js";
import { examineThere } from "../nat/examine-there.js";
import { snatRules, unseenRules } from "../nat/snat-address.js";
import { isPassive } from "../reach/reach.js";
import type { ClientSightings, TraceFacts, TraceStep } from "./trace-step.js";
import { unservedSteps } from "./unserved-ports.js";

/** How long a real server looks at packets, in the commands that are printed. */
const THERE_SECONDS = 20;

/** What has to be captured to follow a client through a director. */
export function captureScopeOf(
  facts: TraceFacts,
  client: Address,
): CaptureScope {
  const all = facts.table.flatMap((service) =>
    service.servers.map((server) => ({ service, server })),
  );
  const tunnels = all
    .map(({ server }) => server.settings)
    .filter(({ forwarding }) => forwarding === TUNNELING)
    .map(({ tunnel }) => tunnel);
  const ports = tunnels
    .filter(({ type }) => type === TUNNEL_GUE)
    .map(({ port }) => port);
  return {
    client,
    tunnels: tunnels.some(({ type }) => type !== TUNNEL_GUE),
    guePorts: [...new Set(ports)],
    hiddenServers: all
      .filter(({ service, server }) =>
        hidesClient(service, server, facts, client),
      )
      .map(({ server: { key } }) => key)
      .filter(({ address }) => address.length === client.length),
  };
}

/** Whether a rule of this machine replaces the client's address. */
function hidesClient(
  service: ServiceWithServers,
  server: ServerEntry,
  facts: TraceFacts,
  client: Address,
): boolean {
  return (
    snatRules(service, server, facts, client).length > 0 ||
    unseenRules(service, server, facts, client).length > 0
  );
}

/** What the packets tell, and which entries they tell more of. */
export interface PacketSteps {
  readonly steps: readonly TraceStep[];
  /** Groups of entries whose fate packets show: nothing has to be guessed of them */
  readonly groups: ReadonlySet<string>;
  readonly notChecked: readonly string[];
}

/** The steps that packets show. */
export function packetSteps(
  facts: TraceFacts,
  { client, connections, packets }: ClientSightings,
): PacketSteps {
  if (!packets) return { steps: [], groups: new Set(), notChecked: [] };
  if ("unavailable" in packets)
    return {
      steps: [],
      groups: new Set(),
      notChecked: [`packets (${packets.unavailable})`],
    };
  const { sightings } = packets;
  const found = directorPacketFacts(sightings, {
    client,
    services: facts.allServices,
    network: facts.network,
    connections: connections.map(({ connection }) => connection),
    isPassive: isPassive(facts.daemons),
    mayHideClient:
      facts.firewall.unread.length > 0 ||
      captureScopeOf(facts, client).hiddenServers.length > MOST_HIDDEN_SERVERS,
  });
  const unserved = unservedSteps(facts, { client, connections }, sightings);
  // That they go to no service is then said with more.
  const said =
    unserved.length > 0
      ? found.filter(({ isUnserved }) => isUnserved !== true)
      : found;
  return {
    steps: [
      ...said.map((one): TraceStep => ({
        step: "packets",
        state: one.state,
        text: one.text,
        next: nextOf(one, facts, client),
      })),
      ...unserved,
    ],
    groups: new Set(found.flatMap(({ group }) => group ?? [])),
    notChecked: captureLimits(sightings),
  };
}

/** The command that looks at the packets of the real server. */
function nextOf(
  { state, isBeyond, service, server }: DirectorPacketFact,
  facts: TraceFacts,
  client: Address,
): TraceStep["next"] {
  if (state === "ok" || isBeyond !== true || !service || !server)
    return undefined;
  const there = examineThere(service, server, facts, client);
  return { ...there, command: `${there.command} --for ${THERE_SECONDS}s` };
}
