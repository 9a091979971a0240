import type { ServiceWithServers } from "../../../ipvs/model.js";
import { check, type Known } from "../../check.js";
import { ofService, serviceName } from "../../commands.js";
import type { Finding } from "../../finding.js";
import { describePlace } from "../../firewall/describe.js";
import { walk, type Place } from "../../firewall/walk.js";
import { flowsOf } from "../firewall/flows.js";

type Facts = Known<
  "table" | "allServices" | "network" | "sysctls" | "connections" | "firewall"
>;

/** Services with an address whose packets a firewall mark gives to another service. */
export const shadowedServices = check(
  ["service-shadowed"],
  ["table", "allServices", "network", "sysctls", "connections", "firewall"],
  (facts) =>
    facts.table.flatMap((service): Finding<"service-shadowed">[] => {
      const shadow = shadowOf(service, facts);
      return shadow
        ? [
            {
              id: "service-shadowed",
              ...ofService(service),
              seen: `${describePlace(shadow.rule)}, sets mark ${shadow.mark} for its packets, so ${serviceName(shadow.service)} gets all of its new connections`,
              fix: [],
            },
          ]
        : [];
    }),
);

interface Shadow {
  readonly service: ServiceWithServers;
  readonly mark: number;
  /** The last rule that sets the mark */
  readonly rule: Place;
}

/** The service by firewall mark that gets the packets of a service. IPVS looks for it first. @see ip_vs_service_find() */
function shadowOf(
  service: ServiceWithServers,
  facts: Facts,
): Shadow | undefined {
  const { allServices, firewall } = facts;
  const { key } = service;
  if ("firewallMark" in key) return undefined;
  if (!allServices.some(({ key }) => "firewallMark" in key)) return undefined;
  const stages = flowsOf(service, facts).find(
    ({ what }) => what === "requests",
  )?.stages;
  let found: Shadow | undefined;
  for (let packet of stages?.[0]?.packets ?? []) {
    let rule: Place | undefined;
    for (const { hook, range } of stages ?? []) {
      const walked = walk(firewall, hook, packet, range);
      packet = walked.packet;
      rule = walked.marks.at(-1) ?? rule;
    }
    const { mark } = packet;
    const other = allServices.find(
      (one) =>
        "firewallMark" in one.key &&
        one.key.family === key.family &&
        one.key.firewallMark === mark,
    );
    // Packets without the mark are still for the service.
    if (!rule || !other || mark === undefined) return undefined;
    if (found && found.service !== other) return undefined;
    found = { service: other, mark, rule };
  }
  return found;
}
