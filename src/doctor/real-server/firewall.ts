import { check } from "../check.js";
import type { Finding } from "../finding.js";
import { describeAction, describePlace } from "../firewall/describe.js";
import { acceptRule, stopsOf } from "../firewall/flow.js";
import { realServerFlows } from "./flows.js";

/** Firewall rules of a real server that stop requests or answers. */
export const serverFirewall = check(
  ["server-firewall-blocks"],
  ["realServer", "firewall"],
  ({ realServer, firewall }) =>
    realServerFlows(realServer).flatMap((flow) =>
      stopsOf(flow, firewall)
        // A rule that redirects may be the very way in which this server takes requests.
        .filter(({ certain, does }) => certain && does !== "redirect")
        .map((stop): Finding<"server-firewall-blocks"> => ({
          id: "server-firewall-blocks",
          subject: flow.text,
          seen: `${describePlace(stop)}, ${describeAction(stop, "them")}`,
          fix: [acceptRule(flow, stop)],
        })),
    ),
);
