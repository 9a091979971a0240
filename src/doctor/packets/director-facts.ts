import { formatAddress, sameAddress } from "../../ipvs/address.js";
import {
  formatEndpoint,
  MASQUERADING,
  TUNNELING,
  type ServerEntry,
  type ServiceWithServers,
} from "../../ipvs/model.js";
import { isLocal, type Network } from "../network.js";
import { directorFlows, type DirectorFlow } from "./director-flows.js";
import {
  groupNameOf,
  groupsOf,
  type DirectorFacts,
  type Group,
} from "./director-groups.js";
import { errorFacts } from "./icmp-facts.js";
import { judgeDirectorFlow } from "./judge-director-flow.js";
import { isNew, sumOf, type Leg } from "./legs.js";
import {
  byDevices,
  counted,
  deviceNames,
  fromSenders,
  leftOut,
  protocolName,
  summarized,
  type PacketFact,
} from "./packet-fact.js";
import type { PacketSightings } from "./sightings.js";

/** What packets tell of the connections with one real server. */
export interface DirectorPacketFact extends PacketFact {
  readonly service?: ServiceWithServers | undefined;
  readonly server?: ServerEntry | undefined;
  /** The cause is on that server, or on the way to or from it */
  readonly isBeyond?: boolean;
  /** By which entries know the same connections; undefined if their fate is not known */
  readonly group?: string | undefined;
  /** It says no more than that packets go to no service */
  readonly isUnserved?: boolean;
}

const MOST_GROUPS = 8;

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
    return [
      ...(facts.isPassive && flows.length === 0
        ? []
        : [nothingFact(flows, sightings, facts)]),
      ...errors,
    ];
  return [
    ...groups
      .slice(0, MOST_GROUPS)
      .map((group) => groupFact(group, sightings, facts)),
    ...leftOut(groups.length, MOST_GROUPS, "servers and services"),
    ...errors,
  ];
}

/** No packet of the client concerns IPVS. */
function nothingFact(
  flows: readonly DirectorFlow[],
  { began, ended, halfFlows }: PacketSightings,
  { client, network }: DirectorFacts,
): DirectorPacketFact {
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
      isUnserved: true,
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

function groupFact(
  group: Group,
  sightings: PacketSightings,
  facts: DirectorFacts,
): DirectorPacketFact {
  const { flows, service, server } = group;
  const verdicts = flows.flatMap((flow) => {
    const verdict = judgeDirectorFlow(flow, group, sightings, facts);
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
    group: first && isTelling ? groupNameOf(first) : undefined,
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
