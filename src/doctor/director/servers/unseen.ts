import { formatAddress } from "../../../ipvs/address.js";
import {
  UDP,
  type ServerEntry,
  type ServiceWithServers,
} from "../../../ipvs/model.js";
import { groupsOf } from "../../connections.js";
import type { Facts } from "../../facts.js";
import type { Finding, Fix } from "../../finding.js";
import { kindOf, type FindingId } from "../../findings.js";
import { examineThere } from "../nat/examine-there.js";
import { isIndirect } from "./probe.js";
import { isServing } from "../reach/reach.js";

/** More servers are left out. */
const MOST_SERVERS = 3;

/**
 * Commands for the servers of which the director sees nothing: their answers go past it, and either UDP has no
 * handshake, or they refused a probe of their own address. None if there is an error to repair first.
 */
export function examineUnseen(
  facts: Facts,
  findings: readonly Finding<FindingId>[],
): Fix[] {
  const { table, allServices, network, connections, probes = [] } = facts;
  if (!table || !allServices || !network) return [];
  if (findings.some((one) => kindOf(one).severity === "error")) return [];
  const isUnseen = ({ key }: ServiceWithServers, server: ServerEntry) =>
    isServing(server) &&
    isIndirect({ server }) &&
    (("protocol" in key && key.protocol === UDP) ||
      probes.some((one) => one.server === server && one.result === "refused"));
  const found = new Map<string, Fix>();
  for (const service of table)
    for (const server of service.servers) {
      const machine = formatAddress(server.key.address);
      if (found.has(machine) || !isUnseen(service, server)) continue;
      if (found.size >= MOST_SERVERS) return [...found.values()];
      const [group] = connections
        ? groupsOf(connections, service, server, allServices)
        : [];
      const client = group?.clients[0];
      found.set(
        machine,
        examineThere(service, server, { ...facts, network }, client),
      );
    }
  return [...found.values()];
}
