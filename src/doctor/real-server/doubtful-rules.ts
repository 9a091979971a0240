import { formatAddress, sameAddress } from "../../ipvs/address.js";
import { check } from "../check.js";
import type { Finding } from "../finding.js";
import { acceptCommand } from "../firewall/accept-rule.js";
import { describePlace } from "../firewall/describe.js";
import { stopsOf, type Flow, type FlowStop } from "../firewall/flow.js";
import type { LaterRuleset } from "../firewall/later-ruleset.js";
import { packetsSince } from "../firewall/later-ruleset.js";
import type { Ruleset } from "../firewall/ruleset.js";
import { limitingRule, stopLimit } from "../firewall/source-limit.js";
import { requestFlows } from "./flows.js";
import type { RealServer } from "./real-server.js";

/** A rule that perhaps stops requests, and has matched packets. */
export interface DoubtfulRule {
  readonly flow: Flow;
  readonly stop: FlowStop;
}

/** The rules that perhaps stop requests. A rule that redirects may be the very way in which this server takes them. */
export function doubtfulRules(
  server: RealServer,
  firewall: Ruleset,
): DoubtfulRule[] {
  return requestFlows(server).flatMap((flow) =>
    stopsOf(flow, firewall)
      .filter(
        ({ certain, does, packets }) =>
          !certain && does !== "redirect" && packets !== 0n,
      )
      .map((stop) => ({ flow, stop })),
  );
}

/** Whether all clients have the director's address here, because it does SNAT. */
function isShared({ client, director, method }: RealServer): boolean {
  return (
    method === "masq" &&
    client !== undefined &&
    director !== undefined &&
    sameAddress(client, director)
  );
}

/** Whether a rule is a finding: it limits each source while all clients are one, or it stops packets right now. */
export function isReported(
  { stop }: DoubtfulRule,
  server: RealServer,
  later: LaterRuleset | undefined,
): boolean {
  return (
    (isShared(server) && stopLimit(stop) !== undefined) ||
    (server.client !== undefined && (packetsSince(stop, later) ?? 0n) > 0n)
  );
}

/** Rules of which doctor cannot tell whether they stop requests, if there is reason to think so. */
export const doubtful = check(
  ["source-limit-shared", "server-firewall-doubtful"],
  ["realServer", "firewall"],
  ({ realServer, firewall, firewallLater }) =>
    doubtfulRules(realServer, firewall)
      .filter((one) => isReported(one, realServer, firewallLater))
      .map((one) => findingOf(one, realServer, firewallLater)),
);

function findingOf(
  one: DoubtfulRule,
  server: RealServer,
  later: LaterRuleset | undefined,
): Finding<"source-limit-shared" | "server-firewall-doubtful"> {
  const { flow, stop } = one;
  const since = packetsSince(stop, later);
  const limit = stopLimit(stop);
  const client = server.client ? formatAddress(server.client) : "";
  const evidence = [
    ...(since !== undefined && later
      ? [
          since > 0n
            ? `it has stopped ${since} more ${since === 1n ? "packet" : "packets"} in ${Math.round(later.seconds)} s while doctor looked`
            : `it has stopped no packet in ${Math.round(later.seconds)} s while doctor looked: perhaps nobody tried`,
        ]
      : []),
  ];
  if (limit === undefined || !isShared(server))
    return {
      id: "server-firewall-doubtful",
      subject: flow.text,
      seen: `${describePlace(stop)}, perhaps ${stop.does}s them`,
      certainty: "likely",
      evidence: [
        ...evidence,
        ...(limit === undefined
          ? []
          : [
              `it limits each source address (${limit}): clients behind one address, such as that of a NAT router, share the limit`,
            ]),
      ],
      fix: [],
    };
  const place = limitingRule(stop);
  return {
    id: "source-limit-shared",
    subject: flow.text,
    seen: `${describePlace(stop)}, perhaps ${stop.does}s them: it limits each source address (${limit}), and all clients have the source ${client} here`,
    certainty: "likely",
    evidence: [
      `${client} is the director, which puts its own address in place of the clients' (SNAT), so all clients together share the limit of one`,
      ...evidence,
    ],
    fix: [
      {
        command: acceptCommand(
          { ...flow.match, source: server.client },
          {
            table: stop.table,
            chain: stop.chain,
            position: place?.position,
          },
        ),
        effect: `accepts ${flow.text} from ${client} ahead of that rule: the limit stays for all other sources, and for clients of the director there is none here; add it to the firewall's configuration to keep it`,
      },
    ],
  };
}
