import {
  formatAddress,
  sameAddress,
  type Address,
} from "../../ipvs/address.js";
import { formatEndpoint, TCP } from "../../ipvs/model.js";
import type { Device } from "../../rtnl/model.js";
import type { CountersMeanwhile } from "../read-counters.js";
import type { RealServer } from "../real-server/real-server.js";
import { grownServerCounters } from "./server-counters.js";
import type { HalfFlow } from "./half-flow.js";
import { errorFacts } from "./icmp-facts.js";
import {
  asksAgain,
  judgeAnswered,
  judgeFragments,
} from "./judge-connection.js";
import {
  isNew,
  legOf,
  mtuOf,
  sumOf,
  withoutLowerInterfaces,
  type Leg,
} from "./legs.js";
import {
  byDevices,
  counted,
  deviceNames,
  FINE,
  fromSenders,
  isComplete,
  leftOut,
  PATIENCE_MILLISECONDS,
  protocolName,
  SILENCE_MILLISECONDS,
  summarized,
  type PacketFact,
  type Verdict,
} from "./packet-fact.js";
import { flowKey, type PacketSightings } from "./sightings.js";
import { repeatedIn } from "./stalls.js";

/** A connection of a client to this real server, as its packets show it. */
interface ServerFlow {
  readonly protocol: number;
  readonly target: Address;
  readonly port: number;
  /** Requests inside of a tunnel's packets */
  readonly tunneled: Leg;
  /** Requests without a tunnel, or when they come out of it */
  readonly requests: Leg;
  readonly answers: Leg;
}

/** What is known besides the packets */
export interface ServerPacketFacts {
  readonly client: Address;
  readonly realServer: RealServer;
  readonly counters: CountersMeanwhile | undefined;
}

const MOST_GROUPS = 8;

/** Where the packets of a client stop on a real server, and what ICMP errors say. */
export function serverPacketFacts(
  sightings: PacketSightings,
  facts: ServerPacketFacts,
): PacketFact[] {
  const { client, realServer } = facts;
  const { devices, addresses, services } = realServer;
  const flows = serverFlows(sightings.halfFlows, facts);
  const errors = errorFacts(sightings, {
    client,
    devices,
    tunnelEnds: addresses.map(({ address }) => address),
    isOwn: (address) =>
      addresses.some((own) => sameAddress(own.address, address)) ||
      services.some((one) => sameAddress(one.address, address)),
  });
  const groups = new Map<string, ServerFlow[]>();
  for (const one of flows) {
    const key = `${one.protocol} ${flowKey(one.target, one.port)}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  return [
    ...(groups.size === 0
      ? [nothingFact(sightings, facts)]
      : [...groups.values()]
          .slice(0, MOST_GROUPS)
          .map((some) => groupFact(some, sightings, facts))),
    ...leftOut(groups.size, MOST_GROUPS, "addresses and ports"),
    ...errors,
  ];
}

/** Whether packets to an endpoint are requests of the services that this machine is examined for. */
function isServed(
  { services, method, server, addresses }: RealServer,
  protocol: number,
  address: Address,
  port: number,
): boolean {
  if (method === "masq" || method === undefined) {
    if (server)
      return port === server.port && sameAddress(address, server.address);
    if (
      method === "masq" &&
      addresses.some((own) => sameAddress(own.address, address))
    )
      return true;
  }
  return services.some(
    (one) =>
      sameAddress(one.address, address) &&
      (one.protocol === undefined || one.protocol === protocol) &&
      (one.port === undefined || one.port === 0 || one.port === port),
  );
}

function serverFlows(
  halfFlows: readonly HalfFlow[],
  { client, realServer }: ServerPacketFacts,
): ServerFlow[] {
  const requests = new Map<string, HalfFlow[]>();
  const answers = new Map<string, HalfFlow[]>();
  const add = (all: Map<string, HalfFlow[]>, key: string, one: HalfFlow) => {
    const some = all.get(key);
    if (some) some.push(one);
    else all.set(key, [one]);
  };
  for (const one of halfFlows) {
    const { protocol, source, sourcePort, target, targetPort } = one;
    if (
      one.direction === "in" &&
      sameAddress(source, client) &&
      isServed(realServer, protocol, target, targetPort)
    )
      add(
        requests,
        `${protocol} ${sourcePort} ${flowKey(target, targetPort)}`,
        one,
      );
    if (one.direction === "out" && sameAddress(target, client) && !one.outer)
      add(
        answers,
        `${protocol} ${targetPort} ${flowKey(source, sourcePort)}`,
        one,
      );
  }
  const pick = (flows: readonly HalfFlow[]) =>
    legOf(withoutLowerInterfaces(flows, realServer.devices));
  return Array.from(requests).flatMap(([key, some]) => {
    const [first] = some;
    if (!first) return [];
    return [
      {
        protocol: first.protocol,
        target: first.target,
        port: first.targetPort,
        tunneled: pick(some.filter(({ outer }) => outer)),
        requests: pick(some.filter(({ outer }) => !outer)),
        answers: pick(answers.get(key) ?? []),
      },
    ];
  });
}

function nothingFact(
  { began, ended, halfFlows }: PacketSightings,
  { client, realServer }: ServerPacketFacts,
): PacketFact {
  const name = formatAddress(client);
  const others = halfFlows.filter(
    (one) => one.direction === "in" && sameAddress(one.source, client),
  );
  if (others.length > 0) {
    const targets = [
      ...new Set(
        others.map(
          (one) =>
            `${protocolName(one.protocol)} ${formatEndpoint(one.target, one.targetPort)}`,
        ),
      ),
    ];
    const leg = sumOf([
      legOf(withoutLowerInterfaces(others, realServer.devices)),
    ]);
    return {
      state: "unknown",
      text: `${counted(leg.packets, "packet")} of ${name} came in${byDevices(leg, realServer.devices)}, and none to a named service: they went to ${targets.slice(0, 3).join(", ")}${targets.length > 3 ? " …" : ""}`,
    };
  }
  const seconds = Math.round((ended - began) / 1000);
  return {
    state: "unknown",
    text: `no packet of ${name} came in by any interface in ${seconds} s: if the director sent any, they are lost on the way here`,
  };
}

function groupFact(
  flows: readonly ServerFlow[],
  sightings: PacketSightings,
  facts: ServerPacketFacts,
): PacketFact {
  const verdicts = flows.flatMap((flow) => {
    const verdict = judgeFlow(flow, flows, sightings, facts);
    return verdict ? [{ ...verdict, isNew: isNew(flow.requests) }] : [];
  });
  const { state, text } = summarized(verdicts, "connections");
  const isJudged = verdicts.length > 0;
  const texts = [
    countsText(flows, facts.realServer.devices),
    ...(text === "" ? [] : [text]),
    ...(isJudged
      ? []
      : ["too little was seen to judge: follow the client for longer (--for)"]),
  ];
  return { state: isJudged ? state : "unknown", text: texts.join("; ") };
}

/** The packets of a group: requests, and answers. */
function countsText(
  flows: readonly ServerFlow[],
  devices: readonly Device[],
): string {
  const [first] = flows;
  if (!first) return "";
  const legs = (of: (flow: ServerFlow) => Leg) => sumOf(flows.map(of));
  const tunneled = legs((flow) => flow.tunneled);
  const requests = legs((flow) => flow.requests);
  const answers = legs((flow) => flow.answers);
  const outer = tunneled.flows[0]?.outer;
  const name = `${protocolName(first.protocol)} ${formatEndpoint(first.target, first.port)}`;
  const of = flows.length === 1 ? "" : ` of ${flows.length} connections`;
  const unpacked =
    requests.packets === 0
      ? "none came out of it"
      : `${requests.packets} came out of it${byDevices(requests, devices)}`;
  const came = outer
    ? `${counted(tunneled.packets, "request")}${of} came in${byDevices(tunneled, devices)}${fromSenders(tunneled)} in a tunnel from ${formatAddress(outer.source)}, ${unpacked}`
    : `${counted(requests.packets, "request")}${of} came in${byDevices(requests, devices)}${fromSenders(requests)}`;
  const back =
    answers.packets === 0
      ? "no answer left"
      : `${counted(answers.packets, "answer")} left${byDevices(answers, devices)}`;
  return `${name}: ${came}; ${back}`;
}

/** @returns undefined if too little was seen */
function judgeFlow(
  flow: ServerFlow,
  group: readonly ServerFlow[],
  sightings: PacketSightings,
  facts: ServerPacketFacts,
): Verdict | undefined {
  const { tunneled, requests } = flow;
  const verdict = judgeWay(flow, group, sightings, facts);
  const first = requests.packets > 0 ? requests.first : tunneled.first;
  return sightings.ended - first < PATIENCE_MILLISECONDS &&
    verdict?.state !== "ok"
    ? undefined
    : verdict;
}

/** Follows a connection, part by part of its way. */
function judgeWay(
  flow: ServerFlow,
  group: readonly ServerFlow[],
  sightings: PacketSightings,
  facts: ServerPacketFacts,
): Verdict | undefined {
  const { ended } = sightings;
  const { requests, answers } = flow;
  const cut = judgeFragments(requests, "on the way here", {
    isComplete: isComplete(sightings),
  });
  if (cut) return cut;
  if (requests.packets === 0)
    return {
      state: isComplete(sightings) ? "stops" : "unknown",
      text: "the kernel here does not unpack them: no tunnel interface takes them, or it drops them",
    };
  if (answers.packets === 0) return judgeUnanswered(flow, sightings, facts);
  if (flow.protocol !== TCP) return FINE;
  const { realServer, client } = facts;
  return judgeAnswered(
    {
      requestsIn: requests,
      requestsOut: requests,
      answersIn: answers,
      answersOut: answers,
      requestMtu: undefined,
      answerMtu: mtuOf(answers, realServer.devices),
      isIpv6: flow.target.length === 16,
    },
    {
      server: "this machine",
      wayBack: wayBackText(answers, client, realServer),
      fromClient: "on the way here",
      silence:
        "the kernel here confirms the requests, and the program sends no data",
      ended,
      isComplete: isComplete(sightings),
      answeredLater: () => 0,
      confirmedLater: () => confirmedLater(flow, group),
    },
  );
}

/** When the client confirmed an answer of another connection. */
function confirmedLater(
  flow: ServerFlow,
  group: readonly ServerFlow[],
): number {
  return group.reduce((time, one) => {
    const { tcp } = one.requests;
    const isOther = one !== flow && tcp !== undefined && tcp.opens.count > 0;
    return isOther ? Math.max(time, tcp.confirms.last) : time;
  }, 0);
}

/** ` by eth0 through 192.0.2.254` */
function wayBackText(
  leg: Leg,
  client: Address,
  { ways, devices }: RealServer,
): string {
  const names = deviceNames(leg.devices, devices);
  const by = names === "" ? "" : ` by ${names}`;
  const hop = ways
    .flatMap(({ back }) => (typeof back === "object" ? back.hops : []))
    .find(
      ({ device, gateway }) =>
        gateway !== undefined &&
        device !== undefined &&
        leg.devices.includes(device) &&
        !sameAddress(gateway, client),
    );
  return hop?.gateway ? `${by} through ${formatAddress(hop.gateway)}` : by;
}

/** Requests that come in, and to which nothing is sent. */
function judgeUnanswered(
  { protocol, requests }: ServerFlow,
  sightings: PacketSightings,
  { counters }: ServerPacketFacts,
): Verdict | undefined {
  const { tcp } = requests;
  const grown = grownServerCounters(counters);
  const why =
    grown.length > 0 ? ` (meanwhile, of all clients: ${grown.join("; ")})` : "";
  if (protocol !== TCP || !tcp)
    return {
      state: "unknown",
      text: `no program answers, or the kernel here drops them${why}`,
    };
  const isWaiting =
    (tcp.confirms.count === 0 && asksAgain(tcp)) ||
    repeatedIn(tcp, sightings.ended) !== undefined ||
    (tcp.opens.count > 0 &&
      tcp.confirms.count === 0 &&
      sightings.ended - tcp.opens.first >= SILENCE_MILLISECONDS);
  return isComplete(sightings) && isWaiting
    ? {
        state: "stops",
        text: `this machine does not answer: a firewall rule, a sysctl or a full queue of the program drops them, or the answers leave by no interface${why}`,
      }
    : undefined;
}
