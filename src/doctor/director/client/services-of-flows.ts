import type { Address } from "../../../ipvs/address.js";
import { sameAddress } from "../../../ipvs/address.js";
import { PERSISTENT, SCTP, TCP, UDP } from "../../../ipvs/model.js";
import { compareAddresses } from "../../firewall/compare-addresses.js";
import { judgeAll, type Answer } from "../../firewall/judge.js";
import { SYN, type Packet } from "../../firewall/packet.js";
import type { NumberRange } from "../../firewall/ruleset.js";
import { deviceOf, isLocal } from "../../network.js";
import type { DirectorFlow } from "../../packets/director-flows.js";
import { protocolName } from "../../packets/packet-fact.js";
import {
  destinationPorts,
  markingRules,
  targetsOf,
  type MarkingRule,
} from "../marks/marking-rules.js";
import { FIRST_DATA_PORT, FTP_PORT } from "../table/ftp.js";
import type { TraceFacts } from "./trace-step.js";

/** A rule that sets the mark of a service before IPVS sees packets. */
interface ServiceRule extends MarkingRule {
  readonly firewallMark: number;
}

/** What is known of the services of a client's packets. */
export type ServiceFacts = Pick<
  TraceFacts,
  "allServices" | "firewall" | "network"
>;

/** The rules that set marks of services with these addresses' family. */
function serviceRules(
  { allServices, firewall }: ServiceFacts,
  client: Address,
): ServiceRule[] {
  return allServices.flatMap(({ key }) =>
    "firewallMark" in key && key.family === familyOf(client)
      ? markingRules(firewall, key)
          .filter(({ early }) => early)
          .map((rule) => ({ ...rule, firewallMark: key.firewallMark }))
      : [],
  );
}

function familyOf(address: Address) {
  return address.length === 4 ? 2 : 10;
}

/** Whether an address is a virtual address: that of a service, or one for whose packets a rule sets the mark of a service. */
export function isVirtual(
  address: Address,
  facts: ServiceFacts,
  client: Address,
): boolean {
  const { allServices, network } = facts;
  if (
    allServices.some(
      ({ key }) => "address" in key && sameAddress(key.address, address),
    )
  )
    return true;
  const isOwn =
    isLocal(network, address) ??
    network.addresses.some((own) => sameAddress(own.address, address));
  const rules = serviceRules(facts, client);
  const hasMark = (firewallMark: number) =>
    rules.some((one) => one.firewallMark === firewallMark);
  return (
    rules.some(({ conditions }) => {
      const targets = targetsOf(conditions);
      return targets
        ? targets.some(
            ({ first, last }) =>
              first.length === address.length &&
              compareAddresses(first, address) <= 0 &&
              compareAddresses(address, last) <= 0,
          )
        : isOwn;
    }) ||
    (isOwn &&
      allServices.some(
        ({ key }) =>
          "firewallMark" in key &&
          key.family === familyOf(client) &&
          !hasMark(key.firewallMark),
      ))
  );
}

/** Whether a service takes the packets of a flow, by its address or its mark. */
export function hasService(
  flow: DirectorFlow,
  facts: ServiceFacts,
  client: Address,
  protocol = flow.protocol,
): Answer {
  const { virtual, virtualPort } = flow;
  const isTaken = facts.allServices.some(
    ({ key, settings }) =>
      "address" in key &&
      key.protocol === protocol &&
      sameAddress(key.address, virtual) &&
      (key.port === virtualPort ||
        key.port === 0 ||
        // The kernel gives data connections of FTP to that service.
        (key.protocol === TCP &&
          key.port === FTP_PORT &&
          virtualPort >= FIRST_DATA_PORT &&
          (settings.flags & PERSISTENT) !== 0)),
  );
  if (isTaken) return "yes";
  const packet = { ...packetOf(flow, facts, client), protocol };
  const answers = serviceRules(facts, client).map(({ conditions }) =>
    judgeAll(conditions, packet),
  );
  if (answers.includes("yes")) return "yes";
  return answers.includes("perhaps") ? "perhaps" : "no";
}

/** The protocol for which a service takes packets to the same address and port; undefined if there is none. */
export function otherProtocol(
  flow: DirectorFlow,
  facts: ServiceFacts,
  client: Address,
): string | undefined {
  const other = [TCP, UDP, SCTP].find(
    (one) =>
      one !== flow.protocol && hasService(flow, facts, client, one) === "yes",
  );
  return other === undefined ? undefined : protocolName(other);
}

/** The first packet of a flow. */
function packetOf(
  { protocol, clientPort, virtual, virtualPort, requestsIn }: DirectorFlow,
  { network }: ServiceFacts,
  client: Address,
): Packet {
  return {
    family: familyOf(client),
    incoming: deviceOf(network, requestsIn.devices[0])?.name,
    source: client,
    destination: virtual,
    protocol,
    sourcePort: clientPort,
    destinationPort: virtualPort,
    tcpFlags: protocol === TCP ? SYN : undefined,
    states: ["new"],
    destinationIsLocal: isLocal(network, virtual),
  };
}

/** A rule that sets a mark for other ports. */
export interface RuleForPorts {
  readonly rule: ServiceRule;
  readonly ports: readonly NumberRange[];
}

/** The rule for other ports of the same address whose ports are nearest to those of a flow. */
export function nearestRule(
  flow: DirectorFlow,
  facts: ServiceFacts,
  client: Address,
): RuleForPorts | undefined {
  const packet = {
    ...packetOf(flow, facts, client),
    destinationPort: undefined,
  };
  const distance = ({ ports }: RuleForPorts) =>
    Math.min(
      ...ports.map(([first, last]) =>
        Math.max(first - flow.virtualPort, flow.virtualPort - last, 0),
      ),
    );
  return serviceRules(facts, client)
    .flatMap((rule): RuleForPorts[] => {
      const ports = rule.conditions.flatMap(destinationPorts);
      return ports.length > 0 && judgeAll(rule.conditions, packet) !== "no"
        ? [{ rule, ports }]
        : [];
    })
    .toSorted((one, other) => distance(one) - distance(other))[0];
}
