import { sameAddress } from "../../ipvs/address.js";
import { MASQUERADING } from "../../ipvs/model.js";
import type { ServerDifference } from "../../plan/compare.js";
import { serverMatches } from "../../plan/settings-match.js";

type Added = Extract<ServerDifference, { kind: "add" }>;
type Removed = Extract<ServerDifference, { kind: "remove" }>;

/**
 * Drops the differences of real servers of a firewall mark that differ only in their port. Without masquerading, the
 * port has no effect.
 *
 * keepalived 2.2 sets such ports to 0 when it starts, but not when a reload adds the mark to a group.
 */
export function withoutIneffectivePorts(
  differences: readonly ServerDifference[],
): ServerDifference[] {
  const removed = new Set(differences.filter((one) => one.kind === "remove"));
  const matched = new Set<ServerDifference>();
  for (const added of differences) {
    if (added.kind !== "add") continue;
    for (const other of removed)
      if (differInPort(added, other)) {
        removed.delete(other);
        matched.add(added).add(other);
        break;
      }
  }
  return differences.filter((one) => !matched.has(one));
}

function differInPort({ rule }: Added, { server }: Removed): boolean {
  return (
    rule.settings.forwarding !== MASQUERADING &&
    sameAddress(rule.key.address, server.key.address) &&
    serverMatches(server.settings, rule.settings)
  );
}
