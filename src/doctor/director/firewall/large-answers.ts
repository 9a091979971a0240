import { INET, type Address } from "../../../ipvs/address.js";
import { TCP, type ServiceWithServers } from "../../../ipvs/model.js";
import { check, type Known } from "../../check.js";
import { serviceName } from "../../commands.js";
import type { Facts } from "../../facts.js";
import type { Finding } from "../../finding.js";
import { acceptRule } from "../../firewall/accept-rule.js";
import { describeAction, describePlace } from "../../firewall/describe.js";
import {
  isSame,
  stopsOf,
  type Flow,
  type FlowStop,
} from "../../firewall/flow.js";
import { sizeEvidence, sizeMessagesTo } from "../../firewall/size-messages.js";
import { sysctlNumber } from "../../sysctls.js";
import { clientDevices } from "./flow-clients.js";
import { IPVS_INPUT_PRIORITY, type FlowFacts } from "./flows.js";
import { isPassive, isServing } from "../reach/reach.js";

type Id = "too-big-answer-blocked";

const CONNTRACK = "net/ipv4/vs/conntrack";

/** Firewall rules of the director that stop the messages of routers that ask real servers for smaller packets. */
export const largeAnswers = check(
  ["too-big-answer-blocked"],
  ["table", "daemons", "network", "sysctls", "firewall"],
  (facts) =>
    isPassive(facts.daemons)
      ? []
      : byStop(
          blockages(facts).filter(
            ({ flow, stop }) => sizeEvidence(flow, stop) !== undefined,
          ),
        ).map((some) => findingOf(some, facts)),
);

/** A rule that stops the messages to a virtual address. */
interface Blockage {
  readonly service: ServiceWithServers;
  readonly flow: Flow;
  readonly stop: FlowStop;
}

type BlockageFacts = Pick<FlowFacts, "network" | "sysctls"> &
  Known<"table" | "firewall">;

function blockages(facts: BlockageFacts): Blockage[] {
  return facts.table.flatMap((service) => {
    const flow = messagesTo(service, facts);
    if (!flow) return [];
    return stopsOf(flow, facts.firewall)
      .filter(({ certain, does }) => certain && does !== "redirect")
      .slice(0, 1)
      .map((stop) => ({ service, flow, stop }));
  });
}

/**
 * The messages of routers on the way to clients, which refuse answers that are too large. They are for the virtual
 * address, and IPVS sends them on to the real server. Connection tracking relates them to a connection only with
 * net.ipv4.vs.conntrack.
 *
 * @see ip_vs_in_icmp() in net/netfilter/ipvs/ip_vs_core.c
 */
function messagesTo(
  { key, servers }: ServiceWithServers,
  { network, sysctls }: BlockageFacts,
): Flow | undefined {
  if ("firewallMark" in key || key.protocol !== TCP) return undefined;
  if (!servers.some(isServing)) return undefined;
  const { family, address } = key;
  const devices = clientDevices(network, family, address, undefined);
  const tracked = sysctlNumber(sysctls, CONNTRACK) === 1;
  return devices.length === 0
    ? undefined
    : sizeMessagesTo(address, {
        devices,
        state: tracked ? "related" : "invalid",
        range: { before: IPVS_INPUT_PRIORITY },
      });
}

/** One rule is one cause, no matter how many services it concerns. */
function byStop(found: readonly Blockage[]): Blockage[][] {
  const groups: Blockage[][] = [];
  for (const one of found) {
    const group = groups.find(
      ([first]) =>
        first &&
        isSame(first.stop, one.stop) &&
        first.flow.text === one.flow.text,
    );
    if (group) group.push(one);
    else groups.push([one]);
  }
  return groups;
}

function findingOf(
  some: readonly Blockage[],
  { sysctls }: Known<"sysctls">,
): Finding<Id> {
  const [first] = some;
  if (!first) throw new Error("no blockage");
  const { flow, stop } = first;
  const dropped = sizeEvidence(flow, stop);
  return {
    id: "too-big-answer-blocked",
    subject: some.map(({ service }) => serviceName(service)).join(", "),
    seen: `${describePlace(stop)}, ${describeAction(stop, flow.text)}`,
    certainty: "likely",
    evidence: [
      ...(dropped === undefined ? [] : [dropped]),
      ...(sysctlNumber(sysctls, CONNTRACK) === 1
        ? []
        : [
            "net.ipv4.vs.conntrack is 0, so connection tracking does not relate these messages to a connection: a rule for RELATED does not accept them",
          ]),
    ],
    fix: [acceptRule(flow, stop)],
  };
}

/** More lines would hide the rest. */
const MOST_LINES = 3;

/** Rules that would stop these messages, if a router sent one. */
export function unseenLargeAnswers(facts: Facts): string[] {
  const { table, network, sysctls, firewall, daemons = [] } = facts;
  if (!table || !network || !sysctls || !firewall) return [];
  if (isPassive(daemons)) return [];
  return byStop(blockages({ table, network, sysctls, firewall }))
    .flatMap(([first]) => first ?? [])
    .filter(({ flow, stop }) => sizeEvidence(flow, stop) === undefined)
    .map(({ flow, stop }) => largeAnswerText(flow, stop))
    .slice(0, MOST_LINES);
}

function largeAnswerText(flow: Flow, stop: FlowStop): string {
  return `whether large answers reach clients behind links with a smaller MTU (${describePlace(stop)}, ${describeAction(stop, flow.text)})`;
}

/** What becomes of the large answers to a client: the rules that stop the messages about them. */
export function largeAnswersTo(
  facts: BlockageFacts,
  client: Address,
): string[] {
  const found = blockages(facts).filter(
    ({ service }) => (service.key.family === INET) === (client.length === 4),
  );
  return byStop(found)
    .flatMap(([first]) => first ?? [])
    .map(
      ({ flow, stop }) =>
        `${describePlace(stop)}, ${describeAction(stop, flow.text)}: if a link to the client has a smaller MTU, real servers do not learn it, and large answers hang; "${acceptRule(flow, stop).command}" accepts them`,
    );
}
