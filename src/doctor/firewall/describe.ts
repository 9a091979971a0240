import { decodeUtf8 } from "../../text/utf8.js";
import type { Place, Stop } from "./walk.js";

/** Names a rule or a policy with its packet count: `rule 3 of chain INPUT (iptables, table filter), 12 packets`. */
export function describePlace(place: Place): string {
  const { table, chain, rule, position, packets } = place;
  const where =
    table.program === "nft"
      ? `chain ${chain.name} (nft, table ${table.nftFamily} ${table.name})`
      : `chain ${chain.name} (${table.program}, table ${table.name})`;
  // The firewall's programs print names and comments byte by byte.
  const what = decodeUtf8(
    rule === undefined
      ? `the policy of ${where}`
      : `rule ${position ?? 0} of ${where}, "${rule.text}"`,
  );
  if (packets === undefined) return `${what}, which does not count packets`;
  return `${what}, ${packets} ${packets === 1n ? "packet" : "packets"}`;
}

/** Says what a stop does to packets: `drops them`, `redirects requests to tcp/192.0.2.1:80 to 10.0.0.5:80`. */
export function describeAction({ does, to }: Stop, packets: string): string {
  switch (does) {
    case "drop":
      return `drops ${packets}`;
    case "reject":
      return `rejects ${packets}`;
    case "redirect":
      return to === undefined || to === ""
        ? `redirects ${packets}`
        : `redirects ${packets} to ${to}`;
  }
}
