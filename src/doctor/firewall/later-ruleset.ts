import type { Clock } from "../../system/clock.js";
import type { Ruleset } from "./ruleset.js";
import type { Place } from "./walk.js";

/** The firewall when doctor had looked at everything else. */
export interface LaterRuleset extends Ruleset {
  /** Since it was read first */
  readonly seconds: number;
}

/** Clients repeat a request after 1, 2 and 4 seconds. */
const LONGEST_MILLISECONDS = 5000;
const LOOK_MILLISECONDS = 1000;

/**
 * Reads the firewall again until one of some rules or policies has matched packets, or for some seconds.
 *
 * @param began when it was read first, in milliseconds
 * @returns undefined if there are no such rules
 */
export async function readLaterRuleset(
  clock: Clock,
  read: () => Promise<Ruleset>,
  places: readonly Place[],
  began: number,
): Promise<LaterRuleset | undefined> {
  if (places.length === 0) return undefined;
  const never = new AbortController().signal;
  for (;;) {
    await clock.sleep(LOOK_MILLISECONDS, never);
    const { tables } = await read();
    const milliseconds = clock.now() - began;
    const later = { tables, seconds: milliseconds / 1000 };
    const grown = places.some((one) => (packetsSince(one, later) ?? 0n) > 0n);
    if (grown || milliseconds >= LONGEST_MILLISECONDS) return later;
  }
}

/** How many packets a rule or policy has matched between the two readings; undefined if it does not count, or is gone. */
export function packetsSince(
  { table, chain, rule, position, packets }: Place,
  later: LaterRuleset | undefined,
): bigint | undefined {
  const there = later?.tables
    .find(
      ({ program, nftFamily, name }) =>
        program === table.program &&
        nftFamily === table.nftFamily &&
        name === table.name,
    )
    ?.chains.get(chain.name);
  if (!there || packets === undefined) return undefined;
  const same = position === undefined ? undefined : there.rules[position - 1];
  const now = rule
    ? same?.text === rule.text
      ? same.packets
      : undefined
    : there.base?.policyPackets;
  return now === undefined || now < packets ? undefined : now - packets;
}
