import type { Address } from "../../ipvs/address.js";
import type { ServiceWithServers } from "../../ipvs/model.js";
import { stopsOf } from "../firewall/flow.js";
import type { Ruleset } from "../firewall/ruleset.js";
import type { Stop } from "../firewall/walk.js";
import { flowsOf, type DirectorFlow, type FlowFacts } from "./flows.js";

/** A firewall rule that stops packets of a flow. */
export interface Blockage {
  readonly flow: DirectorFlow;
  readonly stop: Stop;
}

/** All rules that certainly, or perhaps, stop flows of a service. */
export function blockagesOf(
  service: ServiceWithServers,
  facts: FlowFacts,
  firewall: Ruleset,
  client?: Address,
): Blockage[] {
  return flowsOf(service, facts, client).flatMap((flow) =>
    stopsOf(flow, firewall).map((stop) => ({ flow, stop })),
  );
}
