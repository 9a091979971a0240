import type { Failure } from "../lab/http.js";

/** An answer of any kind, or none. */
type Reply = { readonly server: string } | Failure;

/** Who answered, in the order of the requests; in place of a missing answer its reason. */
export function answerers(replies: readonly Reply[]): string[] {
  return replies.map((reply) =>
    "server" in reply ? reply.server : reply.failure,
  );
}

/** How many requests each server answered; failures are counted by their reasons. */
export function spread(replies: readonly Reply[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of answerers(replies)) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** Splits what came one after the other into turns of a scheduler. */
export function turns<T>(all: readonly T[], length: number): T[][] {
  return Array.from({ length: Math.ceil(all.length / length) }, (_, turn) =>
    all.slice(turn * length, (turn + 1) * length),
  );
}

/** How requests arrived: `CLIENT -> ADDRESS:PORT SERVER`, each way once. */
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
