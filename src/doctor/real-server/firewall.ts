import { check } from "../check.js";
import type { Finding } from "../finding.js";
import { acceptRule } from "../firewall/accept-rule.js";
import { describeAction, describePlace } from "../firewall/describe.js";
import { stopsOf, type Flow } from "../firewall/flow.js";
import type { Firewall } from "../firewall/read-firewall.js";
import { serviceFlows, tunnelFlows } from "./flows.js";

type Id = "server-firewall-blocks";

/** Firewall rules of a real server that stop requests or answers. */
export const serverFirewall = check(
  ["server-firewall-blocks"],
  ["realServer", "firewall"],
  ({ realServer, firewall }) => [
    ...blocked(tunnelFlows(realServer), firewall).map((finding) =>
      realServer.method === undefined ? ifTunneled(finding) : finding,
    ),
    ...blocked(serviceFlows(realServer), firewall),
  ],
);

function blocked(flows: readonly Flow[], firewall: Firewall): Finding<Id>[] {
  return flows.flatMap((flow) =>
    stopsOf(flow, firewall)
      // A rule that redirects may be the very way in which this server takes requests.
      .filter(({ certain, does }) => certain && does !== "redirect")
      .map((stop) => ({
        id: "server-firewall-blocks",
        subject: flow.text,
        seen: `${describePlace(stop)}, ${describeAction(stop, "them")}`,
        fix: [acceptRule(flow, stop)],
      })),
  );
}

/** A tunnel's interface is up, which does not say that the director uses it. */
function ifTunneled(finding: Finding<Id>): Finding<Id> {
  return {
    ...finding,
    certainty: "likely",
    cure: "If the director uses this tunnel, accept its packets ahead of the rule, and add that to the configuration of the firewall. With --method doctor prints the command.",
    fix: [],
  };
}
