import { aboutServer, aboutService } from "../../document/key-members.js";
import type { Members } from "../../document/json-text.js";
import type { Address } from "../../ipvs/address.js";
import type { ServiceKey } from "../../ipvs/model.js";
import type { Rule, RuleFile } from "../../rules/rule-file.js";
import type { NamesOf } from "./check-report.js";

/**
 * Names the services and real servers of a file: by the rule of a finding, or by its line, if each line is one rule.
 *
 * @param isMadeUp tells the addresses that are not in the file: what contains one has no name
 */
export function ruleNames(
  file: RuleFile,
  isMadeUp: (address: Address) => boolean,
): NamesOf {
  const { format, table } = file;
  const hasName = (key: ServiceKey) =>
    "firewallMark" in key || !isMadeUp(key.address);
  const byRule = new Map<Rule, Members>();
  const byLine = new Map<number, Members>();
  const add = (rule: Rule, names: Members) => {
    byRule.set(rule, names);
    const line = file.positionOf(rule)?.line;
    if (format === "rules" && line !== undefined) byLine.set(line, names);
  };
  for (const service of table.services) {
    const { key } = service;
    if (!hasName(key)) continue;
    add(service, aboutService(key));
    for (const server of service.servers)
      if (!isMadeUp(server.key.address))
        add(server, aboutServer(key, server.key));
  }
  return ({ rule, position }) =>
    (rule ? byRule.get(rule) : byLine.get(position.line)) ?? {};
}
