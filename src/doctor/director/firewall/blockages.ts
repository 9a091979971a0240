import type { Address } from "../../../ipvs/address.js";
import { TCP, type ServiceWithServers } from "../../../ipvs/model.js";
import { describeAction } from "../../firewall/describe.js";
import { stopsOf, type FlowStop } from "../../firewall/flow.js";
import { ACK, FIN_ACK, SYN, SYN_ACK } from "../../firewall/packet.js";
import type { Ruleset } from "../../firewall/ruleset.js";
import { flowsOf, type DirectorFlow, type FlowFacts } from "./flows.js";

/** A firewall rule that stops packets of a flow. */
export interface Blockage {
  readonly flow: DirectorFlow;
  readonly stop: FlowStop;
}

/** What was found for a service, and from which facts */
interface KnownBlockages extends FlowFacts {
  readonly firewall: Ruleset;
  readonly blockages: readonly Blockage[];
}

const knownBlockages = new WeakMap<ServiceWithServers, KnownBlockages>();

/** All rules that certainly, or perhaps, stop flows of a service. */
export function blockagesOf(
  service: ServiceWithServers,
  facts: FlowFacts,
  firewall: Ruleset,
  client?: Address,
): readonly Blockage[] {
  if (client !== undefined)
    return findBlockages(service, facts, firewall, client);
  // Several checks ask, and walks through thousands of rules for thousands of services take seconds.
  const known = knownBlockages.get(service);
  if (known?.firewall === firewall && isFrom(known, facts))
    return known.blockages;
  const { network, connections, allServices, sysctls } = facts;
  const blockages = findBlockages(service, facts, firewall, undefined);
  knownBlockages.set(service, {
    ...{ network, connections, allServices, sysctls },
    ...{ firewall, blockages },
  });
  return blockages;
}

function isFrom(one: FlowFacts, other: FlowFacts): boolean {
  return (
    one.network === other.network &&
    one.connections === other.connections &&
    one.allServices === other.allServices &&
    one.sysctls === other.sysctls
  );
}

function findBlockages(
  service: ServiceWithServers,
  facts: FlowFacts,
  firewall: Ruleset,
  client: Address | undefined,
): Blockage[] {
  return flowsOf(service, facts, client).flatMap((flow) =>
    stopsOf(flow, firewall).map((stop) => ({ flow, stop })),
  );
}

/** Says what a rule or policy does to packets of flows: `drops requests to tcp/192.0.2.1:80 (packets after the SYN)`. */
export function describeBlockage(blockages: readonly Blockage[]): string {
  const [first] = blockages;
  if (!first) throw new Error("no blockage");
  const { flow, stop } = first;
  const texts = new Set(blockages.map((one) => one.flow.text));
  const flags = new Set(
    blockages.flatMap((one) =>
      one.stop.stopped.map((packet) =>
        packet.protocol === TCP ? packet.tcpFlags : undefined,
      ),
    ),
  );
  const action = describeAction(stop, [...texts].join(" and "));
  const [opening, name] =
    flow.what === "answers"
      ? ([SYN_ACK, "the SYN/ACK"] as const)
      : ([SYN, "the SYN"] as const);
  if (flags.has(undefined) || flags.has(opening)) return action;
  if (flags.has(ACK)) return `${action} (packets after ${name})`;
  return flags.has(FIN_ACK) ? `${action} (FIN)` : action;
}
