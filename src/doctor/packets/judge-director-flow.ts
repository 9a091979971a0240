import { isLocal, nextHopTo, type Network } from "../network.js";
import type { Address } from "../../ipvs/address.js";
import { formatAddress, sameAddress } from "../../ipvs/address.js";
import {
  formatEndpoint,
  LOCAL_NODE,
  MASQUERADING,
  TCP,
  type ServiceWithServers,
} from "../../ipvs/model.js";
import {
  laterSuccess,
  serverText,
  type DirectorFlow,
} from "./director-flows.js";
import type { DirectorFacts, Group } from "./director-groups.js";
import {
  asksAgain,
  judgeAnswered,
  judgeFragments,
  type Circumstances,
} from "./judge-connection.js";
import { FROM_CLIENT, judgeOneWay } from "./judge-one-way.js";
import { mtuOf, type Leg } from "./legs.js";
import {
  byDevices,
  FINE,
  isComplete,
  PATIENCE_MILLISECONDS,
  SILENCE_MILLISECONDS,
  type Verdict,
} from "./packet-fact.js";
import type { PacketSightings } from "./sightings.js";
import { repeatedIn } from "./stalls.js";

/** @returns undefined if too little was seen */
export function judgeDirectorFlow(
  flow: DirectorFlow,
  group: Group,
  sightings: PacketSightings,
  facts: DirectorFacts,
): Verdict | undefined {
  const verdict = judgeWay(flow, group, sightings, facts);
  const age = sightings.ended - flow.requestsIn.first;
  return age < PATIENCE_MILLISECONDS && verdict?.state !== "ok"
    ? undefined
    : verdict;
}

/** Follows a connection, part by part of its way. */
function judgeWay(
  flow: DirectorFlow,
  group: Group,
  sightings: PacketSightings,
  facts: DirectorFacts,
): Verdict | undefined {
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
  const routed = judgeRouted(flow, group, facts);
  if (routed) return routed;
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
      requestMtu: mtuOf(flow.requestsOut, facts.network.devices),
      answerMtu: mtuOf(flow.answersOut, facts.network.devices),
      isIpv6: flow.virtual.length === 16,
    },
    circumstancesOf(flow, group, sightings, facts),
  );
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
function wayBackText(leg: Leg, client: Address, network: Network): string {
  const hop = nextHopTo(network, client);
  const by = byDevices(leg, network.devices);
  const isThere = hop !== undefined && leg.devices.includes(hop.device);
  return isThere && !sameAddress(hop.address, client)
    ? `${by} through ${formatAddress(hop.address)}`
    : by;
}

/** Whether a client waits in vain: it sends its SYN again, or the same data again and again. */
function waitsInVain(
  { requestsIn: { tcp } }: DirectorFlow,
  { ended }: PacketSightings,
): boolean {
  if (!tcp) return false;
  return (
    (tcp.confirms.count === 0 && asksAgain(tcp)) ||
    repeatedIn(tcp, ended) !== undefined
  );
}

/** Requests that come in and do not leave. */
function judgeKept(
  flow: DirectorFlow,
  { service, server }: Group,
  sightings: PacketSightings,
  { client, network, isPassive, mayHideClient }: DirectorFacts,
): Verdict {
  const { answersOut, answersIn, requestsIn } = flow;
  const isHere = flow.server && isLocal(network, flow.server) === true;
  if (isHere || server?.settings.forwarding === LOCAL_NODE)
    return {
      state: answersOut.packets > 0 ? "ok" : "unknown",
      text: "a program on this machine gets them",
    };
  const { opens } = requestsIn.tcp ?? {};
  const isReset = (answersOut.tcp?.resets.count ?? 0) > 0;
  if (isReset && opens?.count === 0 && !flow.hasEntry)
    return {
      state: "unknown",
      text: "this machine resets connections that are older than the capture: IPVS has no entry for them, because they were idle for longer than its timeout, or were opened through another director",
    };
  if (isReset)
    return {
      state: "stops",
      text: "this machine resets them itself: IPVS does not take them, and no program listens",
    };
  if (mayBeHere(flow, service, network))
    return {
      state: "unknown",
      text: "perhaps a program on this machine gets them: it is one of the real servers",
    };
  if (answersOut.packets > 0)
    return {
      state: "unknown",
      text: "a program on this machine answers them, not a real server",
    };
  if (leavesHidden(flow, sightings, client))
    return {
      state: "unknown",
      text: "they leave with another address and port than the client's (SNAT), and are not followed from there on",
    };
  if (isPassive)
    return {
      state: "unknown",
      text: "this machine is a backup: requests have to go to the active director",
    };
  const isCertain =
    isComplete(sightings) &&
    !mayHideClient &&
    answersIn.packets === 0 &&
    (flow.protocol === TCP
      ? waitsInVain(flow, sightings)
      : requestsIn.packets > 1 &&
        sightings.ended - requestsIn.first >= SILENCE_MILLISECONDS);
  return {
    state: isCertain && service ? "stops" : "unknown",
    text: `they stop on this machine${flow.hasEntry ? ", after IPVS has chosen the server" : ""}`,
  };
}

/** Whether a SYN of the same number leaves to the server from another address: a rule has replaced the port, too. */
function leavesHidden(
  { server, serverPort, requestsIn }: DirectorFlow,
  { halfFlows }: PacketSightings,
  client: Address,
): boolean {
  const number = requestsIn.tcp?.openSequence;
  if (!server || number === undefined) return false;
  return halfFlows.some(
    (one) =>
      one.direction === "out" &&
      one.tcp?.openSequence === number &&
      one.targetPort === serverPort &&
      sameAddress(one.target, server) &&
      !sameAddress(one.source, client),
  );
}

/** Whether IPVS may have chosen this machine. Of one-packet scheduling, no entry shows the server. */
function mayBeHere(
  { protocol, server }: DirectorFlow,
  service: ServiceWithServers | undefined,
  network: Network,
): boolean {
  if (server || !service || protocol === TCP) return false;
  return service.servers.some(
    ({ key, settings: { forwarding, weight } }) =>
      weight > 0 &&
      (forwarding === LOCAL_NODE || isLocal(network, key.address) === true),
  );
}

/** Requests that leave as they came, because the virtual address is not local: IPVS does not get them. */
function judgeRouted(
  { virtual, virtualPort, hasEntry, requestsIn, requestsOut }: DirectorFlow,
  { service }: Group,
  { network, isPassive }: DirectorFacts,
): Verdict | undefined {
  const isUnchanged = requestsOut.flows.every(
    ({ outer, target, targetPort }) =>
      !outer && targetPort === virtualPort && sameAddress(target, virtual),
  );
  if (!service || hasEntry || isPassive || !isUnchanged) return undefined;
  if (isLocal(network, virtual) !== false) return undefined;
  const by = byDevices(requestsOut, network.devices);
  const isBack = requestsOut.devices.some((one) =>
    requestsIn.devices.includes(one),
  );
  return {
    state: "stops",
    text: `this machine sends them on${by}${isBack ? ", back to where they came from (a routing loop)" : ""}: ${formatAddress(virtual)} is not local, so IPVS does not get them; 'ipvsadm doctor' prints the fix (vip-not-local)`,
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
    (waitsInVain(flow, sightings) ||
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
      ? requestsIn.tcp !== undefined && waitsInVain(flow, sightings)
      : answersIn.packets > 1);
  return {
    state: isCertain ? "stops" : "unknown",
    text: "the answers stop on this machine",
  };
}
