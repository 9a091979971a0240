import {
  distance,
  type HalfFlow,
  type Segment,
  type TcpHalf,
} from "./half-flow.js";
import { acknowledgedBy, type Leg } from "./legs.js";
import {
  AGAIN_MILLISECONDS,
  FINE,
  SILENCE_MILLISECONDS,
  type Verdict,
} from "./packet-fact.js";
import {
  repeatedIn,
  stallOf,
  wireBytes,
  type Stall,
  type WireLimits,
} from "./stalls.js";

/** A TCP connection whose requests and answers both pass here. */
export interface SeenBothWays {
  /** The client's packets as they come in, and as they go on */
  readonly requestsIn: Leg;
  readonly requestsOut: Leg;
  /** The answers as they come in, and as they go on to the client. On a real server both are those that leave */
  readonly answersIn: Leg;
  readonly answersOut: Leg;
  /** The MTU of the interfaces by which both go on */
  readonly requestMtu: number | undefined;
  readonly answerMtu: number | undefined;
  readonly isIpv6: boolean;
}

/** How the other machines are called, and what else is known. */
export interface Circumstances {
  /** `10.0.0.11`, or `the program` on a real server */
  readonly server: string;
  /** `by eth0 through 192.0.2.254`: how answers leave to the client */
  readonly wayBack: string;
  /** `on the way from the client` */
  readonly fromClient: string;
  /** What it means that requests are confirmed and not answered */
  readonly silence: string;
  /** When the capture ended */
  readonly ended: number;
  /** Packets that were not captured did not pass */
  readonly isComplete: boolean;
  /** When a later connection of the same client was answered, or its answer confirmed: small packets pass */
  readonly answeredLater: () => number;
  readonly confirmedLater: () => number;
}

/** Whether a client has sent its SYN again, so no answer reached it. */
export function asksAgain({ opens }: TcpHalf, since = 0): boolean {
  return (
    opens.count >= 2 &&
    opens.last - Math.max(opens.first, since) >= AGAIN_MILLISECONDS
  );
}

/**
 * Judges a connection that was answered, and whose answers leave.
 *
 * @returns undefined if it may still go on
 */
export function judgeAnswered(
  one: SeenBothWays,
  circumstances: Circumstances,
): Verdict | undefined {
  const requests = one.requestsIn.tcp;
  const answers = one.answersOut.tcp;
  if (!requests || !answers) return FINE;
  const opening = judgeOpening(requests, answers, circumstances);
  if (opening) return opening;
  return (
    judgeLargeAnswers(one, circumstances) ??
    judgeLargeRequests(one, circumstances) ??
    judgeGaps(one, circumstances) ??
    judgeReset(requests, answers, circumstances) ??
    judgeSilence(requests, answers, circumstances) ??
    (isPending(requests, answers) ? undefined : FINE)
  );
}

/** Whether an answer is still to come. */
function isPending(requests: TcpHalf, answers: TcpHalf): boolean {
  const { opens, confirms, data, ends, resets } = requests;
  if (opens.count === 0 || ends.count + resets.count > 0) return false;
  return confirms.count === 0 || (data.count > 0 && answers.data.count === 0);
}

/** What goes wrong before the client has confirmed that it got an answer. */
function judgeOpening(
  requests: TcpHalf,
  answers: TcpHalf,
  { server, wayBack, ended }: Circumstances,
): Verdict | undefined {
  const { opens, confirms, resets } = requests;
  if (opens.count === 0 || confirms.count > 0) return undefined;
  const { accepts } = answers;
  if (accepts.count === 0)
    return answers.resets.count > 0
      ? {
          state: "stops",
          text: `${server} resets each request: no program listens there, or a firewall there rejects`,
          isBeyond: true,
        }
      : undefined;
  if (resets.count > 0)
    return {
      state: "unknown",
      text: "the client resets after the first answer: it does not expect it, or only tries the port",
    };
  if (asksAgain(requests, accepts.first))
    return {
      state: "stops",
      text: `answers leave${wayBack}, and the client asks again: they are lost from there on`,
    };
  if (accepts.count > 1 && ended - accepts.first >= SILENCE_MILLISECONDS)
    return {
      state: "unknown",
      text: `answers leave${wayBack}, and the client does not confirm them: they are lost from there on, or its packets are lost on the way here`,
    };
  return undefined;
}

const sized = (bytes: number) => `${bytes} bytes`;

/** `, while those of up to 300 bytes pass` */
function whilePassing({ passedBytes }: Stall): string {
  return passedBytes > 0
    ? `, while those of up to ${sized(passedBytes)} pass`
    : ", while those without data pass";
}

/** Without data that has arrived, the size is only the most likely difference. */
function dropsThem({ passedBytes }: Stall, where: string): string {
  return passedBytes > 0
    ? `something ${where} drops large packets, without a message that reaches this machine`
    : `something ${where} drops them, probably because of their size, without a message that reaches this machine`;
}

/** Answers that are sent again and again and not confirmed. */
function judgeLargeAnswers(
  { requestsIn, answersIn, answersOut, answerMtu, isIpv6 }: SeenBothWays,
  { wayBack, ended, confirmedLater }: Circumstances,
): Verdict | undefined {
  const incoming = answersIn.tcp;
  const leaving = answersOut.tcp;
  if (!incoming || !leaving) return undefined;
  const limits: WireLimits = {
    maximumSegment: requestsIn.tcp?.maximumSegment,
    mtu: answerMtu,
    isIpv6,
  };
  const stall = stallOf(incoming, acknowledgedBy([requestsIn]), limits);
  if (!stall) return undefined;
  const { segment, bytes, isLarge } = stall;
  if (answersIn !== answersOut && !hasSegment(leaving, segment))
    return {
      state: "stops",
      text: `answers of ${sized(bytes)} come in again and again and do not leave${whilePassing(stall)}`,
      isPartial: true,
    };
  // A client that has closed the connection resets when the data arrives.
  const reset = requestsIn.tcp?.resets.last ?? 0;
  if (reset >= segment.last && reset - segment.last < AGAIN_MILLISECONDS)
    return undefined;
  const isAlive =
    requestsIn.last > segment.first + AGAIN_MILLISECONDS ||
    confirmedLater() > segment.first;
  if (!isLarge)
    return ended - segment.first < SILENCE_MILLISECONDS
      ? undefined
      : {
          state: "unknown",
          text: `answers leave${wayBack} again and again, and the client no longer confirms them`,
        };
  return {
    state: isAlive ? "stops" : "unknown",
    text: `answers of ${sized(bytes)} leave${wayBack} again and again, and the client does not confirm them${whilePassing(stall)}: ${isAlive ? dropsThem(stall, "there") : "either something there drops large packets, or the client is gone"}`,
    fault: "large answers",
    isPartial: true,
  };
}

/** Requests that the client sends again and again. */
function judgeLargeRequests(
  {
    requestsIn,
    requestsOut,
    answersIn,
    answersOut,
    requestMtu,
    isIpv6,
  }: SeenBothWays,
  circumstances: Circumstances,
): Verdict | undefined {
  const { server, answeredLater } = circumstances;
  const incoming = requestsIn.tcp;
  const leaving = requestsOut.tcp;
  if (!incoming || !leaving) return undefined;
  const limits: WireLimits = {
    maximumSegment: answersIn.tcp?.maximumSegment,
    mtu: requestMtu,
    isIpv6,
  };
  const confirmed = acknowledgedBy([answersIn]);
  const stall = stallOf(incoming, confirmed, limits);
  if (!stall)
    return judgeLostConfirmations(incoming, answersOut, circumstances);
  const { segment, bytes, isLarge } = stall;
  if (requestsIn !== requestsOut && !hasSegment(leaving, segment))
    return {
      state: "stops",
      text: `requests of ${sized(bytes)} come in again and again and do not leave${whilePassing(stall)}`,
      isPartial: true,
    };
  if (requestsIn === requestsOut) return undefined; // the kernel here did not take them
  const isAlive =
    answersIn.last > segment.first + AGAIN_MILLISECONDS ||
    answeredLater() > segment.first;
  if (!isLarge)
    return {
      state: "unknown",
      text: `the client sends requests again and again, and ${server} no longer confirms them`,
      isBeyond: true,
    };
  return {
    state: isAlive ? "stops" : "unknown",
    text: `requests of ${sized(bytes)} leave to ${server} again and again, and it does not confirm them${whilePassing(stall)}: ${isAlive ? dropsThem(stall, "on the way") : "either something on the way drops large packets, or the server is gone"}`,
    fault: "large requests",
    isPartial: true,
    isBeyond: true,
  };
}

/** The client repeats what was confirmed: the confirmations do not reach it. */
function judgeLostConfirmations(
  requests: TcpHalf,
  answersOut: Leg,
  { wayBack, ended }: Circumstances,
): Verdict | undefined {
  const stall = repeatedIn(requests, ended);
  const confirmed = acknowledgedBy([answersOut]);
  if (!stall || confirmed === undefined) return undefined;
  if (distance(stall.segment.end, confirmed) < 0) return undefined;
  return {
    state: "unknown",
    text: `answers leave${wayBack}, and the client repeats what they confirm: they are lost from there on`,
  };
}

function hasSegment({ segments }: TcpHalf, wanted: Segment): boolean {
  return segments.some(
    (one) =>
      distance(one.sequence, wanted.sequence) >= 0 &&
      distance(wanted.sequence, one.end) > 0,
  );
}

/** Payload that never came in, while later payload did. */
export function judgeGaps(
  {
    requestsIn,
    answersIn,
    answersOut,
    isIpv6,
  }: Pick<SeenBothWays, "requestsIn" | "answersIn" | "answersOut" | "isIpv6">,
  {
    server,
    fromClient,
    ended,
    isComplete,
  }: Pick<Circumstances, "server" | "fromClient" | "ended" | "isComplete">,
): Verdict | undefined {
  if (!isComplete) return undefined;
  const sides = [
    { leg: requestsIn, other: answersIn, way: fromClient, isBeyond: false },
    ...(answersIn === answersOut
      ? []
      : [
          {
            leg: answersIn,
            other: requestsIn,
            way: `on the way from ${server}`,
            isBeyond: true,
          },
        ]),
  ];
  for (const { leg, other, way, isBeyond } of sides) {
    const { tcp } = leg;
    const gap = tcp?.gap;
    if (!gap || tcp.openSequence === undefined) continue;
    if (ended - gap.since < SILENCE_MILLISECONDS) continue;
    if (tcp.resets.count + (other.tcp?.resets.count ?? 0) > 0) continue;
    // The other end has got it, so only the capture has not.
    const confirmed = acknowledgedBy([other]);
    if (confirmed !== undefined && distance(gap.to, confirmed) >= 0) continue;
    const limits: WireLimits = {
      maximumSegment: other.tcp?.maximumSegment,
      mtu: undefined,
      isIpv6,
    };
    const largest = Math.max(
      ...leg.flows.map((one) => wireBytes(one.largest, limits)),
    );
    return {
      state: "stops",
      text: `${counted(distance(gap.from, gap.to))} of data never came in, and later data did: something ${way} drops packets; those of up to ${sized(largest)} pass`,
      isPartial: true,
      isBeyond,
    };
  }
  return undefined;
}

/** Packets in fragments of which only the first fragments come in. */
export function judgeFragments(
  { flows }: Leg,
  way: string,
  { isComplete }: Pick<Circumstances, "isComplete">,
): Verdict | undefined {
  const sum = (of: (flow: HalfFlow) => number) =>
    flows.reduce((total, one) => total + of(one), 0);
  const firsts = sum((one) => one.firstFragments);
  const lasts = sum((one) => one.lastFragments);
  if (!isComplete || firsts < FEWEST_FRAGMENTED || lasts > 0) return undefined;
  return {
    state: "stops",
    text: `of packets in fragments only the first fragments come in: something ${way} drops the others`,
    isPartial: true,
  };
}

/** One packet may lose a fragment. */
const FEWEST_FRAGMENTED = 3;

/** Not the exact number, so that connections with the same fate have the same text. */
function counted(bytes: number): string {
  return bytes >= 1000 ? "1000 bytes and more" : "some bytes";
}

/** A server that accepts a connection and resets it without an answer. */
function judgeReset(
  requests: TcpHalf,
  answers: TcpHalf,
  { server }: Circumstances,
): Verdict | undefined {
  const { resets, data } = answers;
  if (resets.count === 0 || data.count > 0) return undefined;
  if (requests.ends.count > 0 && requests.ends.first < resets.first)
    return undefined;
  if (requests.data.count === 0) return undefined;
  return requests.opens.count === 0
    ? {
        state: "unknown",
        text: `${server} resets a connection that is older than the capture: it has closed it, or does not know it`,
        isBeyond: true,
      }
    : {
        state: "stops",
        text: `${server} accepts connections and resets them without an answer`,
        isBeyond: true,
      };
}

/** A request that was confirmed and not answered. */
function judgeSilence(
  requests: TcpHalf,
  answers: TcpHalf,
  { silence, ended }: Circumstances,
): Verdict | undefined {
  if (requests.opens.count === 0) return undefined;
  if (requests.data.count === 0 || answers.data.count > 0) return undefined;
  const until = requests.ends.count > 0 ? requests.ends.first : ended;
  if (until - requests.data.last < SILENCE_MILLISECONDS / 3) return undefined;
  if (
    answers.acknowledged === undefined ||
    requests.end === undefined ||
    distance(answers.acknowledged, requests.end) > 1
  )
    return undefined;
  return {
    state: "unknown",
    text: silence,
    isBeyond: true,
  };
}
