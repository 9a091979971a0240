import { INET6, type Address } from "../../ipvs/address.js";
import type { Fix } from "../finding.js";
import { acceptRule } from "./accept-rule.js";
import { describeAction, describePlace } from "./describe.js";
import { isSame, stopsOf, type Flow, type FlowMatch } from "./flow.js";
import {
  ICMPV6,
  NEIGHBOR_ADVERTISEMENT,
  NEIGHBOR_SOLICITATION,
  type Packet,
} from "./packet.js";
import type { Ruleset } from "./ruleset.js";
import type { Stop } from "./walk.js";

/** The messages with which IPv6 finds the hardware addresses of neighbors, as a machine sees them. */
export type NeighborMessage =
  | "received solicitations"
  | "sent advertisements"
  | "sent solicitations"
  | "received advertisements";

/** What a machine receives and sends when a neighbor asks for one of its addresses. */
export const WHEN_ASKED: readonly NeighborMessage[] = [
  "received solicitations",
  "sent advertisements",
];

/** What a machine sends and receives when it asks for the address of a neighbor. */
export const WHEN_ASKING: readonly NeighborMessage[] = [
  "sent solicitations",
  "received advertisements",
];

/** A firewall rule that stops neighbor discovery. */
export interface NeighborBlockage {
  readonly message: NeighborMessage;
  /** The names of the interfaces */
  readonly devices: readonly string[];
  readonly stop: Stop;
}

/**
 * The rules that certainly stop a message on each of these interfaces.
 *
 * @param source the neighbor that sends it, if that is known
 */
export function neighborBlockages(
  message: NeighborMessage,
  devices: readonly string[],
  ruleset: Ruleset,
  source?: Address,
): NeighborBlockage[] {
  return stopsOf(flowOf(message, devices, source), ruleset)
    .filter(({ certain, does }) => certain && does !== "redirect")
    .map((stop) => ({ message, devices, stop }));
}

function flowOf(
  message: NeighborMessage,
  devices: readonly string[],
  source: Address | undefined,
): Flow {
  const received = message.startsWith("received");
  const match: FlowMatch = {
    family: INET6,
    protocol: ICMPV6,
    icmpType: message.endsWith("solicitations")
      ? NEIGHBOR_SOLICITATION
      : NEIGHBOR_ADVERTISEMENT,
  };
  const packets = devices.map((device): Packet => ({
    ...match,
    source,
    ...(received ? { incoming: device } : { outgoing: device }),
    // Connection tracking leaves neighbor discovery out. @see nf_conntrack_icmpv6_error()
    states: ["untracked"],
    mark: 0,
  }));
  const hooks = received
    ? (["prerouting", "input"] as const)
    : (["output", "postrouting"] as const);
  return {
    text: nameOf(message),
    stages: hooks.map((hook) => ({ hook, packets })),
    match,
  };
}

function nameOf(message: NeighborMessage): string {
  return message.endsWith("solicitations")
    ? "neighbor solicitations"
    : "neighbor advertisements";
}

/** One rule is one cause, no matter how many messages it stops on how many interfaces. */
export function byStop(
  blockages: readonly NeighborBlockage[],
): NeighborBlockage[][] {
  const groups: NeighborBlockage[][] = [];
  for (const blockage of blockages) {
    const group = groups.find(
      ([first]) => first && isSame(first.stop, blockage.stop),
    );
    if (group) group.push(blockage);
    else groups.push([blockage]);
  }
  return groups;
}

/** What one rule does: `rule 1 of chain INPUT (…), 3 packets, drops neighbor advertisements on eth1`. */
export function describeBlockages(
  blockages: readonly NeighborBlockage[],
): string {
  const [first] = blockages;
  if (!first) throw new Error("no blockage");
  const places = new Map<string, Set<string>>();
  for (const { message, devices } of blockages) {
    const known = places.get(nameOf(message)) ?? [];
    places.set(nameOf(message), new Set([...known, ...devices]));
  }
  const what = Array.from(
    places,
    ([name, devices]) => `${name} on ${[...devices].join(" and ")}`,
  );
  return `${describePlace(first.stop)}, ${describeAction(first.stop, what.join(", and "))}`;
}

/** The commands that accept these messages, each once. */
export function acceptMessages(blockages: readonly NeighborBlockage[]): Fix[] {
  const fixes = blockages.map(({ message, devices, stop }) =>
    acceptRule(flowOf(message, devices, undefined), stop),
  );
  return [...new Map(fixes.map((fix) => [fix.command, fix])).values()];
}
