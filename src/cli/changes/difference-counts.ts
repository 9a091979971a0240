import type { Differences } from "../../plan/compare.js";
import {
  differenceItems,
  kindOf,
  type ChangeKind,
} from "./difference-items.js";

/** How many of each kind differ. Real servers of added and removed services count, too. */
export interface Counts {
  readonly services: number;
  readonly servers: number;
  readonly daemons: number;
  readonly timeouts: number;
}

export type DifferenceCounts = Readonly<Record<ChangeKind, Counts>>;

const COUNTERS = {
  service: "services",
  server: "servers",
  daemon: "daemons",
  timeouts: "timeouts",
} as const;

/** Counts the differences. */
export function countDifferences(differences: Differences): DifferenceCounts {
  const none = () => ({ services: 0, servers: 0, daemons: 0, timeouts: 0 });
  const counts = { add: none(), change: none(), remove: none() };
  for (const item of differenceItems(differences))
    counts[kindOf(item)][COUNTERS[item.of]]++;
  return counts;
}

/**
 * The counts as one line: `1 service and 2 real servers to add, 1 real server to change`.
 *
 * @param endings what to write after the counts of each kind
 */
export function countsText(
  counts: DifferenceCounts,
  endings: Readonly<Record<ChangeKind, string>>,
): string {
  return (["add", "change", "remove"] as const)
    .flatMap((kind) => {
      const things = thingsOf(counts[kind]);
      return things.length === 0 ? [] : [`${joined(things)} ${endings[kind]}`];
    })
    .join(", ");
}

function thingsOf({ services, servers, daemons, timeouts }: Counts): string[] {
  return [
    ...counted(services, "service"),
    ...counted(servers, "real server"),
    ...counted(daemons, "sync daemon"),
    ...(timeouts > 0 ? ["the timeouts"] : []),
  ];
}

function counted(count: number, one: string): string[] {
  return count === 0 ? [] : [`${count} ${one}${count === 1 ? "" : "s"}`];
}

/** `a, b and c` */
function joined(things: readonly string[]): string {
  const last = things.at(-1) ?? "";
  const rest = things.slice(0, -1);
  return rest.length === 0 ? last : `${rest.join(", ")} and ${last}`;
}
