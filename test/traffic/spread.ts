import type { Failure } from "../lab/http.js";

/** A reply of any kind, or a failure. */
type Reply = { readonly server: string } | Failure;

/** The hosts that replied, in the order of the requests; for a failure, its reason. */
export function answeredBy(replies: readonly Reply[]): string[] {
  return replies.map((reply) =>
    "server" in reply ? reply.server : reply.failure,
  );
}

/** The number of requests that each server answered. Failures are counted by reason. */
export function spread(replies: readonly Reply[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of answeredBy(replies))
    counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Splits a sequence into rounds of a scheduler. */
export function turns<T>(all: readonly T[], length: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / length) }, (_, turn) =>
    all.slice(turn * length, (turn + 1) * length),
  );
}

/** How the requests arrived: `CLIENT -> ADDRESS:PORT SERVER`, each path once. */
export function arrivals(
  replies: readonly (
    { server: string; addressedAs: string; client: string } | Failure
  )[],
): string[] {
  const ways = replies.map((reply) =>
    "server" in reply
      ? `${reply.client} -> ${reply.addressedAs} ${reply.server}`
      : reply.failure,
  );
  return [...new Set(ways)].sort();
}
