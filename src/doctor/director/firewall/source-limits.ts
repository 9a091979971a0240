import type { ServiceWithServers } from "../../../ipvs/model.js";
import { decodeUtf8 } from "../../../text/utf8.js";
import { check, type Known } from "../../check.js";
import { serviceName } from "../../commands.js";
import type { Facts } from "../../facts.js";
import type { Finding } from "../../finding.js";
import { describePlace } from "../../firewall/describe.js";
import { isSame, type FlowStop } from "../../firewall/flow.js";
import { packetsSince } from "../../firewall/later-ruleset.js";
import { limitingRule, stopLimit } from "../../firewall/source-limit.js";
import { blockagesOf } from "./blockages.js";

type Needed = Known<
  "table" | "allServices" | "network" | "connections" | "sysctls" | "firewall"
>;

interface Limit {
  readonly stop: FlowStop;
  readonly services: ServiceWithServers[];
}

/** The rules of this machine that limit the requests of each source address, and have matched packets. */
export function sourceLimits(facts: Needed): Limit[] {
  const found: Limit[] = [];
  for (const service of facts.table)
    for (const { flow, stop } of blockagesOf(service, facts, facts.firewall)) {
      if (flow.what !== "requests" || stop.certain) continue;
      if (stop.packets === 0n || stopLimit(stop) === undefined) continue;
      const known = found.find((one) => isSame(one.stop, stop));
      if (!known) found.push({ stop, services: [service] });
      else if (!known.services.includes(service)) known.services.push(service);
    }
  return found;
}

/** The limits if all facts are there that tell them. */
export function limitsIn(facts: Facts): Limit[] {
  const { table, allServices, network, connections } = facts;
  const { sysctls, firewall } = facts;
  if (!table || !allServices || !network || !connections) return [];
  if (!sysctls || !firewall) return [];
  return sourceLimits({
    ...{ table, allServices, network, connections },
    ...{ sysctls, firewall },
  });
}

const MOST_SERVICES = 3;

/** Limits for each source address that stop requests right now. */
export const limitedSources = check(
  ["source-limited"],
  ["table", "allServices", "network", "connections", "sysctls", "firewall"],
  (facts) =>
    sourceLimits(facts).flatMap(
      ({ stop, services }): Finding<"source-limited">[] => {
        const { firewallLater: later } = facts;
        const since = packetsSince(stop, later);
        if (!later || since === undefined || since === 0n) return [];
        const names = services.slice(0, MOST_SERVICES).map(serviceName);
        const more =
          services.length > names.length
            ? ` and ${services.length - names.length} more services`
            : "";
        return [
          {
            id: "source-limited",
            subject: `chain ${decodeUtf8(stop.chain.name)}, rule ${stop.position ?? limitingRule(stop)?.position ?? 0}`,
            seen: `${describePlace(stop)}, ${stop.does}s requests of a source with ${stopLimit(stop) ?? ""}: ${since} more in ${Math.round(later.seconds)} s while doctor looked`,
            certainty: "likely",
            evidence: [
              `requests to ${names.join(", ")}${more} pass this rule`,
              "clients behind one address, such as that of a NAT router or a proxy, share the limit",
            ],
            fix: [],
          },
        ];
      },
    ),
);
