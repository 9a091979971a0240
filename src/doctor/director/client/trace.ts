import {
  INET,
  INET6,
  sameAddress,
  type Address,
} from "../../../ipvs/address.js";
import {
  DIRECT_ROUTING,
  formatEndpoint,
  MASQUERADING,
  MASTER,
  TUNNELING,
  UDP,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { serviceName } from "../../commands.js";
import type { Fix } from "../../finding.js";
import { describePlace } from "../../firewall/describe.js";
import {
  byStop,
  describeBlockages,
} from "../../firewall/neighbor-discovery.js";
import { largeAnswersTo } from "../firewall/large-answers.js";
import { blockagesOf, describeBlockage } from "../firewall/blockages.js";
import { examineThere } from "../nat/examine-there.js";
import { blockText, notLocal, wayText } from "../marks/not-local.js";
import { markingRules, mismatchOf } from "../marks/marking-rules.js";
import { overwritten } from "../marks/overwritten.js";
import { dropSteps } from "./drops.js";
import { packetSteps } from "./packets.js";
import { repeatedPackets } from "./repeated-packets.js";
import { entrySteps, isConfirmed, usedConnections } from "./entries.js";
import { routeStep } from "./route-step.js";
import { ftpSteps } from "./ftp.js";
import { serverOf, serviceOf } from "./servers.js";
import { sizesFor } from "../firewall/too-big-messages.js";
import { tunnelErrors } from "../connections/tunnel-errors.js";
import {
  blockedClients,
  blockedServer,
} from "../firewall/neighbor-discovery.js";
import type { ClientSightings, TraceFacts, TraceStep } from "./trace-step.js";
import { isServing } from "../reach/reach.js";
import { untriedSizes } from "../servers/size-targets.js";
import { unseenRequests } from "./unseen-requests.js";
import { syncSteps } from "./sync.js";
import { masterText } from "../sync/unheard.js";

/** How a client's packets pass the director, and where they stop. */
export interface ClientTrace {
  readonly client: Address;
  readonly seconds: number;
  readonly steps: readonly TraceStep[];
  /** The first step that stops them; undefined if none does */
  readonly stopsAt: TraceStep | undefined;
  /** Whether the director sees answers; if they go past it: whether the client confirmed all connections */
  readonly answers: "seen" | "confirmed" | "unseen";
  /** Commands that find the cause on real servers, if it is there, or of which the director sees no answer */
  readonly next: readonly Fix[];
  /** What matters for the client and was not checked */
  readonly notChecked: readonly string[];
}

/** Follows a client through the director. */
export function traceClient(
  facts: TraceFacts,
  sightings: ClientSightings,
): ClientTrace {
  const { client, seconds } = sightings;
  const packets = packetSteps(facts, sightings);
  const way = [
    routeStep(facts, sightings),
    ...firewallSteps(facts, sightings),
    ...sizeSteps(facts, client),
    ...markSteps(facts, sightings),
    ...entrySteps(facts, sightings, packets.groups),
    ...packets.steps,
    ...ftpSteps(facts, sightings),
    ...syncSteps(facts, sightings),
    ...counterSteps(facts, sightings),
  ];
  const elsewhere = answersElsewhere(facts, sightings);
  const passes =
    elsewhere.answers !== "unseen" && way.every(({ state }) => state === "ok");
  const steps = [...way, ...dropSteps(sightings.counters, passes)];
  const stopsAt = steps.find(({ state }) => state === "stops");
  return {
    client,
    seconds,
    steps,
    stopsAt,
    answers: elsewhere.answers,
    next: once([
      ...(stopsAt === undefined ||
      stopsAt.step === "entries" ||
      stopsAt.step === "packets"
        ? steps.flatMap(({ next }) => (next ? [next] : []))
        : []),
      ...elsewhere.next,
      ...(stopsAt ? [] : unseenRequests(facts, sightings)),
    ]),
    notChecked: [
      ...facts.daemons.filter(({ state }) => state === MASTER).map(masterText),
      ...packets.notChecked,
      ...untriedSizes(facts, client),
    ],
  };
}

/** Each command once; not without --for what is there with it. */
function once(commands: readonly Fix[]): Fix[] {
  const found = new Map(
    commands.map((one) => [`${one.on ?? ""} ${one.command}`, one]),
  );
  const all = [...found.values()];
  return all.filter(
    ({ command, on }) =>
      !all.some(
        (other) =>
          other.on === on && other.command.startsWith(`${command} --for `),
      ),
  );
}

/** Rules that stop the neighbor discovery that the client's packets need. Neighbors that are known already still work. */
function neighborSteps(
  facts: TraceFacts,
  sightings: ClientSightings,
): TraceStep[] {
  const { client } = sightings;
  if (client.length === 4) return [];
  const blockages = facts.table.flatMap((service) => [
    ...blockedClients(service, facts, client),
    ...(service.key.family === INET6
      ? service.servers.filter(isServing).flatMap(({ key, settings }) => {
          const masqueraded = settings.forwarding === MASQUERADING;
          return blockedServer(key.address, masqueraded, facts);
        })
      : []),
  ]);
  return byStop(blockages).map((some) => ({
    step: "firewall",
    state: usedConnections(sightings).length === 0 ? "stops" : "unknown",
    text: `${describeBlockages(some)}; 'ipvsadm doctor' prints the fix`,
  }));
}

/** What the director knows of answers that go past it (direct routing, tunneling). */
function answersElsewhere(
  facts: TraceFacts,
  sightings: ClientSightings,
): Pick<ClientTrace, "next" | "answers"> {
  const next: Fix[] = [];
  let answers: ClientTrace["answers"] = "seen";
  for (const { connection: one } of usedConnections(sightings)) {
    const service = serviceOf(facts.allServices, one);
    const server = serverOf(service, one);
    if (!service || !server) continue;
    const { forwarding } = server.settings;
    if (forwarding !== DIRECT_ROUTING && forwarding !== TUNNELING) continue;
    if (answers === "seen") answers = "confirmed";
    // Without answers a client never acknowledges any.
    if (one.protocol === "TCP" && one.state === "ESTABLISHED") continue;
    answers = "unseen";
    next.push(examineThere(service, server, facts, sightings.client));
  }
  return { answers, next: once(next) };
}

function firewallSteps(
  facts: TraceFacts,
  sightings: ClientSightings,
): TraceStep[] {
  const { client } = sightings;
  const found = facts.table
    .filter(({ key }) => key.family === (client.length === 4 ? 2 : 10))
    .flatMap((service) => blockagesOf(service, facts, facts.firewall, client))
    .map(({ flow, stop }): TraceStep => ({
      step: "firewall",
      state: stop.certain ? "stops" : "unknown",
      text: `${describePlace(stop)}, ${stop.certain ? "" : "perhaps "}${describeBlockage([{ flow, stop }])}`,
    }));
  found.push(...neighborSteps(facts, sightings));
  // Small requests pass, so this stops nothing for certain.
  found.push(
    ...[
      ...sizesFor(facts, client).blocked,
      ...largeAnswersTo(facts, client),
    ].map((text): TraceStep => ({
      step: "firewall",
      state: "unknown",
      text,
    })),
  );
  const { unread } = facts.firewall;
  if (unread.length > 0)
    found.push({
      step: "firewall",
      state: "unknown",
      text: `not read: ${unread.join(", ")}`,
    });
  return found.length > 0
    ? found
    : [
        {
          step: "firewall",
          state: "ok",
          text: "no rule on the director stops its packets",
        },
      ];
}

/** Up to which size the client's packets fit. */
function sizeSteps(facts: TraceFacts, client: Address): TraceStep[] {
  const { blocked, fitting } = sizesFor(facts, client);
  return blocked.length > 0
    ? []
    : fitting.map((text) => ({ step: "size", state: "ok", text }));
}

/** Which rules that set marks of services the client's packets meet. */
function markSteps(facts: TraceFacts, sightings: ClientSightings): TraceStep[] {
  const { table, network, firewall } = facts;
  const { client } = sightings;
  const family = client.length === 4 ? INET : INET6;
  const stopsAll =
    usedConnections(sightings).length === 0 &&
    table.every(({ key }) => "firewallMark" in key || key.family !== family);
  const found: { met: boolean; text: string }[] = [];
  for (const service of table) {
    const { key } = service;
    if (!("firewallMark" in key) || key.family !== family) continue;
    for (const rule of markingRules(firewall, key)) {
      if (!rule.early) continue;
      const mismatch = mismatchOf(rule, key, network, client);
      const later = overwritten(firewall, service, network).find(
        (one) =>
          one.rule.rule === rule.rule && one.rule.position === rule.position,
      );
      const lost = notLocal(service, facts).find(
        (one) =>
          one.rule.rule === rule.rule && one.rule.position === rule.position,
      );
      const says = mismatch
        ? `does not match: ${mismatch.text}`
        : later
          ? later.isEarlier
            ? `matches, but keeps bits of the mark that ${describePlace(later.by)}, has set`
            : `matches, but then ${describePlace(later.by)}, sets another mark`
          : lost
            ? `matches, but packets with the mark to ${blockText(lost.ways[0])} are not local, so IPVS does not see them: ${wayText(lost.ways[0], network)}; 'ipvsadm doctor' prints the fix`
            : "matches packets of the client that meet its conditions";
      found.push({
        met: !mismatch && !later && !lost,
        text: `${describePlace(rule)}, sets mark ${key.firewallMark} for fwm/${key.firewallMark}; it ${says}`,
      });
    }
  }
  const none = found.length > 0 && found.every(({ met }) => !met);
  return found.map(({ met, text }) => ({
    step: "marks",
    state: met ? "ok" : none && stopsAll ? "stops" : "unknown",
    text,
  }));
}

/** IPv4 and ICMP headers, and those of IPv6: a message that refuses a small datagram contains all of it. */
const REFUSAL_BYTES = { 4: 28, 16: 48 } as const;

/** Whether each datagram perhaps got an ICMP message as its answer, by the counters before and after. */
function isRefused(
  { key }: ServiceWithServers,
  { stats: before, settings }: ServerEntry,
  { stats: after }: ServerEntry,
): boolean {
  if ("firewallMark" in key || key.protocol !== UDP) return false;
  if (settings.forwarding !== MASQUERADING) return false;
  const packets = after.outPackets - before.outPackets;
  if (packets === 0n || packets !== after.inPackets - before.inPackets)
    return false;
  const more =
    after.outBytes - before.outBytes - (after.inBytes - before.inBytes);
  const each = REFUSAL_BYTES[key.address.length === 4 ? 4 : 16];
  return more === packets * BigInt(each);
}

/** How many older connections of the client with a server are established and had packets. */
function openTo({ key }: ServerEntry, sightings: ClientSightings): number {
  return sightings.connections.filter(
    ({ use, connection: { state, server, serverPort } }) =>
      use === "used" &&
      state === "ESTABLISHED" &&
      serverPort === key.port &&
      sameAddress(server, key.address),
  ).length;
}

/** What the counters of the client's servers did. */
function counterSteps(
  { table }: TraceFacts,
  sightings: ClientSightings,
): TraceStep[] {
  const { after } = sightings;
  const steps = new Map<string, TraceStep>();
  for (const { connection: one } of usedConnections(sightings)) {
    const service = serviceOf(table, one);
    const server = serverOf(service, one);
    const later = serverOf(serviceOf(after, one), one);
    if (!service || !server || !later) continue;
    const name = `${formatEndpoint(server.key.address, server.key.port)} of ${serviceName(service)}`;
    const packets = later.stats.inPackets - server.stats.inPackets;
    const outPackets = later.stats.outPackets - server.stats.outPackets;
    const outBytes = later.stats.outBytes - server.stats.outBytes;
    const errors = tunnelErrors(service, server, { outPackets, outBytes });
    if (errors !== undefined) {
      steps.set(name, {
        step: "counters",
        state: "unknown",
        text: `${name}, all clients: ${packets} packets in, ${outPackets} out; ${errors}`,
      });
      continue;
    }
    const seen =
      server.settings.forwarding === MASQUERADING
        ? `${packets} packets in, ${outPackets} out`
        : `${packets} packets in (answers do not pass the director)`;
    const doubt = isRefused(service, server, later)
      ? "they are as large as ICMP messages that refuse these requests: perhaps no program listens there"
      : server.settings.forwarding === MASQUERADING &&
          packets > 0n &&
          outPackets === 0n &&
          !usedConnections(sightings).some(
            (seen) =>
              isConfirmed(seen) &&
              serverOf(service, seen.connection) === server,
          )
        ? "no answer came back"
        : repeatedPackets(server, later, openTo(server, sightings));
    steps.set(name, {
      step: "counters",
      state: doubt === undefined ? "ok" : "unknown",
      text: `${name}, all clients: ${seen}${doubt === undefined ? "" : `; ${doubt}`}`,
    });
  }
  return [...steps.values()];
}
