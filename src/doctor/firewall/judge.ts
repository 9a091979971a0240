import { compareAddresses } from "./compare-addresses.js";
import type { Packet } from "./packet.js";
import type { Condition, NumberRange } from "./ruleset.js";

/** Whether something holds: it can also be unknown. */
export type Answer = "yes" | "no" | "perhaps";

/** Whether a condition holds for a packet. */
export function judge(condition: Condition, packet: Packet): Answer {
  switch (condition.about) {
    case "address": {
      const address = packet[condition.end];
      if (address === undefined) return "perhaps";
      return answer(
        condition.ranges.some(
          ({ first, last }) =>
            first.length === address.length &&
            compareAddresses(first, address) <= 0 &&
            compareAddresses(address, last) <= 0,
        ),
      );
    }
    case "interface": {
      const name = packet[condition.end];
      if (name === undefined) return "perhaps";
      return answer(condition.names.some((pattern) => isNamed(name, pattern)));
    }
    case "family":
      return answer(packet.family === condition.family);
    case "protocol":
      return isAmong(packet.protocol, condition.numbers);
    case "port": {
      const port =
        condition.end === "source" ? packet.sourcePort : packet.destinationPort;
      return isWithinRanges(port, condition.ranges);
    }
    case "icmp-type":
      return isWithinRanges(packet.icmpType, condition.ranges);
    case "icmp-code":
      return isWithinRanges(packet.icmpCode, condition.ranges);
    case "state":
      return judgeState(condition.states, packet);
    case "mark":
      if (packet.mark === undefined) return "perhaps";
      return answer(((packet.mark & condition.mask) ^ condition.value) === 0);
    case "tcp-flags":
      if (packet.tcpFlags === undefined) return "perhaps";
      return answer((packet.tcpFlags & condition.mask) === condition.value);
    case "any-tcp-flag":
      if (packet.tcpFlags === undefined) return "perhaps";
      return answer((packet.tcpFlags & condition.flags) !== 0);
    case "local-destination":
      if (packet.destinationIsLocal === undefined) return "perhaps";
      return answer(packet.destinationIsLocal);
    case "reverse-path":
      return judgeReversePath(condition, packet);
    case "not":
      return opposite(judge(condition.condition, packet));
    case "all":
      return judgeAll(condition.conditions, packet);
    case "any":
      return opposite(
        judgeAll(
          condition.conditions.map((one) => ({ about: "not", condition: one })),
          packet,
        ),
      );
    case "unknown":
      return "perhaps";
  }
}

/** Whether all conditions hold. One that does not hold outweighs those that cannot be judged. */
export function judgeAll(
  conditions: readonly Condition[],
  packet: Packet,
): Answer {
  const answers = conditions.map((condition) => judge(condition, packet));
  if (answers.includes("no")) return "no";
  return answers.includes("perhaps") ? "perhaps" : "yes";
}

/** @see rpfilter_mt() in net/ipv4/netfilter/ipt_rpfilter.c, and nft_fib4_eval() */
function judgeReversePath(
  {
    loose,
    acceptLocal,
    withMark,
    prefersIncoming,
  }: Extract<Condition, { about: "reverse-path" }>,
  { incoming, mark, reversePath }: Packet,
): Answer {
  if (incoming === "lo") return "yes";
  if (!reversePath || (withMark && mark !== 0)) return "perhaps";
  const { type, devices, others } = reversePath;
  if (type === "none") return "no";
  if (type === "local" && !acceptLocal) return "no";
  if (loose) return "yes";
  if (incoming === undefined) return "perhaps";
  if (devices.includes(incoming)) return "yes";
  return prefersIncoming && others?.includes(incoming) ? "perhaps" : "no";
}

function judgeState(
  states: Extract<Condition, { about: "state" }>["states"],
  packet: Packet,
): Answer {
  if (packet.states === undefined) return "perhaps";
  const matching = packet.states.filter((state) => states.includes(state));
  if (matching.length === 0) return "no";
  return matching.length === packet.states.length ? "yes" : "perhaps";
}

function isNamed(name: string, pattern: string): boolean {
  return pattern.endsWith("*")
    ? name.startsWith(pattern.slice(0, -1))
    : name === pattern;
}

function isWithinRanges(
  number: number | undefined,
  ranges: readonly NumberRange[],
): Answer {
  if (number === undefined) return "perhaps";
  return answer(
    ranges.some(([first, last]) => first <= number && number <= last),
  );
}

function isAmong(
  number: number | undefined,
  numbers: readonly number[],
): Answer {
  return number === undefined ? "perhaps" : answer(numbers.includes(number));
}

function answer(holds: boolean): Answer {
  return holds ? "yes" : "no";
}

function opposite(one: Answer): Answer {
  if (one === "perhaps") return one;
  return one === "yes" ? "no" : "yes";
}
