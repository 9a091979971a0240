import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../ipvs/address.js";
import type { Connection } from "../../ipvs/connections.js";
import {
  formatEndpoint,
  MASQUERADING,
  TCP,
  TUNNELING,
  type ServerEntry,
  type ServiceWithServers,
} from "../../ipvs/model.js";
import { deviceOf, isLocal, nextHopTo, type Network } from "../network.js";
import {
  directorFlows,
  groupName,
  type DirectorFlow,
} from "./director-flows.js";
import { errorFacts } from "./icmp-facts.js";
import {
  asksAgain,
  judgeAnswered,
  judgeFragments,
  judgeGaps,
  type Circumstances,
} from "./judge-connection.js";
import { isNew, legOf, sumOf, type Leg } from "./legs.js";
import {
  byDevices,
  counted,
  deviceNames,
  FINE,
  fromSenders,
  isComplete,
  PATIENCE_MILLISECONDS,
  protocolName,
  SILENCE_MILLISECONDS,
  summarized,
  type PacketFact,
  type Verdict,
} from "./packet-fact.js";
import type { PacketSightings } from "./sightings.js";
import { stallOf } from "./stalls.js";

/** What the director knows besides the packets. */
export interface DirectorFacts {
  readonly client: Address;
  readonly services: readonly ServiceWithServers[];
  readonly network: Network;
  readonly connections: readonly Connection[];
  /** It is a backup: requests go to the active director */
  readonly isPassive: boolean;
}

/** What packets tell of the connections with one real server. */
export interface DirectorPacketFact extends PacketFact {
  readonly service?: ServiceWithServers | undefined;
  readonly server?: ServerEntry | undefined;
  /** The cause is on that server, or on the way to or from it */
  readonly isBeyond?: boolean;
  /** By which entries know the same connections; undefined if their fate is not known */
  readonly group?: string | undefined;
}

/** Connections of which the same is said. */
interface Group {
  readonly flows: DirectorFlow[];
  readonly service: ServiceWithServers | undefined;
  readonly server: ServerEntry | undefined;
}

const MOST_GROUPS = 8;
const FROM_CLIENT = "on the way from the client";

/** Where the packets of a client stop on a director, and what ICMP errors say. */
export function directorPacketFacts(
  sightings: PacketSightings,
  facts: DirectorFacts,
): DirectorPacketFact[] {
  const { client, network } = facts;
  if (isLocal(network, client) === true)
    return [
      {
        state: "unknown",
        text: `${formatAddress(client)} is an address of this machine, so its packets do not come in by an interface`,
      },
    ];
  const flows = directorFlows(sightings.halfFlows, {
    client,
    devices: network.devices,
    connections: facts.connections,
  });
  const groups = groupsOf(flows, facts);
  const errors = errorFacts(sightings, {
    client,
    devices: network.devices,
    tunnelEnds: facts.services.flatMap(({ servers }) =>
      servers
        .filter(({ settings }) => settings.forwarding === TUNNELING)
        .map(({ key }) => key.address),
    ),
    isOwn: (address) =>
      network.addresses.some((own) => sameAddress(own.address, address)) ||
      isLocal(network, address) === true,
  });
  if (groups.length === 0)
    return [nothingFact(flows, sightings, facts), ...errors];
  return [
    ...groups
      .slice(0, MOST_GROUPS)
      .map((group) => groupFact(group, sightings, facts)),
    ...errors,
  ];
}

/** No packet of the client concerns IPVS. */
function nothingFact(
  flows: readonly DirectorFlow[],
  { began, ended, halfFlows }: PacketSightings,
  { client, network }: DirectorFacts,
): PacketFact {
  const name = formatAddress(client);
  if (flows.length > 0) {
    const targets = new Set(
      flows.map(
        (one) =>
          `${protocolName(one.protocol)} ${formatEndpoint(one.virtual, one.virtualPort)}`,
      ),
    );
    const leg = sumOf(flows.map(({ requestsIn }) => requestsIn));
    const shown = [...targets].slice(0, 3).join(", ");
    return {
      state: "unknown",
      text: `${counted(leg.packets, "packet")} of ${name} came in${byDevices(leg, network.devices)}, and none to a service: they went to ${shown}${targets.size > 3 ? " …" : ""}`,
    };
  }
  const seconds = Math.round((ended - began) / 1000);
  return {
    state: "unknown",
    text: halfFlows.some((one) => sameAddress(one.target, client))
      ? `packets to ${name} were seen, and none from it came in`
      : `no packet of ${name} came in by any interface in ${seconds} s: if it sent any, they are lost before this machine`,
  };
}

/** The service to which packets go. That of a firewall mark is not known by its addresses. */
function serviceOf(
  { protocol, virtual, virtualPort }: DirectorFlow,
  services: readonly ServiceWithServers[],
): ServiceWithServers | undefined {
  const fits = (port: number) =>
    services.find(
      ({ key }) =>
        !("firewallMark" in key) &&
        key.protocol === protocol &&
        key.port === port &&
        sameAddress(key.address, virtual),
    );
  return fits(virtualPort) ?? fits(0);
}

function serverOf(
  flow: DirectorFlow,
  service: ServiceWithServers | undefined,
  services: readonly ServiceWithServers[],
): ServerEntry | undefined {
  const { server, serverPort } = flow;
  if (!server) return undefined;
  // Firewall marks have no addresses of their own, so look through those services.
  const candidates = service
    ? [service]
    : services.filter(({ key }) => "firewallMark" in key);
  return candidates
    .flatMap(({ servers }) => servers)
    .find(
      ({ key }) =>
        sameAddress(key.address, server) &&
        (key.port === 0 || key.port === serverPort),
    );
}

function groupsOf(
  flows: readonly DirectorFlow[],
  { services }: DirectorFacts,
): Group[] {
  const groups = new Map<string, Group>();
  for (const flow of flows) {
    const service = serviceOf(flow, services);
    // Without a service of that address, only an entry shows that IPVS handles it.
    if (!service && !flow.hasEntry) continue;
    const server = serverOf(flow, service, services);
    const name = nameOf(flow);
    const known = groups.get(name);
    if (known) known.flows.push(flow);
    else groups.set(name, { flows: [flow], service, server });
  }
  return [...groups.values()];
}

function nameOf(flow: DirectorFlow): string {
  return groupName(
    protocolName(flow.protocol),
    flow.virtual,
    flow.virtualPort,
    flow.server,
    flow.serverPort,
  );
}

function groupFact(
  group: Group,
  sightings: PacketSightings,
  facts: DirectorFacts,
): DirectorPacketFact {
  const { flows, service, server } = group;
  const verdicts = flows.flatMap((flow) => {
    const verdict = judgeFlow(flow, group, sightings, facts);
    return verdict ? [{ ...verdict, isNew: isNew(flow.requestsIn) }] : [];
  });
  const { state, text, isBeyond, isTelling } = summarized(
    verdicts,
    "connections",
  );
  const counts = countsText(group, facts);
  const isJudged = verdicts.length > 0;
  const [first] = flows;
  const duplicate = duplicateText(flows, facts.network);
  const texts = [
    counts,
    ...(text === "" ? [] : [text]),
    ...(duplicate === undefined ? [] : [duplicate]),
    ...(isJudged
      ? []
      : ["too little was seen to judge: follow the client for longer (--for)"]),
  ];
  return {
    state:
      !isJudged || (duplicate !== undefined && state === "ok")
        ? "unknown"
        : state,
    text: texts.join("; "),
    service,
    server,
    isBeyond,
    group: first && isTelling ? nameOf(first) : undefined,
  };
}

/** The packets of a group, part by part of their way. */
function countsText(
  { flows, server }: Group,
  { network: { devices } }: DirectorFacts,
): string {
  const [first] = flows;
  if (!first) return "";
  const legs = (of: (flow: DirectorFlow) => Leg) => sumOf(flows.map(of));
  const requestsIn = legs((flow) => flow.requestsIn);
  const requestsOut = legs((flow) => flow.requestsOut);
  const answersIn = legs((flow) => flow.answersIn);
  const answersOut = legs((flow) => flow.answersOut);
  const name = `${protocolName(first.protocol)} ${formatEndpoint(first.virtual, first.virtualPort)}`;
  const of = flows.length === 1 ? "" : ` of ${flows.length} connections`;
  const outer = requestsOut.flows[0]?.outer;
  const to = first.server
    ? outer
      ? ` in a tunnel to ${formatAddress(outer.target)}`
      : ` to ${formatEndpoint(first.server, first.serverPort)}`
    : "";
  const left =
    requestsOut.packets === 0
      ? "none left"
      : `${requestsOut.packets} left${byDevices(requestsOut, devices)}`;
  const back =
    answersIn.packets + answersOut.packets === 0
      ? server?.settings.forwarding === MASQUERADING && requestsOut.packets > 0
        ? "; no answer came from there"
        : ""
      : `; ${counted(answersIn.packets, "answer")} came in${byDevices(answersIn, devices)}, ${answersOut.packets === 0 ? "none" : answersOut.packets} left${byDevices(answersOut, devices)}`;
  return `${name}: ${counted(requestsIn.packets, "request")}${of} came in${byDevices(requestsIn, devices)}${fromSenders(requestsIn)}, ${left}${to}${back}`;
}

/** The same SYN by two interfaces. */
function duplicateText(
  flows: readonly DirectorFlow[],
  { devices }: Network,
): string | undefined {
  const twice = flows.find(({ requestsIn }) => {
    const numbers = requestsIn.flows.flatMap(({ tcp, device }) =>
      tcp?.openSequence === undefined || device === 0 ? [] : [tcp.openSequence],
    );
    return new Set(numbers).size < numbers.length;
  });
  return twice
    ? `the same requests came in by ${deviceNames(twice.requestsIn.devices, devices)}`
    : undefined;
}

/** @returns undefined if too little was seen */
function judgeFlow(
  flow: DirectorFlow,
  group: Group,
  sightings: PacketSightings,
  facts: DirectorFacts,
): Verdict | undefined {
  const { ended } = sightings;
  if (ended - flow.requestsIn.first < PATIENCE_MILLISECONDS) return undefined;
  const capture = { isComplete: isComplete(sightings) };
  const cut =
    judgeFragments(flow.requestsIn, FROM_CLIENT, capture) ??
    judgeFragments(
      flow.answersIn,
      `on the way from ${serverText(flow)}`,
      capture,
    );
  if (cut) return cut;
  if (flow.requestsOut.packets === 0)
    return judgeKept(flow, group, sightings, facts);
  const isMasqueraded =
    group.server === undefined ||
    group.server.settings.forwarding === MASQUERADING;
  if (!isMasqueraded && flow.answersOut.packets === 0)
    return judgeOneWay(flow, group, sightings, facts);
  if (flow.answersIn.packets === 0)
    return judgeUnanswered(flow, group, sightings);
  if (flow.answersOut.packets === 0) return judgeKeptAnswers(flow, sightings);
  if (flow.protocol !== TCP) return FINE;
  return judgeAnswered(
    {
      ...flow,
      requestMtu: mtuOf(flow.requestsOut, facts.network),
      answerMtu: mtuOf(flow.answersOut, facts.network),
      isIpv6: flow.virtual.length === 16,
    },
    circumstancesOf(flow, group, sightings, facts),
  );
}

function serverText({ server, serverPort }: DirectorFlow): string {
  return server ? formatEndpoint(server, serverPort) : "the server";
}

function circumstancesOf(
  flow: DirectorFlow,
  { flows }: Group,
  sightings: PacketSightings,
  { client, network }: DirectorFacts,
): Circumstances {
  const server = serverText(flow);
  return {
    server,
    wayBack: wayBackText(flow.answersOut, client, network),
    fromClient: FROM_CLIENT,
    silence: `${server} confirms the requests and no data comes from it: its program is silent, or its answers are lost on the way here`,
    ended: sightings.ended,
    isComplete: isComplete(sightings),
    ...laterSuccess(flow, flows),
  };
}

/** ` by eth0 through 192.0.2.254` */
export function wayBackText(
  leg: Leg,
  client: Address,
  network: Network,
): string {
  const hop = nextHopTo(network, client);
  const by = byDevices(leg, network.devices);
  const isThere = hop !== undefined && leg.devices.includes(hop.device);
  return isThere && !sameAddress(hop.address, client)
    ? `${by} through ${formatAddress(hop.address)}`
    : by;
}

/** When another connection of the client was answered, and when it confirmed the answer. */
export function laterSuccess(
  flow: Pick<DirectorFlow, "requestsIn" | "answersIn">,
  others: readonly Pick<DirectorFlow, "requestsIn" | "answersIn">[],
): Pick<Circumstances, "answeredLater" | "confirmedLater"> {
  const latest = (
    of: (one: Pick<DirectorFlow, "requestsIn" | "answersIn">) => number,
  ) =>
    others.reduce(
      (time, one) => (one === flow ? time : Math.max(time, of(one))),
      0,
    );
  return {
    answeredLater: () => latest(({ answersIn }) => answersIn.last),
    confirmedLater: () =>
      latest(({ requestsIn: { tcp } }) =>
        tcp && tcp.opens.count > 0 ? tcp.confirms.last : 0,
      ),
  };
}

export function mtuOf(
  { devices: indexes }: Leg,
  network: Network,
): number | undefined {
  const sizes = indexes.flatMap((index) => {
    const mtu = deviceOf(network, index)?.mtu;
    return mtu === undefined ? [] : [mtu];
  });
  return sizes.length === 0 ? undefined : Math.max(...sizes);
}

/** Whether a client waits in vain: it sends its SYN again, or the same data again and again. */
function waitsInVain({ requestsIn: { tcp } }: DirectorFlow): boolean {
  if (!tcp) return false;
  return (
    (tcp.confirms.count === 0 && asksAgain(tcp)) || repeats(tcp) !== undefined
  );
}

function repeats(tcp: NonNullable<Leg["tcp"]>) {
  return stallOf(tcp, undefined, {
    maximumSegment: undefined,
    mtu: undefined,
    isIpv6: false,
  });
}

/** Requests that come in and do not leave. */
function judgeKept(
  flow: DirectorFlow,
  { service, server }: Group,
  sightings: PacketSightings,
  { network, isPassive }: DirectorFacts,
): Verdict {
  const { answersOut, answersIn, requestsIn } = flow;
  const isHere = flow.server && isLocal(network, flow.server) === true;
  if (isHere || (server && server.settings.forwarding < MASQUERADING))
    return {
      state: answersOut.packets > 0 ? "ok" : "unknown",
      text: "a program on this machine gets them",
    };
  if (answersOut.tcp && answersOut.tcp.resets.count > 0)
    return {
      state: "stops",
      text: "this machine resets them itself: IPVS does not take them, and no program listens",
    };
  if (answersOut.packets > 0)
    return {
      state: "unknown",
      text: "a program on this machine answers them, not a real server",
    };
  if (isPassive)
    return {
      state: "unknown",
      text: "this machine is a backup: requests have to go to the active director",
    };
  const isCertain =
    isComplete(sightings) &&
    answersIn.packets === 0 &&
    (flow.protocol === TCP
      ? waitsInVain(flow)
      : requestsIn.packets > 1 &&
        sightings.ended - requestsIn.first >= SILENCE_MILLISECONDS);
  return {
    state: isCertain && service ? "stops" : "unknown",
    text: `they stop on this machine${flow.hasEntry ? ", after IPVS has chosen the server" : ""}`,
  };
}

/** Requests that leave, and of which nothing comes back. */
function judgeUnanswered(
  flow: DirectorFlow,
  { server }: Group,
  sightings: PacketSightings,
): Verdict | undefined {
  const { strangers, requestsIn, requestsOut, untranslated } = flow;
  const stranger = strangers.flows[0];
  if (stranger && requestsOut.packets > 0)
    return {
      state: "stops",
      text: `answers come from ${formatEndpoint(stranger.source, stranger.sourcePort)} instead of ${serverText(flow)}, so IPVS does not know them`,
      isBeyond: true,
    };
  if (flow.answersOut.packets > 0 || untranslated.packets > 0)
    return {
      state: "unknown",
      text: "answers leave, but they did not come in from the server",
    };
  const isCertain =
    isComplete(sightings) &&
    flow.protocol === TCP &&
    server !== undefined &&
    (waitsInVain(flow) ||
      (requestsIn.tcp?.opens.count === 1 &&
        requestsIn.tcp.confirms.count === 0 &&
        sightings.ended - requestsIn.first >= SILENCE_MILLISECONDS));
  if (!isCertain && flow.protocol === TCP) return undefined;
  return {
    state: isCertain ? "stops" : "unknown",
    text: isCertain ? "they stop there, or on the way there or back" : "",
    isBeyond: true,
  };
}

/** Answers that come in and do not leave. */
function judgeKeptAnswers(
  flow: DirectorFlow,
  sightings: PacketSightings,
): Verdict {
  const { untranslated, answersIn, requestsIn } = flow;
  if (untranslated.packets > 0)
    return {
      state: "stops",
      text: `answers leave with the address of the server (${serverText(flow)}) instead of the virtual address, so the client does not know them`,
    };
  const isCertain =
    isComplete(sightings) &&
    sightings.ended - answersIn.first >= PATIENCE_MILLISECONDS &&
    (flow.protocol === TCP
      ? requestsIn.tcp !== undefined && waitsInVain(flow)
      : answersIn.packets > 1);
  return {
    state: isCertain ? "stops" : "unknown",
    text: "the answers stop on this machine",
  };
}

/** Requests whose answers do not come through the director (direct routing, tunneling). */
function judgeOneWay(
  flow: DirectorFlow,
  { flows }: Group,
  sightings: PacketSightings,
  { network }: DirectorFacts,
): Verdict | undefined {
  const { tcp } = flow.requestsIn;
  if (!tcp || flow.protocol !== TCP) return FINE;
  const server = serverText(flow);
  if (tcp.opens.count > 0 && tcp.confirms.count === 0)
    return judgeUnconfirmed(flow, sightings);
  const nothing = legOf([]);
  const gap = judgeGaps(
    {
      requestsIn: flow.requestsIn,
      answersIn: nothing,
      answersOut: nothing,
      isIpv6: flow.virtual.length === 16,
    },
    {
      server,
      fromClient: FROM_CLIENT,
      ended: sightings.ended,
      isComplete: isComplete(sightings),
    },
  );
  if (gap) return gap;
  const stall = stallOf(tcp, undefined, {
    maximumSegment: undefined,
    mtu: mtuOf(flow.requestsOut, network),
    isIpv6: flow.virtual.length === 16,
  });
  if (stall) {
    const { segment, bytes, isLarge, passedBytes } = stall;
    const leaves = flow.requestsOut.flows.some((one) =>
      one.tcp?.segments.some(({ sequence }) => sequence === segment.sequence),
    );
    if (!leaves)
      return {
        state: "stops",
        text: `requests of ${bytes} bytes come in again and again and do not leave; smaller ones do`,
        isPartial: true,
      };
    if (!isLarge)
      return {
        state: "unknown",
        text: `the client sends requests again and again, which ${server} confirms no more`,
        isBeyond: true,
      };
    const isAlive = laterSuccess(flow, flows).confirmedLater() > segment.first;
    return {
      state: isAlive ? "stops" : "unknown",
      text: `requests of ${bytes} bytes leave again and again, and the client gets no confirmation, while those ${passedBytes > 0 ? `of up to ${passedBytes} bytes` : "without data"} pass: something between here and ${server} drops them, probably because of their size`,
      fault: "large requests",
      isPartial: true,
      isBeyond: true,
    };
  }
  const isSilent =
    tcp.opens.count > 0 &&
    tcp.data.count > 0 &&
    tcp.acknowledged === tcp.firstAcknowledged &&
    sightings.ended - tcp.data.last >= SILENCE_MILLISECONDS;
  return isSilent
    ? {
        state: "unknown",
        text: `the client has confirmed no data of ${server}: the program there is silent, or its answers are lost on the way to the client`,
        isBeyond: true,
      }
    : { state: "ok", text: "the client confirms answers" };
}

/** A client that has not confirmed the first answer, if there was one. */
function judgeUnconfirmed(
  { requestsIn: { tcp } }: DirectorFlow,
  { ended }: PacketSightings,
): Verdict | undefined {
  if (!tcp) return FINE;
  if (tcp.resets.count > 0)
    return {
      state: "unknown",
      text: "the client resets after the first answer: it does not expect it, or only tries the port",
      isBeyond: true,
    };
  if (asksAgain(tcp))
    return {
      state: "stops",
      text: "the client asks again, so no answer reaches it",
      isBeyond: true,
    };
  return ended - tcp.opens.first >= SILENCE_MILLISECONDS
    ? {
        state: "unknown",
        text: "the client asks only once and confirms nothing: the server refuses, or the client gave up",
        isBeyond: true,
        isWeak: true,
      }
    : undefined;
}

/** The group of an entry, to find what packets tell of it. */
export function groupOfEntry(one: Connection): string {
  return groupName(
    one.protocol,
    one.virtual,
    one.virtualPort,
    one.server,
    one.serverPort,
  );
}
