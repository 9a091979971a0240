import { formatAddress } from "../../ipvs/address.js";
import { TCP } from "../../ipvs/model.js";
import { check } from "../check.js";
import type { Finding, Fix } from "../finding.js";
import { acceptCommand, acceptRule } from "../firewall/accept-rule.js";
import { describeAction, describePlace } from "../firewall/describe.js";
import { stopsOf, type Flow, type FlowStop } from "../firewall/flow.js";
import type { Firewall } from "../firewall/read-firewall.js";
import { sizeEvidence, sizeMessagesTo } from "../firewall/size-messages.js";
import type { Condition, Rule } from "../firewall/ruleset.js";
import type { Stop } from "../firewall/walk.js";
import { serviceFlows, tunnelFlows } from "./flows.js";
import { servicesThere } from "./listening.js";
import type { RealServer } from "./real-server.js";

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
    ...largeAnswers(realServer, firewall),
  ],
);

/** Rules that have dropped the messages of routers about answers that are too large. */
function largeAnswers(server: RealServer, firewall: Firewall): Finding<Id>[] {
  const addresses = servicesThere(server)
    .filter(({ protocol = TCP }) => protocol === TCP)
    .map(({ address }) => [formatAddress(address), address] as const);
  return [...new Map(addresses).values()].flatMap((address) =>
    // This machine sees both directions of its connections.
    blocked(
      [sizeMessagesTo(address, { devices: [], state: "related" })],
      firewall,
      sizeEvidence,
    ),
  );
}

/** @param evidence what makes it likely that a rule has stopped such packets, if the rule alone is no fault */
function blocked(
  flows: readonly Flow[],
  firewall: Firewall,
  evidence?: (flow: Flow, stop: Stop) => string | undefined,
): Finding<Id>[] {
  return flows.flatMap((flow) =>
    stopsOf(flow, firewall)
      // A rule that redirects may be the very way in which this server takes requests.
      .filter(({ certain, does }) => certain && does !== "redirect")
      .filter((stop) => !evidence || evidence(flow, stop) !== undefined)
      .map((stop) => ({
        id: "server-firewall-blocks",
        subject: flow.text,
        seen: `${describePlace(stop)}, ${describeAction(stop, "them")}`,
        ...(evidence
          ? {
              certainty: "likely" as const,
              evidence: [
                evidence(flow, stop) ?? "",
                "small answers arrive, and large ones hang, if a link on the way to the client has a smaller MTU",
              ],
            }
          : {}),
        ...reversePathEvidence(stop),
        fix: fixOf(flow, stop),
      })),
  );
}

/** Why a rule that looks at the way back stops requests. */
function reversePathEvidence({
  rule,
  stopped: [packet],
}: FlowStop): Pick<Finding<Id>, "evidence"> {
  const { incoming, reversePath } = packet ?? {};
  if (!asksWayBack(rule) || incoming === undefined || !reversePath) return {};
  const { devices } = reversePath;
  return {
    evidence: [
      `the rule drops packets whose answers would leave by another interface: these come in by ${incoming}, and answers ${devices.length === 0 ? "have no route" : `leave by ${devices.join(", ")}`}`,
    ],
  };
}

function asksWayBack(rule: Rule | undefined): boolean {
  const asks = (condition: Condition): boolean =>
    condition.about === "reverse-path" ||
    (condition.about === "not" && asks(condition.condition));
  return (rule?.steps ?? []).some((step) => "if" in step && asks(step.if));
}

function fixOf(flow: Flow, stop: FlowStop): Fix[] {
  const narrow = entranceRules(flow, stop);
  return narrow.length > 0 ? narrow : [acceptRule(flow, stop)];
}

/** Rules that exempt requests from a rule that looks at the way back, which still applies on other interfaces; none for other rules. */
function entranceRules(flow: Flow, stop: FlowStop): Fix[] {
  const { rule, stopped, table, chain, position } = stop;
  if (!asksWayBack(rule)) return [];
  const entrances = new Set(stopped.map(({ incoming }) => incoming));
  return Array.from(entrances).flatMap((incoming) =>
    incoming === undefined
      ? []
      : [
          {
            command: acceptCommand(
              { ...flow.match, incoming },
              { table, chain, position },
            ),
            effect: `accepts ${flow.text} that come in by ${incoming} ahead of that rule, which still drops forged sources elsewhere; add it to the firewall's configuration to keep it. If firewalld made the rule, set IPv6_rpfilter=loose in /etc/firewalld/firewalld.conf and restart it instead`,
          },
        ],
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
