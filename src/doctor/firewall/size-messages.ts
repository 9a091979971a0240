import {
  familyOf,
  formatAddress,
  INET,
  INET6,
  type Address,
} from "../../ipvs/address.js";
import { TCP, UDP } from "../../ipvs/model.js";
import type { Flow } from "./flow.js";
import { judgeAll } from "./judge.js";
import {
  DESTINATION_UNREACHABLE,
  FRAGMENTATION_NEEDED,
  ICMP,
  ICMPV6,
  PACKET_TOO_BIG,
  type ConntrackState,
  type Packet,
} from "./packet.js";
import type { Chain, Condition, Step } from "./ruleset.js";
import type { Range, Stop } from "./walk.js";

/** How messages that ask for smaller packets arrive. */
export interface Arrival {
  /** The names of the interfaces where they may come in; none: not known */
  readonly devices: readonly string[];
  readonly state: ConntrackState;
  /** The chains of the hook input that they pass; all if absent */
  readonly range?: Range;
}

/** The messages of routers that ask for smaller packets, to an address of this machine. */
export function sizeMessagesTo(
  address: Address,
  { devices, state, range }: Arrival,
): Flow {
  const family = familyOf(address);
  const about = {
    family,
    destination: address,
    ...(family === INET
      ? {
          protocol: ICMP,
          icmpType: DESTINATION_UNREACHABLE,
          icmpCode: FRAGMENTATION_NEEDED,
        }
      : { protocol: ICMPV6, icmpType: PACKET_TOO_BIG }),
  };
  const incoming = devices.length === 0 ? [undefined] : devices;
  const packets = incoming.map((name): Packet => ({
    icmpCode: 0,
    ...about,
    incoming: name,
    states: [state],
    destinationIsLocal: true,
  }));
  return {
    text: `${family === INET ? "ICMP messages fragmentation needed" : "ICMPv6 messages packet too big"} to ${formatAddress(address)}`,
    stages: [
      { hook: "prerouting", packets },
      { hook: "input", packets, ...(range ? { range } : {}) },
    ],
    match: about,
  };
}

/** What else firewalls drop of ICMP is mostly much smaller. */
const LARGE_MESSAGE = 400n;
/** A router puts as much of the packet that is too large into its message as fits into so many bytes. */
const LARGEST_MESSAGE = { [INET]: 576n, [INET6]: 1280n } as const;

/**
 * What the counters of a rule say if the packets that it has dropped are as large as such messages; else undefined. A
 * rule or a policy that also drops packets of other protocols says nothing: their sizes count as well.
 */
export function sizeEvidence(
  { match: { family } }: Pick<Flow, "match">,
  stop: Stop,
): string | undefined {
  const { packets, bytes } = stop;
  if (packets === undefined || bytes === undefined || packets === 0n)
    return undefined;
  const conditions = conditionsOf(stop);
  const isSpecific = [TCP, UDP].every(
    (protocol) => judgeAll(conditions, { family, protocol }) === "no",
  );
  const average = bytes / packets;
  return !isSpecific ||
    average < LARGE_MESSAGE ||
    average > LARGEST_MESSAGE[family]
    ? undefined
    : `the packets that it has dropped have ${average} bytes on average: about as many as these messages`;
}

/** The conditions of a rule, and of the rules that lead to it; none of a policy. */
function conditionsOf({ table, base, path = [] }: Stop): Condition[] {
  const found: Condition[] = [];
  let chain: Chain | undefined = base;
  for (const position of path) {
    const steps: readonly Step[] = chain?.rules[position - 1]?.steps ?? [];
    let next: string | undefined;
    for (const step of steps) {
      if ("if" in step) found.push(step.if);
      else if ("then" in step && "chain" in step.then) next = step.then.chain;
    }
    chain = next === undefined ? undefined : table.chains.get(next);
  }
  return found;
}
