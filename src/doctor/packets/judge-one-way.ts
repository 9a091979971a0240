import { TCP } from "../../ipvs/model.js";
import {
  laterSuccess,
  serverText,
  type DirectorFlow,
} from "./director-flows.js";
import type { DirectorFacts, Group } from "./director-groups.js";
import { distance, type TcpHalf } from "./half-flow.js";
import { asksAgain, judgeGaps } from "./judge-connection.js";
import { legOf, mtuOf } from "./legs.js";
import {
  FINE,
  isComplete,
  PATIENCE_MILLISECONDS,
  SILENCE_MILLISECONDS,
  type Verdict,
} from "./packet-fact.js";
import type { PacketSightings } from "./sightings.js";
import { repeatedIn } from "./stalls.js";

export const FROM_CLIENT = "on the way from the client";

/** Requests whose answers do not come through the director (direct routing, tunneling). */
export function judgeOneWay(
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
  const stall = repeatedIn(tcp, sightings.ended, {
    maximumSegment: undefined,
    mtu: mtuOf(flow.requestsOut, network.devices),
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
        text: `the client sends requests again and again, and ${server} no longer confirms them`,
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
  return judgeProgress(tcp, server, sightings);
}

/** Whether the client got data, by the numbers that it acknowledges. */
function judgeProgress(
  tcp: TcpHalf,
  server: string,
  { ended }: PacketSightings,
): Verdict | undefined {
  const { opens, data, ends, firstAcknowledged, acknowledged } = tcp;
  const progress = distance(firstAcknowledged ?? 0, acknowledged ?? 0);
  // The end of a connection counts as one byte.
  if (progress > 1) return { state: "ok", text: "the client confirms answers" };
  if (opens.count === 0 || data.count === 0) return FINE;
  const until = ends.count > 0 ? ends.first : ended;
  return until - data.last >= PATIENCE_MILLISECONDS
    ? {
        state: "unknown",
        text: `the client has confirmed no data of ${server}: the program there is silent, or its answers are lost on the way to the client`,
        isBeyond: true,
      }
    : undefined;
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
