import { aboutServer, aboutService } from "../../document/key-members.js";
import type { Members } from "../../document/json-text.js";
import type { Address } from "../../ipvs/address.js";
import type { ServiceKey } from "../../ipvs/model.js";
import type { Rule, RuleFile } from "../../rules/rule-file.js";
import type { NamesOf } from "./check-report.js";

/**
 * Names the services and real servers of a file.
 *
 * @param isMadeUp tells the addresses that are not in the file: what contains one has no name
 */
export function ruleNames(
  { table }: RuleFile,
  isMadeUp: (address: Address) => boolean,
): NamesOf {
  const hasName = (key: ServiceKey) =>
    "firewallMark" in key || !isMadeUp(key.address);
  const names = new Map<Rule, Members>();
  for (const service of table.services) {
    const { key } = service;
    if (!hasName(key)) continue;
    names.set(service, aboutService(key));
    for (const server of service.servers)
      if (!isMadeUp(server.key.address))
        names.set(server, aboutServer(key, server.key));
  }
  return (rule) => names.get(rule) ?? {};
}
