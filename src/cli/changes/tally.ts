import type { Differences } from "../../plan/compare.js";

/** How many of each kind differ. */
export interface Counts {
  readonly services: number;
  /** Those of services that come or go, too */
  readonly servers: number;
  readonly daemons: number;
  readonly timeouts: number;
}

export interface Tally {
  readonly add: Counts;
  readonly change: Counts;
  readonly remove: Counts;
}

/** Counts what differs. */
export function tallyOf({ services, timeouts, daemons }: Differences): Tally {
  const none = () => ({ services: 0, servers: 0, daemons: 0, timeouts: 0 });
  const tally = { add: none(), change: none(), remove: none() };
  if (timeouts) tally.change.timeouts = 1;
  for (const { from, to } of daemons)
    tally[from && to ? "change" : to ? "add" : "remove"].daemons++;
  for (const one of services) {
    if (one.kind !== "change" || one.to) tally[one.kind].services++;
    if (one.kind === "change")
      for (const { kind } of one.servers) tally[kind].servers++;
    else
      tally[one.kind].servers += (
        one.kind === "add" ? one.servers : one.service.servers
      ).length;
  }
  return tally;
}

/** `1 service and 2 real servers to add, 1 real server to change`, or in other words. */
export function tallyText(
  tally: Tally,
  words: { readonly [Kind in keyof Tally]: string },
): string {
  return (["add", "change", "remove"] as const)
    .flatMap((kind) => {
      const things = thingsOf(tally[kind]);
      return things.length === 0 ? [] : [`${joined(things)} ${words[kind]}`];
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
