import { PROTOCOL_NAMES, TCP, UDP } from "../../../ipvs/model.js";
import type { ServiceWithServers } from "../../../ipvs/model.js";
import { groupsOf } from "../../connections.js";
import type { Facts } from "../../facts.js";
import { judgeAll } from "../../firewall/judge.js";
import { markingRules } from "./marking-rules.js";

/**
 * Says that a service perhaps has other packets than TCP, so that a refused TCP connection proves nothing; undefined if
 * it has TCP alone. A firewall mark has no protocol: the rules that set it, or the connections, tell.
 */
export function perhapsNotTcp(
  service: ServiceWithServers,
  {
    connections,
    allServices,
    firewall,
  }: Pick<Facts, "connections" | "allServices" | "firewall">,
): string | undefined {
  const { key } = service;
  if (!("firewallMark" in key)) return undefined;
  const rules = firewall
    ? markingRules(firewall, key).filter(({ early }) => early)
    : [];
  const { family } = key;
  if (
    rules.length > 0 &&
    rules.every(
      ({ conditions }) =>
        judgeAll(conditions, { family, protocol: UDP }) === "no",
    )
  )
    return undefined;
  const protocols = new Set(
    service.servers
      .flatMap((server) =>
        connections ? groupsOf(connections, service, server, allServices) : [],
      )
      .map(({ protocol }) => protocol),
  );
  if (protocols.size === 1 && protocols.has(PROTOCOL_NAMES[TCP]))
    return undefined;
  return protocols.has(PROTOCOL_NAMES[UDP])
    ? "the service also has UDP, which a connection does not try"
    : "a firewall mark has no protocol, and nothing shows that this one is for TCP alone: with UDP, a connection proves nothing";
}
